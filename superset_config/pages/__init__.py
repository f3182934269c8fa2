"""Server-rendered pages (業務) beside Superset's dashboards."""
