"""``kodomo notices``: the digests of notices to case workers."""

from __future__ import annotations

import typer

from kodomo import clock
from orchestration.language import say


def register(app: typer.Typer) -> None:
    """Add ``kodomo notices send``."""
    notices = typer.Typer(no_args_is_help=True, help="Notices to case workers (お知らせ).")
    app.add_typer(notices, name="notices")

    @notices.command()
    def send() -> None:
        """Send the digest of the day, counts and a link, and what could not be sent before. Exit code 1 if any waits.

        Safe to repeat: an account gets one digest a day, and each notice is counted in one.
        """
        from kodomo.entries.outbox import waiting
        from kodomo.entries.store import EntryStore
        from kodomo.errors import ExitCode
        from kodomo.home import Home
        from orchestration.operations.digest import send_digests

        home = Home.from_environment()
        store = EntryStore(home)
        problems = send_digests(home, store, clock.today())
        for problem in problems:
            say("Not sent, kept for the next time: {problem}", problem=problem)
        say("{count} mails wait.", count=len(waiting(store)))
        if problems:
            raise typer.Exit(ExitCode.FAILED)
