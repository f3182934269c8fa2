"""Options and arguments that several commands share."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

JSON = Annotated[bool, typer.Option("--json", help="Print a summary for machines.")]
DeliveryId = Annotated[str, typer.Argument(help="Id of the delivery, as `kodomo delivery list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; kept with name and time.")]


def as_date(text: str, option: str) -> dt.date:
    """A date that was given as an option. Raises UsageError naming the option."""
    from kodomo.errors import UsageError

    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} takes a date such as 2026-04-01, not {text!r}.") from error
