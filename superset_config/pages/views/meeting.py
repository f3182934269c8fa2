"""会議: the list, the decisions, the supports, the effect."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from itertools import groupby
from typing import Any

import duckdb
from flask import Response, abort, flash, request

from kodomo.access.scope import all_areas
from kodomo.determination.service import in_service
from kodomo.entries.conditions import Conditions
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.meeting import BANDS_JA, STATES_JA, Filters, Item, agenda, band, facts_at_decision, of_state
from kodomo.entries.store import ConflictError
from kodomo.home import Home
from kodomo.parameters import labels
from kodomo.warehouse import records
from superset_config.pages.base import (
    as_pdf,
    audit,
    is_readable,
    page_number,
    printed,
    route,
    store,
    typed,
    url_of,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.views.agenda import AgendaPages
from superset_config.pages.views.leavers import LeaversPage, leavers_in_reach
from superset_config.pages.words import (
    EFFECTS_JA,
    OTHER_CHANGED_JA,
    SAVED_NOW_JA,
)

ON_A_PAGE = 50


class MeetingPage(AgendaPages):
    """会議."""

    page, title = "meeting", "会議"

    def _items(self, reach: Reach) -> tuple[list[Item], Filters, dt.date]:
        filters, on = self._filters(), self._on()
        return agenda(reach.children().values(), store(), on, filters, self._changes(reach)), filters, on

    @route("/")
    def index(self, reach: Reach) -> str:
        """The list."""
        filters, on = self._filters(), self._on()
        children = reach.children().values()
        everybody = agenda(children, store(), on, dataclasses.replace(filters, state="all"), self._changes(reach))
        items = of_state(everybody, filters.state)
        areas = {c["area_code"]: c["area_name"] for c in children if c.get("area_code")}
        tiers = {c["tier"]: (-int(c.get("tier_rank") or 0), c["tier_label"]) for c in children}

        pages = max(1, -(-len(items) // ON_A_PAGE))
        page = min(page_number(request.args.get("page", "")), pages)
        bands = [band(item, on) for item in items]
        shown = range((page - 1) * ON_A_PAGE, min(page * ON_A_PAGE, len(items)))
        return self.show(
            "meeting.html",
            reach,
            decision_labels=labels("decision"),
            items=items,
            groups=[(BANDS_JA[key], [items[i] for i in places]) for key, places in groupby(shown, bands.__getitem__)],
            # Where each band begins: the list is in the order of the due date.
            bands=[
                (BANDS_JA[key], bands.count(key), self._address(page=bands.index(key) // ON_A_PAGE + 1))
                for key in BANDS_JA
                if key in bands
            ],
            page=page,
            on_a_page=ON_A_PAGE,
            numbers=[(number, self._address(page=number)) for number in range(1, pages + 1)],
            filters=filters,
            on=on,
            areas=[(code, areas[code]) for code in all_areas() if code in areas],
            tiers=[(code, label) for code, (_, label) in sorted(tiers.items(), key=lambda tier: tier[1])],
            states=[
                (code, label, len(of_state(everybody, code)), self._address(state=code, page=1))
                for code, label in {"open": "検討が要るもの", **STATES_JA, "all": "すべて"}.items()
            ],
            query=self._address(page=page),
            last_seen=Conditions(reach, store(), on).last_seen,
            leavers=sum(leaver.is_open for leaver in leavers_in_reach(reach)),
            leavers_at=url_of(LeaversPage.page),
        )

    @route("/list.pdf")
    def pdf(self, reach: Reach) -> Response:
        """The list on paper."""
        items, filters, on = self._items(reach)
        store().note_access(username(), "meeting_print", found=len(items), shown=[item.person_id for item in items])
        audit("meeting_print")
        html = printed(
            "print_meeting.html",
            decision_labels=labels("decision"),
            items=items,
            filters=filters,
            on=on,
            states=STATES_JA,
            who=username(),
        )
        return as_pdf(html, f"meeting-{on:%Y%m%d}.pdf")

    @route("/effect")
    def effect(self, reach: Reach) -> str:
        """What came of decisions and support: numbers of the whole city, with what they cannot say."""
        with in_service(Home.from_environment()) as (connection, _):
            try:
                # As published: who is fewer than five is no number here either.
                effects = records(
                    connection,
                    "select * from warehouse.marts.bi_support_effect "
                    "order by measure_order, people desc nulls last, group_code, second_code",
                )
            except duckdb.CatalogException:
                effects = []
        measures: dict[str, list[dict[str, Any]]] = {}
        for row in effects:
            measures.setdefault(row["measure"], []).append(row)
        return self.show("effect.html", reach, measures=measures, titles=EFFECTS_JA)

    @route("/child", "POST")
    def child(self, reach: Reach) -> str:
        """One child: what was decided, and the forms for decision and support."""
        return self._child(reach, self.chosen(reach))

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep a decision: always a new row."""
        return self._keep(reach, "decision")

    @route("/support", "POST")
    def support(self, reach: Reach) -> Any:
        """Keep a support that was given."""
        return self._keep(reach, "support")

    def _keep(self, reach: Reach, name: str) -> Any:
        child = self.chosen(reach)
        form = self._decision_form(reach, child) if name == "decision" else forms()[name]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        if wrong:
            return self._child(reach, child, content=content, mistakes=wrong, wrong_form=name), 422
        if name == "decision":
            extras = facts_at_decision(child)
        else:
            decisions = store().current("decision", person_id=child["person_id"])
            extras = {"decision_id": decisions[-1].record_id} if decisions else {}
        self.keep(reach, name, {**content, **extras}, person_id=child["person_id"], saved=SAVED_NOW_JA)
        return self._child(reach, child)

    @route("/support/<uuid:record_id>", "POST")
    def change_support(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """What came of a support: a new version of it."""
        version = store().newest(str(record_id))
        child = reach.child(version.person_id)
        if version.form != "support" or child is None or not is_readable(version, reach):
            abort(404)
        form = forms()["support"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        if wrong:
            flash("、".join(wrong.values()), "error")
            return self._child(reach, child), 422
        extras = {name: version.content[name] for name in ("decision_id",) if name in version.content}
        try:
            store().change(version.record_id, int(typed("base") or 0), {**content, **extras}, by=username())
        except (ConflictError, ValueError):
            flash(OTHER_CHANGED_JA, "error")
            return self._child(reach, child), 409
        flash(SAVED_NOW_JA, "success")
        return self._child(reach, child)
