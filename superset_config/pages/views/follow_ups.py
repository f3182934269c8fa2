"""What the pages of lists with results have in common: groups, states, pages, and the log of who was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from flask import redirect, request

from kodomo.entries.follow_ups import FollowUp
from superset_config.pages.base import EntryPage, audit, page_number, store, url_of, username
from superset_config.pages.reach import Reach
from superset_config.pages.views.records import FormPage

ON_A_PAGE = 50
ALL = "all"
OPEN, CLOSED, EXCLUDED = "open", "closed", "excluded"


def state_of(follow_up: FollowUp) -> str:
    """Under which state a row is listed."""
    if not follow_up.row["is_candidate"]:
        return EXCLUDED
    return OPEN if follow_up.is_open else CLOSED


class FollowUpsPage(EntryPage):
    """A list by group (``group_column`` of its rows) and state. ``form``: where its results are recorded."""

    group_column = ""
    form = ""
    states_ja: ClassVar[Mapping[str, str]] = {}

    def listing(
        self, everybody: Sequence[FollowUp], groups: Mapping[str, str], reach: Reach, **kept: str
    ) -> dict[str, Any]:
        """What a template shows of a list, by the request's group, state and page; the access is logged.

        ``groups``: code → label. ``kept``: further parts of the address.
        """
        group = request.args.get("group", ALL)
        group = group if group in groups else ALL
        state = request.args.get("state", OPEN)
        state = state if state in self.states_ja else OPEN
        of_group = [one for one in everybody if group in (ALL, one.row[self.group_column])]
        rows = {code: [one for one in of_group if state_of(one) == code] for code in self.states_ja}
        listed = rows[state]
        pages = max(1, -(-len(listed) // ON_A_PAGE))
        page = min(page_number(request.args.get("page", "")), pages)
        shown = listed[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        store().note_access(
            username(),
            f"{self.page}_list",
            conditions=[*kept.values(), group, state],
            found=len(listed),
            shown=[one.person_id for one in shown],
        )
        audit(f"{self.page}_list")

        def address(**changed: Any) -> str:
            return urlencode({**kept, "group": group, "state": state, **changed})

        waiting = [one.row[self.group_column] for one in everybody if one.is_open]
        return {
            "shown": shown,
            "children": len({one.person_id for one in listed}),
            "state": state,
            "groups": [
                (label, len(waiting) if code == ALL else waiting.count(code), address(group=code), code == group)
                for code, label in {ALL: "すべて", **groups}.items()
            ],
            "states": [
                (label, len(rows[code]), address(state=code), code == state) for code, label in self.states_ja.items()
            ],
            "page": page,
            "on_a_page": ON_A_PAGE,
            "numbers": [(number, address(page=number)) for number in range(1, pages + 1)],
            "record_at": url_of(self.form) if self.form in reach.pages() else "",
        }


class ResultPage(FormPage):
    """The record of a result. ``list_page``: the page whose row it closes."""

    list_page = ""

    def _after(self, _child: dict[str, Any]) -> Any:
        """Back to the list."""
        return redirect(url_of(self.list_page))
