"""What the pages of the meeting share: its date and list in the address, and one child with its decisions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from flask import request

from kodomo import clock
from kodomo.access.scope import all_areas
from kodomo.entries.changes import Changes, read_changes, since_batch, since_decision
from kodomo.entries.forms import Form, forms
from kodomo.entries.meeting import STATES_JA, Filters
from kodomo.entries.store import Version
from kodomo.entries.visits import last_seen, newest_visits
from superset_config.pages.base import EntryPage, is_readable, page_number, store
from superset_config.pages.reach import Reach


def _displayed_version(version: Version, form: Form, reach: Reach) -> tuple[Version, list[tuple[str, str]], bool]:
    """An entry for display: the version, labels with values, and whether all of it may be read."""
    is_open = is_readable(version, reach)
    return version, form.shown(version.content, with_words=is_open), is_open


class MeetingChildPages(EntryPage):
    """The list in the address, and the page of one child."""

    def _on(self) -> dt.date:
        """The date of the meeting in the address; today where there is none."""
        return _date_in_address("on") or clock.today()

    def _changes(self, reach: Reach) -> Changes:
        """What moved each child in reach."""
        return read_changes(reach.rows("bi_change"), reach.children())

    def _filters(self) -> Filters:
        """From the address: codes and dates, no value of a person."""
        given = request.args
        area = given.get("area", "") if given.get("area", "") in all_areas() else ""
        tier = given.get("tier", "") if given.get("tier", "").isidentifier() else ""
        state = given.get("state", "open")
        if state not in {"open", "all", *STATES_JA}:
            state = "open"
        return Filters(area, tier, state, _date_in_address("due_by"))

    def _address(self, **changes: Any) -> str:
        """What leads to the list as it is asked for, with changes: codes, dates and the page, as ``_filters`` has."""
        page = page_number(request.args.get("page", ""))
        given = {**dataclasses.asdict(self._filters()), "on": self._on(), "page": page, **changes}
        return urlencode({name: value for name, value in given.items() if value not in {None, ""}})

    def _decision_form(self, reach: Reach, child: dict[str, Any]) -> Form:
        """The form, with the child's own risk items to disagree with."""
        rows = reach.rows("bi_contribution", "person_id = ? and is_for_meeting", [child["person_id"]])
        items = {row["item_code"]: row["item_label"] for row in rows if row.get("item_code")}
        form = forms()["decision"]
        fields = tuple(
            dataclasses.replace(entry, choices=dict(sorted(items.items(), key=lambda item: item[1])))
            if entry.name == "disagreement_item"
            else entry
            for entry in form.fields
        )
        return dataclasses.replace(form, fields=fields)

    def _child(self, reach: Reach, child: dict[str, Any], **context: Any) -> str:
        """The page of one child: what was decided, and the forms for decision and support."""
        decisions = store().current("decision", person_id=child["person_id"])
        supports = store().current("support", person_id=child["person_id"])
        given = {"content": {}, "mistakes": {}, "wrong_form": "", "support": None}
        decision_form = self._decision_form(reach, child)
        rows = reach.rows("bi_change", "person_id = ?", [child["person_id"]])
        changes = read_changes(rows, {child["person_id"]: child}).get(child["person_id"], ())
        return self.show(
            "meeting_child.html",
            reach,
            child=child,
            on=self._on(),
            query=self._address(),
            decisions=[_displayed_version(version, decision_form, reach) for version in reversed(decisions)],
            supports=[_displayed_version(version, forms()["support"], reach) for version in reversed(supports)],
            decision_form=decision_form,
            changes=since_decision(changes, decisions[-1]) if decisions else since_batch(changes),
            seen=last_seen(child, newest_visits(store()).get(child["person_id"])),
            support_form=forms()["support"],
            my_departments=reach.scope.departments,
            decision_id=str(uuid.uuid4()),
            support_id=str(uuid.uuid4()),
            **{**given, **context},
        )


def _date_in_address(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
