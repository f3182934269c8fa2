"""``kodomo export``: a mart as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say
from orchestration.options import JSON


def register(app: typer.Typer) -> None:
    """Add ``kodomo export``."""

    @app.command()
    def export(
        table: Annotated[str, typer.Argument(help="Name of the mart, such as fct_risk_score.")],
        out: Annotated[Path, typer.Option(help="File to write.")],
        file_format: Annotated[str, typer.Option("--format", help="csv, parquet or json.")] = "csv",
        published: Annotated[bool, typer.Option(help="From what is in service, not from the last build.")] = False,
        as_json: JSON = False,
    ) -> None:
        """Write a mart of the last build to a file."""
        from kodomo.home import Home
        from kodomo.publication.export import export_table

        rows = export_table(Home.from_environment(), table, file_format, out, published=published)
        if as_json:
            typer.echo(json.dumps({"table": table, "rows": rows}))
        else:
            say("{rows} rows of {table} are in {out}.", rows=rows, table=table, out=out)
