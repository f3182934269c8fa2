"""``kodomo doctor``: is everything where it should be?"""

from __future__ import annotations

import json

import typer

from orchestration.options import JSON


def register(app: typer.Typer) -> None:
    """Add ``kodomo doctor``."""

    @app.command()
    def doctor(as_json: JSON = False) -> None:
        """Open every part of the home and say cause, effect and cure of each fault. Exit code 1 for a fault."""
        from kodomo.errors import ExitCode
        from kodomo.home import Home
        from orchestration.operations.diagnosis import diagnose

        findings = diagnose(Home.from_environment())
        if as_json:
            rows = [
                {"check": f.check, "status": f.status, "detail": f.detail, "code": f.fault.code if f.fault else None}
                for f in findings
            ]
            typer.echo(json.dumps(rows, ensure_ascii=False))
        else:
            words = {"ok": ("正常", "green"), "note": ("注意", "yellow"), "wrong": ("異常", "red")}
            for finding in findings:
                word, colour = words[finding.status]
                typer.secho(f"{word}  ", fg=colour, nl=False)
                typer.echo(f"{finding.check}: {finding.detail}")
                if finding.fault is not None:
                    typer.echo(f"      影響: {finding.fault.effect}")
                    typer.echo(f"      直し方: {finding.fault.cure}")
        if any(finding.status == "wrong" for finding in findings):
            raise typer.Exit(ExitCode.FAILED)
