"""個票: one child, who it is, why its score is what it is, its family, what happened when."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import request
from markupsafe import Markup

from kodomo import clock
from kodomo.child_sheet import genogram, timeline, waterfall, words
from kodomo.child_sheet.genogram import in_words
from kodomo.child_sheet.sheet import TABLES, ChildSheet, read_sheet
from kodomo.entries.forms import forms
from kodomo.errors import KodomoError
from kodomo.parameters import labels
from superset_config.pages.base import EntryPage, as_pdf, audit, is_readable, printed, route, store, typed, username
from superset_config.pages.child_keys import person_of
from superset_config.pages.reach import Reach

MAX_PURPOSE = 200


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
            **{"wrong": "", **self._parts(reach, child), **context},
        )

    def _parts(self, reach: Reach, child: dict[str, Any]) -> dict[str, Any]:
        """What page and print have in common."""
        sheet = read_sheet(reach.rows_about(child, TABLES), child)
        pages = set(reach.pages())
        return {
            "child": child,
            "sheet": sheet,
            "why": words.why,
            "changed": words.changed(sheet),
            "sure": words.sure(sheet),
            "lanes": timeline.lanes().labels,
            "genogram": family_picture(sheet),
            "family_words": in_words(sheet.family) if sheet.family else [],
            "timeline": Markup(timeline.draw(sheet.timeline)) if sheet.timeline.events else None,
            "waterfalls": [(score, Markup(picture)) for score in sheet.types if (picture := waterfall.draw(score))],
            "is_withheld": reach.is_withheld(child),
            "may_assess": "assess" in pages,
            "may_decide": "meeting" in pages,
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


def family_picture(sheet: ChildSheet) -> Markup | None:
    """The picture of the family; None without relatives, or where it cannot be laid out: the table stands beside it."""
    if sheet.family is None:
        return None
    with contextlib.suppress(KodomoError):
        return Markup(genogram.draw(sheet.family))
    return None


def _entries(reach: Reach, child: dict[str, Any]) -> dict[str, Any]:
    """Decisions and supports as they are typed, newest first; for those whose audience has them."""
    shown: dict[str, Any] = {"decisions": None, "supports": None}
    for name, form, table in (("decisions", "decision", "bi_decision"), ("supports", "support", "bi_support")):
        if reach.table(table) is None:
            continue
        shown[name] = [
            (version, forms()[form].shown(version.content, with_words=is_readable(version, reach)))
            for version in reversed(store().current(form, person_id=child["person_id"]))
        ]
    return shown
