"""The agenda of a meeting, child after child, with decisions, participants, minutes and the paper for it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response, abort, flash, redirect, request

from kodomo import clock
from kodomo.child_sheet.sheet import TABLES, ChildSheet, read_sheet
from kodomo.entries.changes import since_batch
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.meeting import (
    AGENDA,
    MEETING_FORM,
    OPEN_STATES,
    REVIEW_MONTHS,
    Filters,
    Item,
    agenda,
    by_rank,
    capacities,
    decision_at,
    facts_at_decision,
    meeting_record,
    months_later,
    on_agenda,
    record_id_of,
    with_agenda,
)
from kodomo.entries.store import Version
from kodomo.parameters import labels, parameter
from superset_config.pages.base import (
    a_record_id,
    as_pdf,
    audit,
    is_mine,
    is_readable,
    page_number,
    printed,
    route,
    store,
    typed,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.views.child import family_picture, shown_entries
from superset_config.pages.views.disputes import disputed_lines
from superset_config.pages.views.meeting_child import MeetingChildPages
from superset_config.pages.words import SAVED_NOW_JA

ITEMS_ON_PAPER = 5
QUICK = {
    **{f"watch-{months}": ("watch", months) for months in REVIEW_MONTHS},
    "none": ("none", 0),
}
"""Decisions of one button: the code of the decision, and months until the review (0: none)."""


class AgendaPages(MeetingChildPages):
    """What the page of the meeting has for its agenda."""

    def _all_items(self, reach: Reach, on: dt.date) -> list[Item]:
        return by_rank(agenda(reach.children().values(), store(), on, Filters(state="all"), self._changes(reach)))

    def _on_agenda(self, reach: Reach, on: dt.date) -> list[Item]:
        """The children of the agenda of a date that are in reach, by rank."""
        ids = on_agenda(meeting_record(store(), self.department(reach), on))
        return [item for item in self._all_items(reach, on) if item.person_id in ids]

    @route("/agenda")
    def agenda(self, reach: Reach) -> str:
        """The agenda: as it was drawn up, or the first by rank as many as a meeting takes."""
        on = self._on()
        record = meeting_record(store(), self.department(reach), on)
        items = [
            item
            for item in self._all_items(reach, on)
            if item.state in OPEN_STATES or item.person_id in on_agenda(record)
        ]
        number = page_number(request.args.get("number", "")) if "number" in request.args else next(iter(capacities()))
        chosen = on_agenda(record) if record else {item.person_id for item in items[:number]}
        store().note_access(
            username(), "meeting_list", found=len(items), shown=sorted(chosen & {i.person_id for i in items})
        )
        audit("meeting_list")
        mine = [item for item in items if item.person_id in chosen]
        return self.show(
            "agenda.html",
            reach,
            on=on,
            record=record,
            is_open=_is_open(record, reach),
            items=items,
            chosen=chosen,
            number=number,
            capacities=capacities(),
            decided={item.person_id: decision_at(item, on) for item in items},
            left=sum(decision_at(item, on) is None for item in mine),
            count=len(mine),
            beyond=len(chosen - set(reach.children())),
            form=forms()[MEETING_FORM],
            decision_labels=labels("decision"),
            months=REVIEW_MONTHS,
            record_id=str(uuid.uuid4()),
        )

    @route("/agenda", "POST")
    def draw_up(self, reach: Reach) -> Any:
        """Keep who is on the agenda, who took part, and the minutes."""
        on, department = self._on(), self.department(reach)
        record = meeting_record(store(), department, on)
        chosen = set(request.form.getlist("person_id"))
        if not chosen <= set(reach.children()):
            abort(404)
        content = clean(forms()[MEETING_FORM], {**request.form.to_dict(), "meeting_on": on.isoformat()})
        if wrong := mistakes(forms()[MEETING_FORM], content):
            flash("、".join(wrong.values()), "error")
            return redirect(f"{self.route_base}/agenda?on={on}")
        if not _is_open(record, reach):
            # What this user may not read stays as it is.
            content |= {name: record.content[name] for name in ("participants", "minutes") if name in record.content}
        content[AGENDA] = with_agenda(record, chosen, reach.children())
        with self.reported_outcome(SAVED_NOW_JA):
            if record is None:
                store().create(
                    MEETING_FORM, content, by=username(), department=department, record_id=record_id_of(department, on)
                )
            else:
                store().change(record.record_id, _base(), content, by=username())
        return redirect(f"{self.route_base}/agenda?on={on}")

    @route("/agenda/watch", "POST")
    def watch_all(self, reach: Reach) -> Any:
        """見守り for the ticked children of the agenda, with one reason."""
        on = self._on()
        open_items = {i.person_id: i for i in self._on_agenda(reach, on) if decision_at(i, on) is None}
        chosen = request.form.getlist("person_id")
        if not set(chosen) <= set(open_items):
            abort(404)
        content = self._decision("watch", _months(), on, {"reason": typed("reason")})
        wrong = mistakes(forms()["decision"], content)
        if "reason" not in content:
            wrong["reason"] = "まとめて見守りにする理由を入れてください。"
        if wrong or not chosen:
            flash("、".join(wrong.values()) or "子どもを選んでください。", "error")
            return redirect(f"{self.route_base}/agenda?on={on}")
        sent = uuid.UUID(a_record_id())
        with self.reported_outcome(f"{len(chosen)}人を見守りとして記録しました。"):
            for person_id in chosen:
                store().create(
                    "decision",
                    {**content, **facts_at_decision(open_items[person_id].child)},
                    by=username(),
                    department=self.department(reach),
                    person_id=person_id,
                    # The same form sent twice is one decision of each child.
                    record_id=str(uuid.uuid5(sent, person_id)),
                )
        return redirect(f"{self.route_base}/agenda?on={on}")

    def _decision(self, decision: str, months: int, on: dt.date, more: Mapping[str, str]) -> dict[str, str]:
        """The content of a decision that agrees with the tier."""
        review = {"review_on": months_later(on, months).isoformat()} if months else {}
        given = {"meeting_on": on.isoformat(), "decision": decision, "agrees_with_tier": "yes", **review, **more}
        return clean(forms()["decision"], given)

    @route("/turn")
    def turn(self, reach: Reach) -> Any:
        """One child of the agenda, by its place on it: why, and the decision beside it."""
        on = self._on()
        items = self._on_agenda(reach, on)
        if not items:
            return redirect(f"{self.route_base}/agenda?on={on}")
        return self._turn(reach, on, items, min(page_number(request.args.get("no", "")), len(items)))

    def _turn(self, reach: Reach, on: dt.date, items: list[Item], number: int, **context: Any) -> str:
        item = items[number - 1]
        child = reach.child(item.person_id) or abort(404)
        store().note_access(username(), "meeting_view", person_id=item.person_id)
        audit("meeting_view")
        given = {"content": {}, "mistakes": {}, "months": None}
        sheet = read_sheet(reach.rows_about(child, TABLES), child)
        return self.show(
            "turn.html",
            reach,
            on=on,
            child=child,
            number=number,
            items=items,
            sheet=sheet,
            genogram=family_picture(sheet),
            decided=decision_at(item, on),
            changes=item.changes if item.decisions else since_batch(sheet.changes),
            decisions=[(v, forms()["decision"].shown(v.content, with_words=is_readable(v, reach)))
                       for v in reversed(item.decisions)],
            marked=disputed_lines(reach, child, sheet),
            assessments=shown_entries(reach, child, "assessment"),
            form=self._decision_form(reach, child),
            decision_labels=labels("decision"),
            review_months=REVIEW_MONTHS,
            record_id=str(uuid.uuid4()),
            **{**given, **context},
        )  # fmt: skip

    @route("/turn", "POST")
    def decide_in_turn(self, reach: Reach) -> Any:
        """Keep the decision about the child at hand, and go on to the next one without."""
        on, child = self._on(), self.chosen(reach)
        items = self._on_agenda(reach, on)
        number = next((n for n, item in enumerate(items, start=1) if item.person_id == child["person_id"]), None)
        if number is None:
            abort(404)
        if typed("copy"):
            return self._turn(reach, on, items, number, content=self._proposal(reach, child, on), months=3)
        form = self._decision_form(reach, child)
        if quick := typed("quick"):
            if quick not in QUICK:
                abort(400)
            content = self._decision(*QUICK[quick], on, {})
        else:
            months = _months()
            content = clean(form, {**request.form.to_dict(), "meeting_on": on.isoformat()})
            if months:
                content["review_on"] = months_later(on, months).isoformat()
        if wrong := mistakes(form, content):
            return self._turn(reach, on, items, number, content=content, mistakes=wrong, months=_months()), 422
        self.keep(reach, "decision", {**content, **facts_at_decision(child)}, person_id=child["person_id"],
                  saved=f"{child['child_label']}：{labels('decision')[content['decision']]}")  # fmt: skip
        return self._next(on, items, number)

    def _next(self, on: dt.date, items: list[Item], number: int) -> Any:
        """To the next child without a decision of this meeting, from the one at hand on; after the last to the list."""
        order = [*range(number + 1, len(items) + 1), *range(1, number)]
        after = next((n for n in order if decision_at(items[n - 1], on) is None), None)
        return redirect(f"{self.route_base}/turn?on={on}&no={after}" if after else f"{self.route_base}/agenda?on={on}")

    def _proposal(self, reach: Reach, child: Mapping[str, Any], on: dt.date) -> dict[str, str]:
        """The proposed supports as a decision to look over before it is saved."""
        proposal = "" if reach.is_withheld(child) else child.get("support_contents") or ""
        lead = parameter("departments")[self.department(reach)]
        return self._decision("support", 0, on, {"support_content": proposal, "lead_agency": lead})

    @route("/correct/<uuid:record_id>", "POST")
    def correct(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """A wrong decision put right: a new version of it, with the reason; the earlier ones stay."""
        version = store().newest(str(record_id))
        child = reach.child(version.person_id)
        is_other = version.form != "decision" or child is None or not is_mine(version, reach)
        if is_other or not is_readable(version, reach):
            abort(404)
        form = self._decision_form(reach, child)
        content = clean(form, request.form)
        reason = typed("correction").strip()
        wrong = list(mistakes(form, content).values()) + ([] if reason else ["訂正の理由を入れてください。"])
        if wrong:
            flash("、".join(wrong), "error")
            return self._child(reach, child), 422
        kept = {name: value for name, value in version.content.items() if name.endswith("_then")}
        with self.reported_outcome("決定を訂正しました。"):
            store().change(version.record_id, _base(), {**content, **kept}, by=username(), reason=reason)
        return self._child(reach, child)

    @route("/agenda.pdf")
    def agenda_pdf(self, reach: Reach) -> Response:
        """The agenda on paper, with the reasons for each child."""
        on = self._on()
        items = self._on_agenda(reach, on)
        record = meeting_record(store(), self.department(reach), on)
        store().note_access(username(), "meeting_print", found=len(items), shown=[item.person_id for item in items])
        audit("meeting_print")
        pages = [
            (item, read_sheet(reach.rows_about(item.child, TABLES), item.child), decision_at(item, on))
            for item in items
        ]
        html = printed(
            "print_agenda.html",
            pages=pages,
            on=on,
            record=record if _is_open(record, reach) else None,
            counted=counted_items,
            most=ITEMS_ON_PAPER,
            decision_labels=labels("decision"),
            who=username(),
            made_on=clock.today(),
        )
        return as_pdf(html, f"agenda-{on:%Y%m%d}.pdf")


def counted_items(sheet: ChildSheet) -> list[str]:
    """The items that weigh most over all active types, each once, with its band."""
    rows = [item for score in sheet.types if not score.is_trial for item in score.items if item.is_counted]
    rows.sort(key=lambda item: -abs(item.points or 0))
    return list(dict.fromkeys(item.words for item in rows))


def _is_open(record: Version | None, reach: Reach) -> bool:
    """Whether participants and minutes may be read: they may name a refuge, or who works for one area."""
    return record is None or reach.scope.is_dv_authorised or record.entered_by == username()


def _base() -> int:
    """The version that the form was made from; 0, which is none, for what is no number."""
    base = typed("base")
    return int(base) if base.isdecimal() and len(base) < 6 else 0


def _months() -> int:
    """Months until the review, by the chosen button; 0 for none."""
    months = typed("review_in")
    return int(months) if months in map(str, REVIEW_MONTHS) else 0
