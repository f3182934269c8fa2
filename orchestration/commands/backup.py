"""``kodomo backup`` and ``kodomo restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say


def register(app: typer.Typer) -> None:
    """Add ``kodomo backup`` and ``kodomo restore``."""

    @app.command()
    def backup(folder: Annotated[Path, typer.Argument(help="New folder for the backup.")]) -> None:
        """Entries, Superset's metadata, warehouse, publications and originals, while people go on typing."""
        from kodomo.home import Home
        from orchestration.operations.backup import backup as write

        say("The backup is in {result}.", result=write(Home.from_environment(), folder.resolve()))

    @app.command()
    def restore(folder: Annotated[Path, typer.Argument(help="Folder of a backup.")]) -> None:
        """Put a backup into an empty home; every file is checked before anything is written."""
        from kodomo.home import Home
        from orchestration.operations.backup import restore as read

        home = Home.from_environment()
        say("{result} files are back in {root}.", result=read(home, folder.resolve()), root=home.root)
