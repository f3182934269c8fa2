"""``kodomo delivery`` and ``kodomo reject``: what a data steward does with what was delivered."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from orchestration.console import show
from orchestration.language import say
from orchestration.options import JSON, DeliveryId, Reason


def register(app: typer.Typer) -> None:
    """Add ``kodomo delivery list|release|accept|findings|withdraw|replay`` and ``kodomo reject list|export``."""
    delivery = typer.Typer(help="Deliveries: list, release what is held, withdraw, replay.", no_args_is_help=True)
    reject = typer.Typer(help="Rejected records: list, export to mend.", no_args_is_help=True)
    app.add_typer(delivery, name="delivery")
    app.add_typer(reject, name="reject")

    @delivery.command("list")
    def list_deliveries(
        source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
        as_json: JSON = False,
    ) -> None:
        """The deliveries, latest first."""
        from kodomo.home import Home
        from kodomo.ingest import decisions

        show(decisions.list_deliveries(Home.from_environment(), source), as_json)

    @delivery.command()
    def release(delivery_id: DeliveryId, reason: Reason) -> None:
        """Let a held delivery count from the next run on."""
        _decide(delivery_id, "release", reason)

    @delivery.command()
    def accept(delivery_id: DeliveryId, reason: Reason) -> None:
        """Release a delivery held for its columns, and hold no later one of its source for the same."""
        _decide(delivery_id, "accept", reason)

    @delivery.command()
    def findings(delivery_id: DeliveryId, as_json: JSON = False) -> None:
        """The columns for which a delivery is held: what differs from the deliveries before, and what was accepted."""
        from kodomo.home import Home
        from kodomo.ingest import decisions

        show(decisions.list_findings(Home.from_environment(), delivery_id), as_json)

    @delivery.command()
    def withdraw(delivery_id: DeliveryId, reason: Reason) -> None:
        """Let a delivery no longer count from the next run on; nothing of it is lost."""
        _decide(delivery_id, "withdraw", reason)

    @delivery.command()
    def replay(delivery_id: DeliveryId, reason: Reason) -> None:
        """Read the kept original once more, after a fix of its contract or of what reads it."""
        from kodomo.home import Home
        from kodomo.ingest.deliveries import replay as read_again

        delivery = read_again(Home.from_environment(), delivery_id, reason, getpass.getuser())
        say(
            "{delivery_id} is {status}: {rows_read} rows read, {rows_loaded} loaded, {rows_rejected} rejected.",
            delivery_id=delivery_id,
            status=delivery.status,
            rows_read=delivery.rows_read,
            rows_loaded=delivery.rows_loaded,
            rows_rejected=delivery.rows_rejected,
        )

    @reject.command("list")
    def list_rejects(
        delivery_id: Annotated[str | None, typer.Argument(help="Only this delivery.")] = None,
        as_json: JSON = False,
    ) -> None:
        """Line, column and reason of each reject, and what mended it; without the record itself."""
        from kodomo.home import Home
        from kodomo.ingest import decisions

        show(decisions.list_rejects(Home.from_environment(), delivery_id), as_json)

    @reject.command()
    def export(
        delivery_id: DeliveryId,
        out: Annotated[Path, typer.Option(help="File for the holder to mend, or a folder for it.")],
    ) -> None:
        """Write a delivery's open rejects with its heading row, in its own encoding, for the holder to mend."""
        from kodomo.files import write_atomically
        from kodomo.home import Home
        from kodomo.ingest.reject_files import export_rejects

        if out.is_dir():
            # The name says which delivery is mended, also where the rows no longer show it.
            out = out / f"{delivery_id}_mended.csv"
        write_atomically(out, export_rejects(Home.from_environment(), delivery_id))
        say("The rejects of {delivery_id} are in {out}.", delivery_id=delivery_id, out=out)


def _decide(delivery_id: str, decision: str, reason: str) -> None:
    from kodomo.home import Home
    from kodomo.ingest.decisions import decide

    status = decide(Home.from_environment(), delivery_id, decision, reason, getpass.getuser())
    say("{delivery_id} is {status} from the next run on.", delivery_id=delivery_id, status=status)
