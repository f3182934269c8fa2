"""``kodomo score``: try out a definition on given observations."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add ``kodomo score``."""

    @app.command()
    def score(
        definition: Annotated[Path, typer.Option(help="Folder with the risk_*.csv of a definition.")],
        observations: Annotated[
            Path, typer.Option(help="CSV person_id,observation_code,observed_on,value[,ended_on].")
        ],
        as_of: Annotated[str, typer.Option(help="As-of date (基準日), YYYY-MM-DD.")],
        out: Annotated[Path, typer.Option(help="Folder for fct_risk_score.csv and fct_risk_contribution.csv.")],
        people: Annotated[Path | None, typer.Option(help="CSV person_id,birth_on,sex.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print a summary for machines.")] = False,
    ) -> None:
        """Score given observations by a definition, with the SQL of the batch; the warehouse stays as it is."""
        from orchestration.errors import UsageError
        from orchestration.home import Home
        from orchestration.individual.score import score as run_score

        try:
            as_of_on = dt.date.fromisoformat(as_of)
        except ValueError as error:
            raise UsageError(f"--as-of takes a date such as 2026-04-01, not {as_of!r}.") from error
        scored = run_score(Home.from_environment(), definition, observations, people, as_of_on, out)
        warnings = list(scored.warnings)
        if scored.unknown_people:
            warnings.append(
                f"{scored.unknown_people} people of {observations.name} are not in the people file: not scored."
            )
        for warning in warnings:
            typer.secho(f"Warning: {warning}", fg="yellow", err=True)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(scored)))
        else:
            typer.echo(f"{scored.scores} scores and {scored.contributions} contributions are in {out}.")
