"""地区: figures, trend, what the area has and lacks, on a page and on paper; and the register of what areas have.

No child is on these pages: counts are those of the area summary, with what is hidden there hidden.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, request

from kodomo import clock
from kodomo.entries.forms import Form, clean, forms, mistakes
from kodomo.entries.resources import FORM, by_kind, gaps, resources
from kodomo.entries.store import ConflictError, Version
from kodomo.seeds import read_seed
from superset_config.pages.base import (
    EntryPage,
    a_record_id,
    as_pdf,
    audit,
    printed,
    route,
    store,
    typed,
    url_of,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.words import DELETED_JA, OTHER_CHANGED_JA, SAVED_NOW_JA

OVERALL, TOTAL = "overall", "total"
MOST_DATES = 8
"""How many as-of dates a trend shows, the newest ones."""


class AreaPage(EntryPage):
    """地区."""

    page, title = "area", "地区"

    @route("/")
    def index(self, reach: Reach) -> str:
        """Every area with its counts and what it has; one's own first."""
        summary, today = _summary(reach), clock.today()
        everything = resources(store(), today)
        rows = []
        for code, name in area_names().items():
            there = [one for one in everything if one.area_code == code]
            places = sum(one.kind.is_place for one in there)
            is_own = code in reach.scope.areas and not reach.scope.has_all_areas
            lacking = sum(len(what) for _, what in gaps(there, today))
            rows.append((code, name, is_own, there, places, lacking))
        audit("areas_view")
        return self.show(
            "areas.html",
            reach,
            rows=sorted(rows, key=lambda row: not row[2]),
            tiers=_tiers(summary),
            counts={(row["area_code"], row["tier"]): row for row in summary if row["difficulty_type"] == OVERALL},
            may_keep=FORM in reach.pages(),
            register_at=url_of(FORM),
            as_of_on=_as_of(summary),
        )

    @route("/<code>")
    def area(self, reach: Reach, code: str) -> str:
        """One area."""
        parts = _parts(reach, code)
        audit("area_view")
        return self.show(
            "area.html", reach, **parts, may_keep=FORM in reach.pages() and code in reach.scope.areas,
            register_at=url_of(FORM),
        )  # fmt: skip

    @route("/<code>/sheet.pdf", "POST")
    def sheet(self, reach: Reach, code: str) -> Any:
        """地区カルテ: the page on paper, for a meeting of the area."""
        parts = _parts(reach, code)
        store().note_access(username(), "area_print", area=code)
        audit("area_print")
        html = printed("print_area.html", **parts, who=username(), made_on=clock.today())
        return as_pdf(html, "chiku-karte.pdf")


def area_names() -> dict[str, str]:
    """The areas by code, in their order."""
    rows = sorted(read_seed("areas"), key=lambda row: row["sort_order"])
    return {row["area_code"]: row["area_name_ja"] for row in rows}


def _parts(reach: Reach, code: str) -> dict[str, Any]:
    """What page and paper of an area have in common; 404 for none of the areas."""
    if code not in area_names():
        abort(404)
    summary, today = _summary(reach), clock.today()
    there = resources(store(), today, code)
    types = sorted({(row["difficulty_order"], row["difficulty_type"], row["difficulty_label"]) for row in summary})
    return {
        "code": code,
        "area_name": area_names()[code],
        "as_of_on": _as_of(summary),
        "tiers": _tiers(summary),
        "types": [(kind, label) for _, kind, label in types],
        "counts": {
            (row["difficulty_type"], row["area_code"], row["tier"]): row
            for row in summary
            if row["area_code"] in (code, TOTAL)
        },
        "is_rounded": _is_rounded(reach),
        "trend": _trend(reach, code),
        "kinds": by_kind(there),
        "to_staff": FORM in reach.pages(),
        "gaps": gaps(there, today),
        "unchecked": {one.version.record_id for one in there if one.is_unchecked(today)},
    }


def _summary(reach: Reach) -> list[dict[str, Any]]:
    return reach.rows("bi_area_summary")


def _as_of(summary: list[dict[str, Any]]) -> Any:
    return next((row["as_of_on"] for row in summary), None)


def _is_rounded(reach: Reach) -> bool:
    table = reach.table("bi_area_summary")
    return table is not None and table.grant.is_rounded


def _tiers(summary: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Code and label of each tier that is counted, gravest first, then all of them."""
    labels = {row["tier"]: (row["tier_rank"] or 0, row["tier_label"]) for row in summary}
    graded = sorted((tier for tier in labels if tier != TOTAL), key=lambda tier: (-labels[tier][0], tier))
    return [(tier, labels[tier][1]) for tier in (*graded, *([TOTAL] if TOTAL in labels else []))]


def _trend(reach: Reach, code: str) -> list[tuple[Any, dict[str, dict[str, Any]]]]:
    """As-of dates, oldest first, each with the count of every tier as it was shown then; empty without the table."""
    by_date: dict[Any, dict[str, dict[str, Any]]] = {}
    for row in reach.rows("bi_area_trend", "area_code = ?", [code]):
        by_date.setdefault(row["counted_on"], {})[row["tier"]] = row
    return sorted(by_date.items())[-MOST_DATES:]


class AreaResourcePage(EntryPage):
    """地区の場所と人: the register of what the areas of one's scope have."""

    page, title = FORM, "地区の場所と人"

    @route("/")
    def index(self, reach: Reach) -> str:
        """What the areas of the scope have, by area."""
        today = clock.today()
        there = [one for one in resources(store(), today) if one.area_code in reach.scope.areas]
        areas = [
            (code, name, [one for one in there if one.area_code == code])
            for code, name in area_names().items()
            if code in reach.scope.areas
        ]
        return self.show(
            "resources.html", reach, areas=areas, area_at=url_of(AreaPage.page),
            unchecked={one.version.record_id for one in there if one.is_unchecked(today)},
        )  # fmt: skip

    def _form_of(self, reach: Reach) -> Form:
        """The form with the areas of the scope to choose from."""
        form = forms()[FORM]
        own = {code: name for code, name in area_names().items() if code in reach.scope.areas}
        fields = tuple(replace(one, choices=own) if one.name == "area_code" else one for one in form.fields)
        return replace(form, fields=fields)

    def _shown(self, reach: Reach, **context: Any) -> str:
        given = {"record_id": str(uuid.uuid4()), "base": 0, "content": {}, "mistakes": {}, "history": [], "other": None}
        return self.show("resource.html", reach, form=self._form_of(reach), **{**given, **context})

    @route("/new")
    def new(self, reach: Reach) -> str:
        """An empty form, for the area that the link names."""
        area, today = request.args.get("area", ""), clock.today()
        return self._shown(reach, content={"area_code": area, "checked_on": today.isoformat()})

    @route("/save", "POST")
    def save(self, reach: Reach) -> Any:
        """Keep a new entry."""
        form = self._form_of(reach)
        content = clean(form, request.form)
        record_id = a_record_id()
        if wrong := mistakes(form, content):
            return self._shown(reach, content=content, mistakes=wrong, record_id=record_id), 422
        self.keep(reach, FORM, content, record_id=record_id, saved=SAVED_NOW_JA)
        return self.back()

    def _mine(self, reach: Reach, record_id: uuid.UUID) -> Version:
        """The newest version of an entry about an area of the scope; 404 for others."""
        version = store().newest(str(record_id))
        if version.form != FORM or version.content.get("area_code") not in reach.scope.areas:
            abort(404)
        return version

    def _existing(self, reach: Reach, version: Version, **context: Any) -> str:
        shown = forms()[FORM].shown
        history = [(old, shown(old.content)) for old in reversed(store().history(version.record_id))]
        given = {"record_id": version.record_id, "base": version.version, "content": version.content}
        return self._shown(reach, **{**given, "history": history, **context})

    @route("/<uuid:record_id>")
    def edit(self, reach: Reach, record_id: uuid.UUID) -> str:
        """An entry with its history."""
        version = self._mine(reach, record_id)
        if version.is_deleted:
            abort(404)
        return self._existing(reach, version)

    @route("/<uuid:record_id>", "POST")
    def change(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """Save a change; a concurrent edit is rejected."""
        version, form = self._mine(reach, record_id), self._form_of(reach)
        content = clean(form, request.form)
        base = int(typed("base")) if typed("base").isdecimal() else 0
        if wrong := mistakes(form, content):
            return self._existing(reach, version, content=content, mistakes=wrong, base=base), 422
        try:
            store().change(version.record_id, base, content, by=username())
        except ConflictError:
            newest = store().newest(version.record_id)
            if newest.is_deleted:
                flash(DELETED_JA, "error")
                return self.back()
            flash(OTHER_CHANGED_JA, "error")
            other = (newest, form.shown(newest.content))
            return self._existing(reach, newest, content=content, other=other), 409
        flash(SAVED_NOW_JA, "success")
        return self.back()

    @route("/<uuid:record_id>/check", "POST")
    def check(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """Say that an entry is still as it stands: a new version of it, checked today."""
        version = self._mine(reach, record_id)
        base = int(typed("base")) if typed("base").isdecimal() else 0
        content = {**version.content, "checked_on": clock.today().isoformat()}
        with self.reported_outcome(SAVED_NOW_JA):
            store().change(version.record_id, base, content, by=username())
        return self.back()

    @route("/<uuid:record_id>/delete", "POST")
    def delete(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """Mark an entry as deleted, with the reason."""
        version, reason = self._mine(reach, record_id), typed("reason").strip()
        if not reason:
            flash("削除の理由を入れてください。", "error")
            return self._existing(reach, version), 422
        try:
            base = int(typed("base")) if typed("base").isdecimal() else 0
            store().delete(version.record_id, base, by=username(), reason=reason)
        except ConflictError:
            flash(OTHER_CHANGED_JA, "error")
            return redirect(f"{self.route_base}/{version.record_id}")
        flash("削除しました。", "success")
        return self.back()
