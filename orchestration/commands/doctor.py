"""``kodomo doctor``: is everything where it should be?"""

from __future__ import annotations

import json

import typer

from orchestration.options import JSON


def register(app: typer.Typer) -> None:
    """Add ``kodomo doctor``."""

    @app.command()
    def doctor(as_json: JSON = False) -> None:
        """Check environment, home, publication, permissions and ports. Exit code 1 if something is wrong."""
        from kodomo.errors import ExitCode
        from kodomo.home import Home
        from orchestration.operations.diagnosis import diagnose

        findings = diagnose(Home.from_environment())
        if as_json:
            rows = [{"check": f.check, "status": f.status, "detail": f.detail} for f in findings]
            typer.echo(json.dumps(rows, ensure_ascii=False))
        else:
            colours = {"ok": "green", "note": "yellow", "wrong": "red"}
            for finding in findings:
                typer.secho(f"{finding.status:<6}", fg=colours[finding.status], nl=False)
                typer.echo(f"{finding.check}: {finding.detail}")
        if any(finding.status == "wrong" for finding in findings):
            raise typer.Exit(ExitCode.FAILED)
