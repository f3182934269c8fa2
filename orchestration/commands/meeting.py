"""``kodomo meeting``: the list for a meeting, on paper too, and what the meeting decides."""

from __future__ import annotations

import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from kodomo import clock
from orchestration.language import say
from orchestration.options import JSON, Person, ShowProtected, date_option, day

AREA = Annotated[str, typer.Option(help="Only this area (code).")]
TIER = Annotated[str, typer.Option(help="Only this tier.")]
STATE = Annotated[str, typer.Option(help="open, undecided, review, risen, decided or all.")]
ON = Annotated[dt.datetime | None, date_option("Date of the meeting; default: today.")]
DUE_BY = Annotated[dt.datetime | None, date_option("Only what is due by this date.")]


def register(app: typer.Typer) -> None:
    """Add ``kodomo meeting list|pdf|decide|support``."""
    meeting = typer.Typer(no_args_is_help=True, help="The meeting (会議): list, print, decisions, supports.")
    app.add_typer(meeting, name="meeting")

    @meeting.command("list")
    def show_list(
        area: AREA = "", tier: TIER = "", state: STATE = "open", on: ON = None, due_by: DUE_BY = None,
        show_protected: ShowProtected = False, as_json: JSON = False,
    ) -> None:  # fmt: skip
        """Whom the meeting should look at, most urgent first."""
        items, _, _ = _agenda(area, tier, state, on, due_by, "meeting_show_list", show_protected)
        rows = [
            {
                "person_id": item.person_id,
                "state": item.state,
                "due_on": item.due_on.isoformat() if item.due_on else None,
                "child": item.child["child_label"],
                "area": item.child["area_name"],
                "tier": item.child["tier_label"],
                "priority": item.child["priority_class"],
                "decision": item.last_decision.content["decision"] if item.last_decision else None,
                "changes": "、".join(change.words for change in item.changes),
            }
            for item in items
        ]
        from orchestration.console import show

        show(rows, as_json)

    @meeting.command()
    def pdf(
        out: Annotated[Path, typer.Option(help="File of the PDF.")],
        area: AREA = "",
        tier: TIER = "",
        state: STATE = "open",
        on: ON = None,
        due_by: DUE_BY = None,
        show_protected: ShowProtected = False,
    ) -> None:
        """Print the list, in Japanese."""
        from kodomo.entries.meeting import STATES_JA
        from kodomo.files import write_atomically
        from kodomo.home import Home
        from kodomo.parameters import labels
        from superset_config.pages.base import printed
        from superset_config.pages.printing import to_pdf

        items, filters, date = _agenda(area, tier, state, on, due_by, "meeting_print", show_protected)
        html = printed(
            "print_meeting.html",
            decision_labels=labels("decision"),
            items=items,
            filters=filters,
            on=date,
            states=STATES_JA,
            who=getpass.getuser(),
        )
        write_atomically(out, to_pdf(Home.from_environment(), html))
        say("The list of {count} children is in {out}.", count=len(items), out=out)

    @meeting.command()
    def decide(
        person: Person,
        decision: Annotated[str, typer.Option(help="support, watch or none.")],
        agree: Annotated[bool, typer.Option("--agree/--disagree", help="With the tier.")],
        on: ON = None,
        reason: Annotated[str, typer.Option(help="Why not, when the meeting disagrees with the tier.")] = "",
        item: Annotated[str, typer.Option(help="The risk item disagreed with (its code).")] = "",
        support: Annotated[str, typer.Option(help="Support content (支援内容).")] = "",
        lead: Annotated[str, typer.Option(help="Lead agency (主担当機関).")] = "",
        review_on: Annotated[dt.datetime | None, date_option("Date on which it comes back.")] = None,
    ) -> None:
        """Record a decision: always a new row, and nothing happens by a score alone."""
        content = {
            "meeting_on": (day(on) or clock.today()).isoformat(),
            "decision": decision,
            "agrees_with_tier": "yes" if agree else "no",
            "disagreement_reason": reason,
            "disagreement_item": item,
            "support_content": support,
            "lead_agency": lead,
            "review_on": review_on.date().isoformat() if review_on else "",
        }
        say("Recorded as {result}.", result=_keep(person, "decision", content))

    @meeting.command("support")
    def keep_support(
        person: Person,
        content: Annotated[str, typer.Option(help="What was done.")],
        lead: Annotated[str, typer.Option(help="Who did it (担当機関).")],
        started_on: Annotated[dt.datetime, date_option("From when.")],
        ended_on: Annotated[dt.datetime | None, date_option("Until when.")] = None,
        outcome: Annotated[str, typer.Option(help="What came of it (結果).")] = "",
    ) -> None:
        """Record a support that was given."""
        values = {
            "started_on": started_on.date().isoformat(),
            "ended_on": ended_on.date().isoformat() if ended_on else "",
            "support_content": content,
            "lead_agency": lead,
            "outcome": outcome,
        }
        say("Recorded as {result}.", result=_keep(person, "support", values))


def _agenda(
    area: str, tier: str, state: str, on: dt.datetime | None, due_by: dt.datetime | None, action: str,
    show_protected: bool,
) -> tuple[list[Any], Any, dt.date]:  # fmt: skip
    from kodomo.access.access import read_access
    from kodomo.determination.service import published_changes, published_children
    from kodomo.entries.changes import read_changes
    from kodomo.entries.meeting import STATES_JA, Filters, agenda
    from kodomo.entries.protection import protected_by_entries
    from kodomo.entries.store import EntryStore
    from kodomo.errors import UsageError
    from kodomo.home import Home
    from kodomo.publication.places import everyone_withheld

    if state not in {"open", "all", *STATES_JA}:
        raise UsageError("--state is one of open, {names}, all.", names=", ".join(STATES_JA))
    home = Home.from_environment()
    filters = Filters(area, tier, state, day(due_by))
    date = day(on) or clock.today()
    store = EntryStore(home)
    children = published_children(home)
    if not show_protected:
        withheld = everyone_withheld(home, protected_by_entries(store))
        children = read_access().without_places(children, withheld)
    changes = read_changes(published_changes(home), {child["person_id"]: child for child in children})
    items = agenda(children, store, date, filters, changes)
    store.note_access(getpass.getuser(), action, found=len(items), shown=[item.person_id for item in items])
    return items, filters, date


def _keep(person: str, name: str, typed: dict[str, str]) -> str:
    from kodomo.determination.determination import find
    from kodomo.determination.service import published_children
    from kodomo.entries.forms import require_right
    from kodomo.entries.meeting import facts_at_decision
    from kodomo.entries.store import EntryStore
    from kodomo.errors import UsageError
    from kodomo.home import Home

    home = Home.from_environment()
    person_id, _ = find(home, person)
    content = require_right(name, typed)
    store = EntryStore(home)
    if name == "decision":
        child = next((c for c in published_children(home) if c["person_id"] == person_id), None)
        if child is None:
            raise UsageError("This person is no child that was scored: decisions are about children.")
        content |= facts_at_decision(child)
    else:
        decisions = store.current("decision", person_id=person_id)
        content |= {"decision_id": decisions[-1].record_id} if decisions else {}
    kept = store.create(name, content, by=getpass.getuser(), department="child", person_id=person_id)
    return kept.record_id
