"""Forms: search a child, type, change, delete; and the requests of the person concerned."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from flask import abort, flash, redirect, request

from kodomo import clock
from kodomo.determination.service import in_service
from kodomo.entries.forms import Form, clean, forms, mistakes
from kodomo.entries.store import ConflictError, Version
from kodomo.home import Home
from superset_config.pages.base import (
    EntryPage,
    a_record_id,
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
from superset_config.pages.reach import Reach
from superset_config.pages.words import (
    DELETED_JA,
    NO_SCHOOL_JA,
    OTHER_CHANGED_JA,
    PROTECTED_DOCUMENT_JA,
    SAVED_JA,
    SAVED_NOW_JA,
)

# Kept beside the fields of a form.
ABOUT, SCHOOL_NUMBER = "about_child_id", "school_person_no"


class FormPage(EntryPage):
    """The form of forms.yml with the page's own name: search a child, type, change, delete."""

    is_carried_out = True
    """Whether the next run carries out what is typed; otherwise it holds at once."""
    kept: ClassVar[tuple[str, ...]] = (ABOUT, SCHOOL_NUMBER)
    """What stays beside the fields when a record is changed."""

    @property
    def form(self) -> Form:
        """What it asks for."""
        return forms()[self.page]

    @property
    def saved(self) -> str:
        """What is said after something was saved."""
        return SAVED_JA if self.is_carried_out else SAVED_NOW_JA

    def _after(self, _child: dict[str, Any]) -> Any:
        """Where a saved entry about a child leads."""
        return self.back()

    def _list(self, reach: Reach, **context: Any) -> str:
        children = reach.children()
        effects = store().effects()
        rows = [
            {
                "version": version,
                "about": (children.get(about(version)) or {}).get("child_label", "—"),
                "is_open": is_readable(version, reach),
                "shown": self.form.shown(version.content, with_words=is_readable(version, reach)),
                "is_taken": (version.record_id, version.version) in effects,
            }
            for version in reversed(store().current(self.form.name))
            if is_mine(version, reach)
        ]
        return self.show(
            "records.html", reach, form=self.form, rows=rows, is_carried_out=self.is_carried_out, **context
        )

    @route("/")
    def index(self, reach: Reach) -> str:
        """The records within reach, and the search."""
        return self._list(reach, found=None, more=False)

    @route("/search", "POST")
    def find(self, reach: Reach) -> str:
        """Children to choose from."""
        terms, children, more = self.search(reach, self.form.name)
        return self._list(reach, found=children, more=more, terms=terms)

    def _form(self, reach: Reach, child: dict[str, Any], **context: Any) -> str:
        relatives = reach.relatives(child["person_id"]) if self.form.with_family else {}
        given = {"record_id": str(uuid.uuid4()), "base": 0, "content": {}, "mistakes": {}, "history": [], "other": None}
        given["carried_out"] = None
        return self.show("form.html", reach, form=self.form, child=child, relatives=relatives, **{**given, **context})

    @route("/new", "POST")
    def new(self, reach: Reach) -> str:
        """An empty form for the chosen child."""
        return self._form(reach, self.chosen(reach), person_id=typed("person_id"))

    @route("/save", "POST")
    def save(self, reach: Reach) -> Any:
        """Keep a new record."""
        child = reach.child(typed(ABOUT))
        if child is None:
            abort(404)
        person_id = typed("person_id") or child["person_id"]
        if person_id not in {
            child["person_id"],
            *(reach.relatives(child["person_id"]) if self.form.with_family else ()),
        }:
            abort(404)
        content = clean(self.form, request.form)
        wrong = mistakes(self.form, content) or self._wrong(content)
        wrong |= self._repeated(content, person_id, None) if not wrong else {}
        kept = {ABOUT: child["person_id"], **self._facts(child)}
        if self.form.person_kind == "school":
            number = school_number(person_id)
            if number is None:
                wrong = {"": NO_SCHOOL_JA}
            else:
                kept[SCHOOL_NUMBER] = number
        record_id = a_record_id()
        if wrong:
            shown = self._form(reach, child, person_id=person_id, content=content, mistakes=wrong, record_id=record_id)
            return shown, 422
        content |= kept
        self.keep(reach, self.form.name, content, person_id=person_id, record_id=record_id, saved=self.saved)
        return self._after(child)

    def _facts(self, _child: dict[str, Any]) -> dict[str, str]:
        """What is kept of the child beside the fields."""
        return {}

    def _wrong(self, _content: dict[str, str]) -> dict[str, str]:
        """What a page checks beyond its form."""
        return {}

    def _repeated(self, content: dict[str, str], person_id: str, record_id: str | None) -> dict[str, str]:
        """A second record of what may be there once only, such as a month."""
        once = self.form.once_per
        if once is None:
            return {}
        for version in store().current(self.form.name, person_id=person_id):
            if version.record_id != record_id and version.content.get(once) == content.get(once):
                return {once: "同じ内容の入力がすでにあります。一覧からその記録を開いて直してください。"}
        return {}

    def _mine(self, reach: Reach, record_id: uuid.UUID) -> tuple[Version, dict[str, Any]]:
        version = store().newest(str(record_id))
        child = reach.child(about(version))
        if version.form != self.form.name or child is None or not is_mine(version, reach):
            abort(404)
        if not is_readable(version, reach):
            abort(404)
        return version, child

    def _existing(self, reach: Reach, version: Version, child: dict[str, Any], **context: Any) -> str:
        history = store().history(version.record_id)
        given = {"base": version.version, "content": version.content, **context}
        shown = [(old, self.form.shown(old.content)) for old in reversed(history)]
        effect = store().effect(version.record_id, version.version)
        given["carried_out"] = (effect or {}).get("message")
        return self._form(
            reach, child, person_id=version.person_id, record_id=version.record_id, history=shown, **given
        )

    @route("/<uuid:record_id>")
    def edit(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """A record with its history."""
        version, child = self._mine(reach, record_id)
        if version.is_deleted:
            abort(404)
        return self._existing(reach, version, child)

    @route("/<uuid:record_id>", "POST")
    def change(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """Save a change; a concurrent edit is rejected."""
        version, child = self._mine(reach, record_id)
        content = clean(self.form, request.form)
        base = int(typed("base")) if typed("base").isdigit() else 0
        wrong = mistakes(self.form, content) or self._wrong(content)
        wrong |= self._repeated(content, version.person_id or "", version.record_id) if not wrong else {}
        if wrong:
            return self._existing(reach, version, child, content=content, mistakes=wrong, base=base), 422
        extras = {name: version.content[name] for name in self.kept if name in version.content}
        try:
            store().change(version.record_id, base, {**content, **extras}, by=username())
        except ConflictError:
            newest = store().newest(version.record_id)
            if newest.is_deleted:
                flash(DELETED_JA, "error")
                return self.back()
            flash(OTHER_CHANGED_JA, "error")
            other = (newest, self.form.shown(newest.content))
            return self._existing(reach, newest, child, content=content, other=other), 409
        flash(self.saved, "success")
        return self._after(child)

    @route("/<uuid:record_id>/delete", "POST")
    def delete(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """Mark a record as deleted, with the reason."""
        version, child = self._mine(reach, record_id)
        reason = typed("reason").strip()
        if not reason:
            flash("削除の理由を入れてください。", "error")
            return self._existing(reach, version, child), 422
        try:
            store().delete(version.record_id, int(typed("base") or 0), by=username(), reason=reason)
        except (ConflictError, ValueError):
            flash(OTHER_CHANGED_JA, "error")
            return redirect(f"{self.route_base}/{version.record_id}")
        flash("削除しました。" + ("次の一括処理で反映されます。" if self.is_carried_out else ""), "success")
        return self.back()


def about(version: Version) -> str:
    """The child that a record was entered for."""
    return version.content.get(ABOUT) or version.person_id or ""


def school_number(person_id: str) -> str | None:
    """学籍番号 of a child, the newest where there are several."""
    with in_service(Home.from_environment()) as (connection, _):
        rows = connection.execute(
            "select source_key from warehouse.intermediate.int_person__identities "
            "where source_id = 'school_enrolment' and person_id = ? order by source_key desc limit 1",
            [person_id],
        ).fetchall()
    return rows[0][0] if rows else None


class RequestPage(FormPage):
    """本人からの請求: the records of requests, and the document of what is held."""

    page, title = "person_request", "本人からの請求"

    def _wrong(self, content: dict[str, str]) -> dict[str, str]:
        """Deletion of sources that are kept by law is rejected."""
        from kodomo.data_subjects.person_requests import refused_by_law

        return refused_by_law(content)

    @route("/document.pdf", "POST")
    def document(self, reach: Reach) -> Any:
        """Everything held on the person, with sources."""
        from kodomo.data_subjects.disclosure import held_on

        child = reach.child(typed(ABOUT))
        if child is None:
            abort(404)
        person_id = typed("person_id") or child["person_id"]
        if person_id not in reach.relatives(child["person_id"]):
            abort(404)
        if reach.hides_records_of(child, person_id):
            flash(PROTECTED_DOCUMENT_JA, "error")
            return self.back()
        store().note_access(username(), "disclosure_document", person_id=person_id)
        audit("disclosure_document")
        held = held_on(Home.from_environment(), store(), person_id, reach.withheld)
        html = printed("print_disclosure.html", held=held, made_on=clock.today(), who=username())
        return as_pdf(html, "disclosure.pdf")
