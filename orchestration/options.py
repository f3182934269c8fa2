"""Options and arguments that several commands share."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

JSON = Annotated[bool, typer.Option("--json", help="Print a summary for machines.")]
DeliveryId = Annotated[str, typer.Argument(help="Id of the delivery, as `kodomo delivery list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; kept with name and time.")]
ShowProtected = Annotated[
    bool, typer.Option(help="Show where people under a support measure (支援措置) live too: for those authorised.")
]
Person = Annotated[str, typer.Argument(help="A person id, a 宛名番号, or source_id:source_key.")]


def date_option(help_text: str, *names: str) -> Any:
    """An option that takes a date; the command gets midnight of that day, and ``day`` makes a date of it."""
    return typer.Option(*names, formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help=help_text)


AsOf = Annotated[dt.datetime, date_option("As-of date (基準日).")]


def day(moment: dt.datetime | None) -> dt.date | None:
    """The date of an option made by ``date_option``; None where it was not given."""
    return None if moment is None else moment.date()
