"""``kodomo export``: a mart as a file."""

from __future__ import annotations

import getpass
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
        without_places: Annotated[
            bool,
            typer.Option(
                "--without-places",
                help="For those not authorised: empty where people under a support measure (支援措置) live.",
            ),
        ] = False,
        as_json: JSON = False,
    ) -> None:
        """Write a mart of the last build to a file."""
        from kodomo.entries.protection import protected_by_entries
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from kodomo.publication.export import export_table

        home = Home.from_environment()
        store = EntryStore(home)
        exported = export_table(
            home, table, file_format, out, published=published, entered=protected_by_entries(store),
            without_places=without_places,
        )  # fmt: skip
        store.note_access(getpass.getuser(), "export", table=table, rows=exported.rows, without_places=without_places)
        if as_json:
            typer.echo(json.dumps({"table": table, "rows": exported.rows}))
            return
        say("{rows} rows of {table} are in {out}.", rows=exported.rows, table=table, out=out)
        if exported.withheld and not without_places:
            say(
                "{count} rows may tell where people under a support measure live: for those authorised only "
                "(--without-places leaves it out).",
                count=exported.withheld,
                err=True,
            )
