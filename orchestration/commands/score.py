"""``kodomo score``: try out a definition."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.language import say, translated
from orchestration.options import JSON, date_option, day


def register(app: typer.Typer) -> None:
    """Add ``kodomo score``."""

    @app.command()
    def score(
        definition: Annotated[
            Path | None,
            typer.Option(help="Folder with the risk_*.csv of a definition; default: the one in force in this home."),
        ] = None,
        observations: Annotated[
            Path | None,
            typer.Option(
                help="CSV person_id,observation_code,observed_on,value[,ended_on]; default: the last build's."
            ),
        ] = None,
        as_of: Annotated[
            dt.datetime | None, date_option("As-of date (基準日); default: that of the last build.")
        ] = None,
        out: Annotated[
            Path | None, typer.Option(help="Folder for fct_risk_score.csv and fct_risk_contribution.csv.")
        ] = None,
        people: Annotated[Path | None, typer.Option(help="CSV person_id,birth_on,sex.")] = None,
        as_json: JSON = False,
    ) -> None:
        """Score by a definition, with the SQL of the batch; the warehouse stays as it is.

        With --observations: the people and facts of the files. Without: the children of the last build, compared with
        the version in force.
        """
        from kodomo.errors import UsageError
        from kodomo.home import Home
        from orchestration.commands.model import in_force

        home = Home.from_environment()
        definition = definition or in_force(home).folder()
        if observations is None:
            if people is not None:
                raise UsageError("--people goes with --observations.")
            _score_mart(home, definition, day(as_of), out, as_json)
            return
        if as_of is None or out is None:
            raise UsageError("--observations needs --as-of and --out.")
        from kodomo.scoring.score import score as score_files

        scored = score_files(home, definition, observations, people, as_of.date(), out)
        warnings = list(scored.warnings)
        if scored.unknown_people:
            warnings.append(
                translated(
                    "{count} people of {name} are not among the people: not scored.",
                    count=scored.unknown_people,
                    name=observations.name,
                )
            )
        _warn(warnings)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(scored), ensure_ascii=False))
        else:
            say(
                "{scores} scores and {contributions} contributions are in {out}.",
                scores=scored.scores,
                contributions=scored.contributions,
                out=out,
            )


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        say("Warning: {warning}", warning=warning, fg="yellow", err=True)


def _score_mart(home: Any, definition: Path, as_of_on: Any, out: Path | None, as_json: bool) -> None:
    from kodomo.scoring.comparison import as_text
    from kodomo.scoring.rescore import score_mart

    rescored = score_mart(home, definition, as_of_on, out)
    _warn(list(rescored.warnings))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(rescored), ensure_ascii=False, default=str))
        return
    for comparison in rescored.comparisons:
        typer.echo(as_text(comparison, translated) + "\n")
    say(
        "{scores} scores and {contributions} contributions are in {out}."
        if out
        else "{scores} scores and {contributions} contributions, nothing written (--out FOLDER writes them).",
        scores=rescored.scores,
        contributions=rescored.contributions,
        out=out,
    )
