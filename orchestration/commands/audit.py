"""``kodomo audit``: whether the audit log is as it was written."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say
from orchestration.options import JSON

_FOUND = {
    "changed": "{chain}: line {number} ({line}) is not as it was written.",
    "missing": "{chain}: line {number} ({line}) is missing.",
    "moved": "{chain}: line {number} ({line}) is not in its place.",
    "cut off": "{chain}: from line {number} on, lines are missing or were written anew; they were there at: {line}.",
    "unchained": "{chain}: the line {line} was written past the chain.",
}


def register(app: typer.Typer) -> None:
    """Add ``kodomo audit verify``."""
    audit = typer.Typer(help="The audit log.", no_args_is_help=True)
    app.add_typer(audit, name="audit")

    @audit.callback()
    def _group() -> None:
        """A group of commands, though there is one."""

    @audit.command()
    def verify(
        backup: Annotated[
            Path | None, typer.Option(help="Folder of a backup whose record of the end of the log counts too.")
        ] = None,
        as_json: JSON = False,
    ) -> None:
        """Go through the audit log and name the first line that was changed, taken out, moved or cut off."""
        from kodomo.errors import ExitCode
        from kodomo.home import Home
        from orchestration.operations.audit import verify as go_through
        from orchestration.operations.backup import anchors_of

        verdicts = go_through(Home.from_environment(), anchors_of(backup) if backup else ())
        is_whole = all(verdict.finding is None for verdict in verdicts)
        if as_json:
            typer.echo(json.dumps({"is_whole": is_whole, "chains": [asdict(verdict) for verdict in verdicts]}))
        else:
            for verdict in verdicts:
                say(
                    "{chain}: {lines} lines gone through, and {before} from before the chain.",
                    chain=verdict.chain, lines=verdict.lines, before=verdict.before,
                )  # fmt: skip
                if verdict.finding:
                    found = asdict(verdict.finding)
                    say(_FOUND[verdict.finding.kind], fg="red", **found)
        if not is_whole:
            raise typer.Exit(ExitCode.FAILED)
