"""``kodomo retention``: what may be kept no longer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
from typing import Annotated

import typer

from kodomo import clock
from orchestration.console import show
from orchestration.language import say
from orchestration.options import JSON, DeliveryId, Reason, date_option, day

AsJson = JSON


def register(app: typer.Typer) -> None:
    """Add ``kodomo retention list|delete|deleted|hold|resume``."""
    retention = typer.Typer(help="Retention: what is due, delete it, what was deleted, holds.", no_args_is_help=True)
    app.add_typer(retention, name="retention")

    @retention.command("list")
    def list_due(
        as_of: Annotated[dt.datetime | None, date_option("On that date; by default today.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """What may be kept no longer; nothing is deleted."""
        from kodomo.data_subjects.retention import due
        from kodomo.home import Home

        as_of_on = day(as_of) or clock.today()
        items = due(Home.from_environment(), as_of_on)
        show([{name: _text(value) for name, value in dataclasses.asdict(one).items()} for one in items], as_json)

    @retention.command()
    def delete(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Delete what may be kept no longer today, and keep a record of what and why."""
        from kodomo.data_subjects.retention import delete_due, due
        from kodomo.home import Home

        home, today = Home.from_environment(), clock.today()
        items = due(home, today) if dry_run else delete_due(home, today, getpass.getuser())
        show([{name: _text(value) for name, value in dataclasses.asdict(one).items()} for one in items], as_json)

    @retention.command()
    def deleted(as_json: AsJson = False) -> None:
        """What was deleted so far, and why."""
        from kodomo.data_subjects import retention as work
        from kodomo.home import Home

        rows = work.deleted(Home.from_environment())
        show([{name: _text(value) for name, value in row.items()} for row in rows], as_json)

    @retention.command()
    def hold(delivery_id: DeliveryId, reason: Reason) -> None:
        """Keep a delivery beyond its retention: a request, an audit or a lawsuit needs it."""
        _decide(delivery_id, True, reason)

    @retention.command()
    def resume(delivery_id: DeliveryId, reason: Reason) -> None:
        """Let the retention of a delivery count again."""
        _decide(delivery_id, False, reason)


def _decide(delivery_id: str, is_held: bool, reason: str) -> None:
    from kodomo.data_subjects.retention import decide
    from kodomo.home import Home

    decide(Home.from_environment(), delivery_id, is_held, reason, getpass.getuser())
    if is_held:
        say("{delivery_id} is kept until `kodomo retention resume`.", delivery_id=delivery_id)
    else:
        say("{delivery_id} is kept for its retention.", delivery_id=delivery_id)


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value
