"""個票: one child, who it is, why its score is what it is, its family, what happened when."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from flask import abort, redirect, request
from markupsafe import Markup

from kodomo import clock
from kodomo.child_sheet import genogram, timeline, waterfall, words
from kodomo.child_sheet.explanation import TABLES as EXPLAINED_BY
from kodomo.child_sheet.explanation import explain
from kodomo.child_sheet.genogram import in_words
from kodomo.child_sheet.sheet import TABLES, ChildSheet, read_sheet
from kodomo.determination.disputed import fact_at
from kodomo.entries.changes import Change, since_batch, since_decision
from kodomo.entries.disputes import FORM as DISPUTED
from kodomo.entries.disputes import content_of
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.resources import near
from kodomo.entries.store import Version
from kodomo.entries.visits import FORM as VISIT
from kodomo.entries.visits import LastSeen, last_seen, newest_visits
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.parameters import labels, parameter
from superset_config.pages.base import (
    MAX_PURPOSE,
    EntryPage,
    as_pdf,
    audit,
    is_mine,
    is_readable,
    printed,
    route,
    store,
    typed,
    username,
)
from superset_config.pages.child_keys import person_of
from superset_config.pages.reach import Reach
from superset_config.pages.views.disputes import disputed_lines
from superset_config.pages.views.plans import handing_obstacle


class ChildPage(EntryPage):
    """個票."""

    page, title = "child", "個票"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The search."""
        return self.show("child_search.html", reach, found=None, more=False)

    @route("/search", "POST")
    def find(self, reach: Reach) -> str:
        """Children to choose from."""
        terms, children, more = self.search(reach, "child")
        return self.show("child_search.html", reach, found=children, more=more, terms=terms)

    @route("/<key>")
    def sheet(self, reach: Reach, key: str) -> Any:
        """The sheet of the child that the key stands for in this session and publication."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        store().note_access(username(), "child_view", person_id=child["person_id"])
        audit("child_view")
        return self._shown(reach, child, key)

    def _shown(self, reach: Reach, child: dict[str, Any], key: str, **context: Any) -> str:
        lane = request.args.get("kind", "")
        return self.show(
            "child.html",
            reach,
            key=key,
            lane=lane if lane in timeline.lanes().labels else None,
            readers=reach.readers(child) if "support_plan" in reach.pages() else {},
            **{"wrong": "", "explain_wrong": "", **self._parts(reach, child), **context},
        )

    def _parts(self, reach: Reach, child: dict[str, Any]) -> dict[str, Any]:
        """What page and print have in common."""
        sheet = read_sheet(reach.rows_about(child, TABLES), child)
        pages = set(reach.pages())
        return {
            "child": child,
            "sheet": sheet,
            "marked": disputed_lines(reach, child, sheet),
            "why": words.why,
            "changed": words.changed(sheet),
            "changes": moved(reach, sheet),
            "sure": words.sure(sheet),
            "lanes": timeline.lanes().labels,
            "genogram": family_picture(sheet),
            "family_words": in_words(sheet.family) if sheet.family else [],
            "timeline": Markup(timeline.draw(sheet.timeline)) if sheet.timeline.events else None,
            "waterfalls": [(score, Markup(picture)) for score in sheet.types if (picture := waterfall.draw(score))],
            "is_withheld": reach.is_withheld(child),
            "may_assess": "assess" in pages,
            "may_decide": "meeting" in pages,
            "may_plan": "support_plan" in pages,
            "may_visit": "visit" in pages,
            "seen": seen_by_reader(reach, child),
            "visits": _visits(reach, child),
            "near": None if reach.is_withheld(child) else near(child, store(), clock.today()),
            "decision_labels": labels("decision"),
            **_entries(reach, child),
        }

    @route("/<key>/print", "POST")
    def pdf(self, reach: Reach, key: str) -> Any:
        """The sheet on paper: for a purpose, which is printed on it and logged."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        purpose = typed("purpose").strip()
        if not purpose or len(purpose) > MAX_PURPOSE:
            wrong = f"印刷の目的を{MAX_PURPOSE}字までで入れてください。"
            return self._shown(reach, child, key, wrong=wrong), 422
        store().note_access(username(), "child_print", purpose=purpose, person_id=child["person_id"])
        audit("child_print")
        html = printed(
            "print_child.html", **self._parts(reach, child), purpose=purpose, who=username(), made_on=clock.today()
        )
        return as_pdf(html, "kohyo.pdf")

    @route("/<key>/dispute", "POST")
    def dispute(self, reach: Reach, key: str) -> Any:
        """Mark a line of the sheet as wrong, for the steward of its holder: the form, and what is sent with it."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        fact = read_sheet(reach.rows_about(child, TABLES), child).facts.get(typed("fact"))
        if fact is None:
            return self._shown(reach, child, key, wrong="指摘する行を選んでください。"), 422
        form = forms()[DISPUTED]
        content = clean(form, {**request.form.to_dict(), "line": fact.words})
        wrong = mistakes(form, content) if typed("send") else {}
        if wrong or not typed("send"):
            shown = self.show(
                "dispute.html", reach, key=key, child=child, fact=fact, form=form, content=content, mistakes=wrong,
                record_id=str(uuid.uuid4()),
            )  # fmt: skip
            return (shown, 422) if wrong else shown
        kept = fact_at(Home.from_environment(), fact.place, fact.person_id)
        if kept is None:
            abort(404)
        self.keep(
            reach, DISPUTED, content_of(kept, content["what_is_wrong"], fact.words), person_id=child["person_id"],
            saved="指摘を保存しました。保有部署のデータ管理担当が確かめます。",
        )  # fmt: skip
        audit("disputed_line_mark")
        return redirect(f"{self.route_base}/{key}")

    @route("/<key>/explain", "POST")
    def explanation(self, reach: Reach, key: str) -> Any:
        """What data led to contact, on paper for the child or a parent: for a purpose, which is printed and logged."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        if "support_plan" not in reach.pages():
            abort(403)
        reader, purpose = typed("person_id"), typed("purpose").strip()
        wrong = handing_obstacle(reach, child, reader, purpose)
        if wrong:
            return self._shown(reach, child, key, explain_wrong=wrong), 422
        store().note_access(
            username(), "child_explanation", purpose=purpose, person_id=child["person_id"], reader_id=reader
        )
        audit("child_explanation")
        html = printed(
            "print_explanation.html",
            child=child,
            explained=explain(reach.rows_about(child, EXPLAINED_BY), child["person_id"], reader),
            reader=reach.readers(child)[reader],
            purpose=purpose,
            who=username(),
            department=parameter("departments")[reach.scope.departments[0]],
            made_on=clock.today(),
        )
        return as_pdf(html, "explanation.pdf")


def moved(reach: Reach, sheet: ChildSheet) -> list[tuple[str, list[Change]]]:
    """What moved the child, by what it is compared with.

    Since the last batch facts alone: of scores, ``words.changed`` says all. What is since the decision stands there.
    """
    decisions = store().current("decision", person_id=sheet.child["person_id"])
    sees_decisions = decisions and reach.table("bi_decision") is not None
    later = list(since_decision(sheet.changes, decisions[-1])) if sees_decisions else []
    facts = [change for change in since_batch(sheet.changes) if change.is_fact and change not in later]
    groups = [("前回の判定のあとに分かったこと", facts), ("前回の決定のあとの変化", later)]
    return [(label, changes) for label, changes in groups if changes]


def family_picture(sheet: ChildSheet) -> Markup | None:
    """The picture of the family; None without relatives, or where it cannot be laid out: the table stands beside it."""
    if sheet.family is None:
        return None
    with contextlib.suppress(KodomoError):
        return Markup(genogram.draw(sheet.family))
    return None


def departments_of_visits(reach: Reach) -> set[str]:
    """Departments whose visits the reader may see: its own, and those whose facts about a child it sees."""
    table = reach.table("bi_observation")
    if table is None:
        return set(reach.scope.departments)
    return {*reach.scope.departments, *(table.grant.holders or parameter("departments"))}


def seen_by_reader(reach: Reach, child: dict[str, Any]) -> LastSeen | None:
    """When the child was last seen, as far as the reader may know by whom."""
    return last_seen(child, newest_visits(store()).get(child["person_id"]), departments_of_visits(reach))


def _visits(reach: Reach, child: dict[str, Any]) -> list[tuple[Version, list[tuple[str, str]]]]:
    """Visits as they are typed, newest first."""
    departments = departments_of_visits(reach)
    return [entry for entry in shown_entries(reach, child, VISIT) if entry[0].department in departments]


def _entries(reach: Reach, child: dict[str, Any]) -> dict[str, Any]:
    """Decisions and supports as they are typed, newest first; for those whose audience has them."""
    shown: dict[str, Any] = {"decisions": None, "supports": None, "assessments": None, "plans": None}
    pages = set(reach.pages())
    for name, form, is_open in (
        ("decisions", "decision", reach.table("bi_decision") is not None),
        ("supports", "support", reach.table("bi_support") is not None),
        ("assessments", "assessment", "assessment" in pages),
        ("plans", "support_plan", "support_plan" in pages),
    ):
        if is_open:
            shown[name] = shown_entries(reach, child, form)
    written = [version for name in ("assessments", "plans") for version, _ in shown[name] or ()]
    shown["opens"] = {v.record_id for v in written if is_mine(v, reach) and is_readable(v, reach)}
    return shown


def shown_entries(reach: Reach, child: dict[str, Any], form: str) -> list[tuple[Version, list[tuple[str, str]]]]:
    """The entries of a form about a child, newest first, each with what this user may read of it."""
    return [
        (version, forms()[form].shown(version.content, with_words=is_readable(version, reach)))
        for version in reversed(store().current(form, person_id=child["person_id"]))
    ]
