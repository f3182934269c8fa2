"""``kodomo synth``: a synthetic city."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say, translated
from orchestration.options import JSON, AsOf, date_option


def register(app: typer.Typer) -> None:
    """Add ``kodomo synth``."""

    @app.command()
    def synth(
        out: Annotated[Path, typer.Argument(help="A new folder for landing/ and truth/.")],
        residents: Annotated[int, typer.Option(min=1, help="Residents on the as-of date.")] = 51_492,
        seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 20_260_401,
        as_of: AsOf = dt.datetime(2026, 4, 1),
        dirty_rate: Annotated[
            float | None, typer.Option(min=0, max=0.1, help="Share of rows that are damaged on purpose.")
        ] = None,
        clean: Annotated[
            bool,
            typer.Option("--clean", help="No slips of real files, and no damaged rows unless --dirty-rate says so."),
        ] = False,
        standard_register: Annotated[
            bool, typer.Option("--standard-register", help="The register in the layout of standardised systems.")
        ] = False,
        earlier: Annotated[
            list[dt.datetime] | None,
            date_option("An earlier day for which the same city's deliveries are written too, into OUT/earlier/DATE."),
        ] = None,
        column_slips: Annotated[
            bool,
            typer.Option(
                "--column-slips",
                help="The last deliveries again, each with a column gone wrong, into OUT/column_slips.",
            ),
        ] = False,
        as_json: JSON = False,
    ) -> None:
        """Write the extracts of a city that never existed, and the truth behind them."""
        from kodomo.errors import KodomoError, UsageError
        from synthetic_city.city import SynthError, generate
        from synthetic_city.parameters import Parameters

        date = as_of.date()
        if not dt.date(2015, 1, 1) <= date <= dt.date(2040, 12, 31):
            raise UsageError("--as-of takes a date between 2015-01-01 and 2040-12-31.")
        settings = {"residents": residents, "seed": seed, "as_of": date, "standard_register": standard_register}
        if clean:
            settings |= {"slip_rate": 0.0, "dirty_rate": 0.0}
        if dirty_rate is not None:
            settings["dirty_rate"] = dirty_rate
        parameters = Parameters(**settings)
        days = [on.date() for on in earlier or ()]
        try:
            if as_json:
                typer.echo(
                    json.dumps(generate(out, parameters, earlier=days, column_slips=column_slips), ensure_ascii=False)
                )
                return
            summary = _with_progress(out, parameters, days, column_slips)
        except SynthError as error:
            raise UsageError(error.template, **error.details) from error
        except OSError as error:
            raise KodomoError("{out} cannot be written: {strerror}.", out=out, strerror=error.strerror) from error
        rows = summary["rows"]
        say(
            "{residents:,} residents, {under_18:,} of them under 18, in {households:,} households.",
            residents=summary["residents"],
            under_18=summary["under_18"],
            households=summary["households"],
        )
        say(
            "{result:,} rows in {count} sources; {seconds} s.",
            result=sum(rows.values()),
            count=len(rows),
            seconds=summary["seconds"],
        )
        say("Extracts: {value}", value=out / "landing")
        say("Truth: {value}", value=out / "truth")


def _with_progress(out: Path, parameters: object, earlier: list[dt.date], column_slips: bool) -> dict:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from synthetic_city.city import generate

    columns = (TextColumn("{task.description:<14}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as display:
        tasks: dict[str, int] = {}

        def say(step: str, share: float) -> None:
            if step not in tasks:
                tasks[step] = display.add_task(translated(step), total=1.0)
            display.update(tasks[step], completed=share)

        return generate(out, parameters, say, earlier, column_slips)
