"""``kodomo source``: what a file is before it is put into the landing folder, and what a delivered file has to be."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say


class Form(StrEnum):
    """What a specification is made into."""

    excel = "excel"
    odcs = "odcs"


def register(app: typer.Typer) -> None:
    """Add ``kodomo source inspect`` and ``kodomo source specification``."""
    source = typer.Typer(help="Sources: what a new file is, and what a delivery has to be.", no_args_is_help=True)
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

    @source.command()
    def specification(
        source_id: Annotated[str, typer.Argument(metavar="SOURCE", help="The source, by its id.")],
        output: Annotated[Path, typer.Option(help="File to write.")],
        form: Annotated[
            Form, typer.Option(help="excel: 納品仕様書 as a workbook; odcs: Open Data Contract Standard, YAML.")
        ] = Form.excel,
    ) -> None:
        """What a source's files have to be (納品仕様書), for its holder and for vendors."""
        from kodomo.specification import data_contract_yaml, delivered_contract, workbook

        contract = delivered_contract(source_id)
        output.write_bytes(workbook(contract) if form is Form.excel else data_contract_yaml(contract).encode("utf-8"))
        say("The specification of {source_id} is in {output}.", source_id=source_id, output=output)
