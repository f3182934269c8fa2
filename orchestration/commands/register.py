"""``kodomo register``: the register of data items as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say


def register(app: typer.Typer) -> None:
    """Add ``kodomo register``."""

    @app.command("register")
    def write_register(
        output: Annotated[
            Path | None, typer.Option(help="File to write; by default the page goes to the screen.")
        ] = None,
    ) -> None:
        """The register of data items (データ項目台帳), a page in Japanese, from the sources' contracts."""
        from kodomo.register import page

        if output is None:
            typer.echo(page(), nl=False)
            return
        output.write_text(page(), encoding="utf-8")
        say("The register of data items is in {output}.", output=output)
