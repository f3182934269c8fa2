"""``kodomo register``: the register of data items as a page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say


class Form(StrEnum):
    """What the register is made into."""

    items = "items"
    files = "files"
    assessment = "assessment"


def register(app: typer.Typer) -> None:
    """Add ``kodomo register``."""

    @app.command("register")
    def write_register(
        output: Annotated[
            Path | None, typer.Option(help="File to write; by default the page goes to the screen.")
        ] = None,
        form: Annotated[
            Form,
            typer.Option(
                help="files: 個人情報ファイル簿; assessment: draft of the PIA (.pdf or .html); default: the register."
            ),
        ] = Form.items,
    ) -> None:
        """The register of data items (データ項目台帳), and the documents made of it, in Japanese."""
        from kodomo.register import page

        if form is not Form.items:
            _write(form, output)
            return

        if output is None:
            typer.echo(page(), nl=False)
            return
        output.write_text(page(), encoding="utf-8")
        say("The register of data items is in {output}.", output=output)


def _write(form: Form, output: Path | None) -> None:
    from kodomo import clock
    from kodomo.errors import UsageError
    from kodomo.home import Home
    from orchestration.documents import require_suffix, write_document
    from superset_config.pages.documents import assessment_draft, file_register

    if output is None:
        raise UsageError("A document needs a file: --output.")
    require_suffix(output)
    html = file_register(clock.today()) if form is Form.files else assessment_draft(clock.today())
    write_document(Home.from_environment(), output, html)
    say("The document is in {output}.", output=output)
