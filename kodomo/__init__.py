"""The domain of kodomo: what is true without Dagster, Superset, Flask or Typer."""
