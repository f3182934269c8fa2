"""``kodomo screenshots``: every dashboard as every demo account, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say, translated


def register(app: typer.Typer) -> None:
    """Add ``kodomo screenshots``."""

    @app.command()
    def screenshots(
        address: Annotated[str, typer.Option(help="Where Superset answers.")] = "http://127.0.0.1:8088",
        account: Annotated[list[str] | None, typer.Option(help="Only as this account; may be repeated.")] = None,
        out: Annotated[Path | None, typer.Option(help="Folder of the pictures (default: in the home).")] = None,
        seconds: Annotated[float, typer.Option(help="How long a page may take to load.")] = 60,
    ) -> None:
        """Take every dashboard as every demo account; fail if a chart fails or a page asks an outside host."""
        from kodomo.errors import KodomoError, UsageError
        from kodomo.home import Home
        from superset_config.pictures import read_accounts, take

        home = Home.from_environment()
        accounts = read_accounts(home.demo_accounts)
        if account:
            if unknown := sorted(set(account) - set(accounts)):
                raise UsageError("No demo account is called {names}.", names=", ".join(unknown))
            accounts = {name: accounts[name] for name in account}
        folder = out or home.screenshots
        album = take(
            address.rstrip("/"),
            accounts,
            folder,
            seconds=seconds,
            on_picture=lambda picture: typer.echo(
                f"{picture.account}: {picture.dashboard}"
                + (translated(" ({count} charts failed)", count=picture.failures) if picture.failures else "")
            ),
        )
        say("{count} pictures in {folder}", count=len(album.pictures), folder=folder)
        if album.outside:
            raise KodomoError("Pages asked outside hosts: {names}", names=", ".join(sorted(album.outside)))
        if failed := [picture for picture in album.pictures if picture.failures]:
            raise KodomoError("{count} pages have charts that failed.", count=len(failed))
