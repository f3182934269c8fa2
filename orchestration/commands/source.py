"""``kodomo source``: what a file is, before it is put into the landing folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add ``kodomo source inspect``."""
    source = typer.Typer(help="Sources: what a new file is.", no_args_is_help=True)
    app.add_typer(source, name="source")

    @source.command()
    def inspect(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file; it is only read.")],
        source_id: Annotated[
            str | None, typer.Option("--source", help="Measure it against this source, not the nearest.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    ) -> None:
        """Say what a file is: encoding, layout, headings, values that do not fit, and the yml to add."""
        from kodomo.ingest import inspection

        inspected = inspection.inspect(file.read_bytes(), file.name, source_id)
        if as_json:
            typer.echo(json.dumps(inspected.as_dict(), ensure_ascii=False))
        else:
            typer.echo("\n".join(inspection.describe(inspected)))
