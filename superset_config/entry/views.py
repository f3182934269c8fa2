"""The pages: forms, individual determination, meeting, decisions of stewards, requests of the person concerned."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import duckdb
from flask import Response, abort, flash, redirect, request

from orchestration.contract import load_code_lists, load_contracts
from orchestration.home import Home
from orchestration.individual.determination import (
    SCOPES_JA,
    AssessError,
    Observation,
    determine,
    heard_observation,
    in_service,
    observation_codes,
)
from orchestration.individual.record import keep, source_text
from orchestration.meeting import STATES_JA, Filters, Item, agenda, facts_at_decision
from superset_config.entry.forms import Form, clean, forms, mistakes
from superset_config.entry.pages import (
    EntryPage,
    a_record_id,
    as_pdf,
    audit,
    is_mine,
    printed,
    route,
    store,
    typed,
    typed_date,
    username,
)
from superset_config.entry.reach import Reach
from superset_config.entry.store import ConflictError, Version
from superset_config.security.rules import ENTRY_MENU
from superset_config.security.scope import all_areas

HEARD_ROWS = 4
SAVED_JA = "保存しました。次の一括処理で反映されます。"
SAVED_NOW_JA = "保存しました。"
TWICE_JA = "この入力はすでに保存されています。"
OTHER_CHANGED_JA = (
    "あなたが開いたあとで、ほかの職員がこの記録を変更しました。下の「いまの内容」を確かめ、"
    "必要なところを直してもう一度保存してください。"
)
DELETED_JA = "ほかの職員がこの記録を削除しました。"
NO_SCHOOL_JA = "この子どもは学齢簿と結び付いていないため、学校の記録を入れられません。突合の確認を依頼してください。"
EFFECTS_JA = {
    "days_to_support": "把握から支援までの日数",
    "decision_by_tier": "段階ごとの会議の決定",
    "disagreement_by_item": "項目ごとの不同意の割合",
    "item_named_in_disagreement": "不同意の理由に挙がった項目",
    "tier_fell_after_support": "支援の前後で段階が下がった割合",
}
# Kept beside the fields of a form.
ABOUT, SCHOOL_NUMBER = "about_child_id", "school_person_no"


class FormPage(EntryPage):
    """The form of forms.yml with the page's own name: search a child, type, change, delete."""

    @property
    def form(self) -> Form:
        """What it asks for."""
        return forms()[self.page]

    def _list(self, reach: Reach, **context: Any) -> str:
        children = reach.children()
        effects = store().effects()
        rows = [
            {
                "version": version,
                "about": (children.get(about(version)) or {}).get("child_label", "—"),
                "shown": self.form.shown(version.content),
                "is_taken": (version.record_id, version.version) in effects,
            }
            for version in reversed(store().current(self.form.name))
            if is_mine(version, reach)
        ]
        return self.show("records.html", reach, form=self.form, rows=rows, **context)

    @route("/")
    def index(self, reach: Reach) -> str:
        """The records within reach, and the search."""
        return self._list(reach, found=None, more=False)

    @route("/search", "POST")
    def find(self, reach: Reach) -> str:
        """Children to choose from."""
        terms, found, more = self.search(reach, self.form.name)
        return self._list(reach, found=found, more=more, terms=terms)

    def _form(self, reach: Reach, child: dict[str, Any], **context: Any) -> str:
        relatives = reach.relatives(child["person_id"]) if self.form.with_family else {}
        given = {"record_id": str(uuid.uuid4()), "base": 0, "content": {}, "mistakes": {}, "history": [], "other": None}
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
        wrong = mistakes(self.form, content)
        wrong |= self._repeated(content, person_id, None) if not wrong else {}
        kept = {ABOUT: child["person_id"]}
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
        try:
            store().create(
                self.form.name,
                {**content, **kept},
                by=username(),
                department=self._department(reach),
                person_id=person_id,
                record_id=record_id,
            )
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash(SAVED_JA, "success")
        return redirect(f"{self.route_base}/")

    def _department(self, reach: Reach) -> str:
        allowed = reach.access.entry_pages[self.page].departments
        return next(department for department in reach.scope.departments if department in allowed)

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
        if version.form != self.form.name or not is_mine(version, reach) or child is None:
            abort(404)
        return version, child

    def _existing(self, reach: Reach, version: Version, child: dict[str, Any], **context: Any) -> str:
        history = store().history(version.record_id)
        given = {"base": version.version, "content": version.content, **context}
        shown = [(old, self.form.shown(old.content)) for old in reversed(history)]
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
        """Keep a change, unless somebody else was faster."""
        version, child = self._mine(reach, record_id)
        content = clean(self.form, request.form)
        base = int(typed("base")) if typed("base").isdigit() else 0
        wrong = mistakes(self.form, content)
        wrong |= self._repeated(content, version.person_id or "", version.record_id) if not wrong else {}
        if wrong:
            return self._existing(reach, version, child, content=content, mistakes=wrong, base=base), 422
        extras = {name: version.content[name] for name in (ABOUT, SCHOOL_NUMBER) if name in version.content}
        try:
            store().change(version.record_id, base, {**content, **extras}, by=username())
        except ConflictError:
            newest = store().newest(version.record_id)
            if newest.is_deleted:
                flash(DELETED_JA, "error")
                return redirect(f"{self.route_base}/")
            flash(OTHER_CHANGED_JA, "error")
            other = (newest, self.form.shown(newest.content))
            return self._existing(reach, newest, child, content=content, other=other), 409
        flash(SAVED_JA, "success")
        return redirect(f"{self.route_base}/")

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
        flash("削除しました。次の一括処理で反映されます。", "success")
        return redirect(f"{self.route_base}/")


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


class AssessPage(EntryPage):
    """個別検討."""

    page, title = "assess", "個別検討"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The search, and one's own last determinations."""
        return self._start(reach, found=None, more=False)

    def _start(self, reach: Reach, **context: Any) -> str:
        children = reach.children()
        recent = [
            (row, children[row["person_id"]]["child_label"])
            for row in store().determinations(by=username())
            if row["person_id"] in children
        ][:20]
        return self.show("assess.html", reach, recent=recent, scopes=SCOPES_JA, **context)

    @route("/search", "POST")
    def find(self, reach: Reach) -> str:
        """Children to choose from."""
        terms, found, more = self.search(reach, "assess")
        return self._start(reach, found=found, more=more, terms=terms)

    def _prepare(self, reach: Reach, child: dict[str, Any], **context: Any) -> str:
        codes = sorted(observation_codes().values(), key=lambda code: (code["source_id"], code["label_ja"]))
        grouped: dict[str, list[dict[str, str]]] = {}
        for code in codes:
            grouped.setdefault(load_contracts()[code["source_id"]].title.split("（")[0], []).append(code)
        given = {"values": {}, "wrong": ""}
        return self.show(
            "prepare.html",
            reach,
            child=child,
            relatives=reach.relatives(child["person_id"]),
            groups=grouped,
            scopes=SCOPES_JA,
            heard_rows=range(HEARD_ROWS),
            **{**given, **context},
        )

    @route("/prepare", "POST")
    def prepare(self, reach: Reach) -> str:
        """Purpose, what was heard, the date."""
        return self._prepare(reach, self.chosen(reach))

    def _heard(self, reach: Reach, child: dict[str, Any]) -> list[Observation]:
        people = reach.relatives(child["person_id"])
        heard = []
        for number in range(HEARD_ROWS):
            code = typed(f"code_{number}").strip()
            if not code:
                if typed(f"value_{number}").strip():
                    raise AssessError("A value without a fact.", f"{number + 1}行目: 聞いたことを選んでください。")
                continue
            person_id = typed(f"person_{number}") or child["person_id"]
            if person_id not in people:
                abort(404)
            date = typed(f"date_{number}").strip()
            if not date:
                raise AssessError("A fact without a date.", f"{number + 1}行目: 日付を入れてください。")
            heard.append(heard_observation(person_id, code, date, typed(f"value_{number}")))
        return heard

    @route("/result", "POST")
    def result(self, reach: Reach) -> Any:
        """Determine, keep, show."""
        child = self.chosen(reach)
        purpose, scope = typed("purpose").strip(), typed("scope") or "person"
        if scope not in SCOPES_JA:
            abort(400)
        try:
            if not purpose:
                raise AssessError("No purpose.", "目的を入れてください。")
            as_of_text = typed("as_of").strip()
            as_of_on = typed_date("as_of")
            if as_of_text and as_of_on is None:
                raise AssessError("No date.", "基準日を 2026-04-01 のように入れてください。")
            heard = self._heard(reach, child)
            determination = determine(
                Home.from_environment(), child["person_id"], scope=scope, heard=heard, as_of_on=as_of_on
            )
        except AssessError as error:
            return self._prepare(reach, child, values=request.form, wrong=error.ja), 422
        # Of a household or family, those whom this user may see.
        seen = [told for told in determination.children if reach.child(told["person_id"]) or scope == "person"]
        determination = dataclasses.replace(determination, children=tuple(seen))
        kept_as = keep(store(), determination, child["person_id"], purpose, username())
        audit("assess")
        return self._shown(reach, child, determination, purpose, kept_as)

    def _shown(self, reach: Reach, child: dict[str, Any], determination: Any, purpose: str, kept_as: str) -> str:
        children = []
        for told in determination.children:
            known = reach.child(told["person_id"]) or child
            is_withheld = reach.is_withheld(known)
            children.append(shown_child(told, is_withheld))
        people = reach.relatives(child["person_id"])
        heard = [
            (people.get(h.person_id, "—"), h, observation_codes()[h.observation_code]) for h in determination.heard
        ]
        return self.show(
            "result.html",
            reach,
            child=child,
            children=children,
            heard=heard,
            purpose=purpose,
            determination=determination,
            kept_as=kept_as,
            scope_label=SCOPES_JA[determination.scope],
        )

    @route("/<uuid:determination_id>")
    def kept(self, reach: Reach, determination_id: uuid.UUID) -> Any:
        """A determination as it was kept; for the same people as the child itself."""
        row, child = self._mine(reach, determination_id)
        people = reach.relatives(row["person_id"])
        confirmed = {version.content.get("determination") for version in store().current("heard")}
        heard = [
            {
                **fact,
                "number": number,
                "who": people.get(fact["person_id"], "—"),
                "label": observation_codes()[fact["observation_code"]]["label_ja"],
                "is_confirmed": f"{row['determination_id']}/{number}" in confirmed,
            }
            for number, fact in enumerate(row["heard"])
        ]
        children = [(reach.child(told["person_id"]), told) for told in row["result"] if reach.child(told["person_id"])]
        return self.show(
            "kept.html", reach, row=row, child=child, heard=heard, children=children, scopes=SCOPES_JA,
            labels=result_labels(),
        )  # fmt: skip

    def _mine(self, reach: Reach, determination_id: uuid.UUID) -> tuple[dict[str, Any], dict[str, Any]]:
        row = store().determination(str(determination_id))
        child = reach.child(row["person_id"])
        if child is None:
            abort(404)
        return row, child

    @route("/<uuid:determination_id>/confirm", "POST")
    def confirm(self, reach: Reach, determination_id: uuid.UUID) -> Any:
        """Make what was heard a record of its own, now that it is confirmed; with where it comes from."""
        row, child = self._mine(reach, determination_id)
        number = typed("number")
        if not number.isdigit() or int(number) >= len(row["heard"]):
            abort(400)
        fact = row["heard"][int(number)]
        origin = f"{row['determination_id']}/{number}"
        content = {
            "observation_code": fact["observation_code"],
            "observed_on": fact["observed_on"],
            "ended_on": fact["ended_on"],
            "observed_value": fact["value"],
            "observed_text": fact["text_value"],
            "determination": origin,
            ABOUT: child["person_id"],
        }
        try:
            store().create(
                "heard",
                {name: str(value) for name, value in content.items() if value is not None},
                by=username(),
                department=reach.scope.departments[0],
                person_id=fact["person_id"],
                # The same fact confirmed twice is one record.
                record_id=str(uuid.uuid5(determination_id, number)),
            )
        except ConflictError:
            flash("この事実はすでに記録に加えられています。", "warning")
        else:
            flash("確認済みの事実として記録しました。次の一括処理から判定に使われます。", "success")
        return redirect(f"{self.route_base}/{determination_id}")


def shown_child(told: dict[str, Any], is_withheld: bool) -> dict[str, Any]:
    """A child's result for people; where the place is hidden, so is what could tell it."""
    contributions = [
        {**row, "source_text": "" if is_withheld else "、".join(map(source_text, row["sources"]))}
        for row in told["contributions"]
    ]
    hidden = {"area_name": None, "area_code": None, "household_id": None} if is_withheld else {}
    return {**told, "contributions": contributions, "is_withheld": is_withheld, **hidden}


def result_labels() -> dict[str, dict[str, str]]:
    """Labels of difficulties, tiers and items, of what is in service."""
    with in_service(Home.from_environment()) as (connection, _):
        return {
            name: dict(connection.execute(query).fetchall())
            for name, query in {
                "difficulties": "select difficulty_type, label_ja from warehouse.seeds.difficulty_types",
                "tiers": "select tier, any_value(label_ja) from warehouse.seeds.risk_tiers group by tier",
                "items": "select item_code, label_ja from warehouse.seeds.risk_items",
            }.items()
        }


class MeetingPage(EntryPage):
    """会議."""

    page, title = "meeting", "会議"

    def _filters(self) -> tuple[Filters, dt.date]:
        """From the address: codes and dates, no value of a person."""
        given = request.args
        area = given.get("area", "") if given.get("area", "") in all_areas() else ""
        tier = given.get("tier", "") if given.get("tier", "").isidentifier() else ""
        state = given.get("state", "open")
        if state not in {"open", "all", *STATES_JA}:
            state = "open"
        dates = []
        for name in ("due_by", "on"):
            try:
                dates.append(dt.date.fromisoformat(given.get(name, "")))
            except ValueError:
                dates.append(None)
        return Filters(area, tier, state, dates[0]), dates[1] or dt.date.today()

    def _items(self, reach: Reach) -> tuple[list[Item], Filters, dt.date]:
        filters, on = self._filters()
        return agenda(reach.children().values(), store(), on, filters), filters, on

    @route("/")
    def index(self, reach: Reach) -> str:
        """The list."""
        items, filters, on = self._items(reach)
        children = reach.children().values()
        areas = {c["area_code"]: c["area_name"] for c in children if c.get("area_code")}
        tiers = {c["tier"]: c["tier_label"] for c in children}
        return self.show(
            "meeting.html",
            reach,
            items=items,
            filters=filters,
            on=on,
            areas=[(code, areas[code]) for code in all_areas() if code in areas],
            tiers=sorted(tiers.items()),
            states=STATES_JA,
            query=request.query_string.decode("ascii", "ignore"),
        )

    @route("/list.pdf")
    def pdf(self, reach: Reach) -> Response:
        """The list on paper."""
        items, filters, on = self._items(reach)
        store().note_access(username(), "meeting_print", found=len(items), shown=[item.person_id for item in items])
        audit("meeting_print")
        html = printed("print_meeting.html", items=items, filters=filters, on=on, states=STATES_JA, who=username())
        return as_pdf(html, f"meeting-{on:%Y%m%d}.pdf")

    @route("/effect")
    def effect(self, reach: Reach) -> str:
        """What came of decisions and support: numbers of the whole city, with what they cannot say."""
        with in_service(Home.from_environment()) as (connection, _):
            try:
                cursor = connection.execute(
                    "select * from warehouse.marts.fct_support_effect "
                    "order by measure, people desc, group_code, second_code"
                )
            except duckdb.CatalogException:
                measures = {}
            else:
                names = [column[0] for column in cursor.description]
                measures = {}
                for row in cursor.fetchall():
                    told = dict(zip(names, row, strict=True))
                    measures.setdefault(told["measure"], []).append(told)
        return self.show("effect.html", reach, measures=measures, titles=EFFECTS_JA)

    @route("/child", "POST")
    def child(self, reach: Reach) -> str:
        """One child: what was decided, and the forms for decision and support."""
        return self._child(reach, self.chosen(reach))

    def _decision_form(self, reach: Reach, child: dict[str, Any]) -> Form:
        """The form, with the child's own risk items to disagree with."""
        rows = reach.rows("bi_contribution", "person_id = ?", [child["person_id"]])
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
        decisions = store().current("decision", person_id=child["person_id"])
        supports = store().current("support", person_id=child["person_id"])
        given = {"content": {}, "mistakes": {}, "wrong_form": "", "support": None}
        decision_form = self._decision_form(reach, child)
        return self.show(
            "meeting_child.html",
            reach,
            child=child,
            decisions=[(version, decision_form.shown(version.content)) for version in reversed(decisions)],
            supports=[(version, forms()["support"].shown(version.content)) for version in reversed(supports)],
            decision_form=decision_form,
            support_form=forms()["support"],
            decision_id=str(uuid.uuid4()),
            support_id=str(uuid.uuid4()),
            **{**given, **context},
        )

    def _department(self, reach: Reach) -> str:
        allowed = reach.access.entry_pages[self.page].departments
        return next(department for department in reach.scope.departments if department in allowed)

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
        try:
            store().create(
                name,
                {**content, **extras},
                by=username(),
                department=self._department(reach),
                person_id=child["person_id"],
                record_id=a_record_id(),
            )
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash(SAVED_NOW_JA, "success")
        return self._child(reach, child)

    @route("/support/<uuid:record_id>", "POST")
    def change_support(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """What came of a support: a new version of it."""
        version = store().newest(str(record_id))
        child = reach.child(version.person_id)
        if version.form != "support" or child is None:
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


class LinkReviewPage(EntryPage):
    """突合の確認."""

    page, title = "link_review", "突合の確認"

    def _show(self, reach: Reach, **context: Any) -> str:
        form = forms()["link_review"]
        decided: dict[tuple[str, str], Version] = {}
        for version in store().current("link_review"):
            decided[(version.content["source_id"], version.content["source_key"])] = version
        pairs = [
            {**pair, "decided": decided.get((pair["source_id"], pair["source_key"]))} for pair in pairs_in_service()
        ]
        given = {"mistakes": {}, "wrong_pair": None, "typed_reason": ""}
        return self.show(
            "links.html",
            reach,
            form=form,
            pairs=pairs,
            ids=[str(uuid.uuid4()) for _ in pairs],
            titles={name: contract.title.split("（")[0] for name, contract in load_contracts().items()},
            **{**given, **context},
        )

    @route("/")
    def index(self, reach: Reach) -> str:
        """The pairs that wait, side by side."""
        store().note_access(username(), "link_review_list")
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep a decision; the next run follows it."""
        form = forms()["link_review"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        place = (content.get("source_id"), content.get("source_key"), content.get("person_id"))
        if place not in {(p["source_id"], p["source_key"], p["person_id"]) for p in pairs_in_service()}:
            abort(404)
        if wrong:
            return self._show(reach, mistakes=wrong, wrong_pair=place, typed_reason=content.get("reason", "")), 422
        if content["decision"] == "undo":
            content.pop("person_id", None)
        try:
            store().create("link_review", content, by=username(), department="child", record_id=a_record_id())
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash(SAVED_JA, "success")
        return redirect(f"{self.route_base}/")


def pairs_in_service() -> list[dict[str, Any]]:
    """The pairs between the thresholds, as the publication in service has them."""
    with in_service(Home.from_environment()) as (connection, _):
        try:
            cursor = connection.execute("select * from warehouse.intermediate.link_pairs order by all")
        except duckdb.CatalogException:
            # Published without: nothing to review.
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class DeliveryDecisionPage(EntryPage):
    """納品の判断."""

    page, title = "delivery_decision", "納品の判断"

    def _rows(self, reach: Reach) -> list[dict[str, Any]]:
        rows = reach.rows("bi_delivery")
        # The overseeing department has a row per holder's form; one delivery is one row here.
        unique = {row["delivery_id"]: row for row in rows}
        return sorted(unique.values(), key=lambda row: (row["delivered_on"], row["delivery_id"]), reverse=True)

    def _show(self, reach: Reach, **context: Any) -> str:
        decided: dict[str, tuple[Version, Any]] = {}
        for version in store().current("delivery_decision"):
            effect = store().effect(version.record_id, version.version)
            decided[version.content["delivery_id"]] = (version, effect)
        rows = [{**row, "decided": decided.get(row["delivery_id"])} for row in self._rows(reach)]
        given = {"mistakes": {}, "wrong_id": None}
        return self.show(
            "deliveries.html", reach, form=forms()["delivery_decision"], rows=rows,
            ids=[str(uuid.uuid4()) for _ in rows], **{**given, **context},
        )  # fmt: skip

    @route("/")
    def index(self, reach: Reach) -> str:
        """The deliveries of one's own department; the overseeing department's steward sees all."""
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep a decision; the next run carries it out."""
        form = forms()["delivery_decision"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        if content.get("delivery_id") not in {row["delivery_id"] for row in self._rows(reach)}:
            abort(404)
        if wrong:
            return self._show(reach, mistakes=wrong, wrong_id=content["delivery_id"]), 422
        try:
            store().create(
                "delivery_decision",
                content,
                by=username(),
                department=reach.scope.departments[0],
                record_id=a_record_id(),
            )
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash("保存しました。次の一括処理で実行されます。", "success")
        return redirect(f"{self.route_base}/")


class CodeDecisionPage(EntryPage):
    """未知のコードの判断."""

    page, title = "code_decision", "未知のコードの判断"

    def _unknown(self, reach: Reach) -> list[dict[str, Any]]:
        oversees = reach.access.overseeing_department in reach.scope.departments
        with in_service(Home.from_environment()) as (connection, _):
            cursor = connection.execute(
                "select source_id, heading, code_list, delivered_code, sum(row_count)::bigint as row_count "
                "from warehouse.intermediate.int_quality__unknown_codes group by all order by all"
            )
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        contracts = load_contracts()
        return [
            {**row, "source_label": contracts[row["source_id"]].title.split("（")[0]}
            for row in rows
            if oversees or contracts[row["source_id"]].holder in reach.scope.departments
        ]

    def _show(self, reach: Reach, **context: Any) -> str:
        decided = {(v.content["code_list"], v.content["spelling"]): v for v in store().current("code_decision")}
        rows = [
            {**row, "decided": decided.get((row["code_list"], row["delivered_code"]))} for row in self._unknown(reach)
        ]
        given = {"mistakes": {}, "wrong_place": None}
        return self.show(
            "codes.html", reach, form=forms()["code_decision"], rows=rows, lists=load_code_lists(),
            ids=[str(uuid.uuid4()) for _ in rows], **{**given, **context},
        )  # fmt: skip

    @route("/")
    def index(self, reach: Reach) -> str:
        """Codes outside their list."""
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep what a code means; the next run reads it so."""
        form = forms()["code_decision"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        place = (content.get("code_list"), content.get("spelling"))
        if place not in {(row["code_list"], row["delivered_code"]) for row in self._unknown(reach)}:
            abort(404)
        if not wrong and content["code"] not in load_code_lists().get(content["code_list"], {}):
            wrong = {"code": "一覧から選んでください。"}
        if wrong:
            return self._show(reach, mistakes=wrong, wrong_place=place), 422
        earlier = [
            v for v in store().current("code_decision") if (v.content["code_list"], v.content["spelling"]) == place
        ]
        try:
            if earlier:
                store().change(earlier[-1].record_id, earlier[-1].version, content, by=username())
            else:
                store().create(
                    "code_decision",
                    content,
                    by=username(),
                    department=reach.scope.departments[0],
                    # One record per code, whoever is first.
                    record_id=str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, place)))),
                )
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash(SAVED_JA, "success")
        return redirect(f"{self.route_base}/")


class RequestPage(FormPage):
    """本人からの請求: the records of requests, and the document of what is held."""

    page, title = "person_request", "本人からの請求"

    @route("/document.pdf", "POST")
    def document(self, reach: Reach) -> Response:
        """Everything held on the person, with sources."""
        from orchestration.disclosure import held_on

        child = reach.child(typed(ABOUT))
        if child is None:
            abort(404)
        person_id = typed("person_id") or child["person_id"]
        if person_id not in reach.relatives(child["person_id"]):
            abort(404)
        store().note_access(username(), "disclosure_document", person_id=person_id)
        audit("disclosure_document")
        held = held_on(Home.from_environment(), store(), person_id)
        html = printed("print_disclosure.html", held=held, made_on=dt.date.today(), who=username())
        return as_pdf(html, "disclosure.pdf")


SPECIAL = (AssessPage, MeetingPage, LinkReviewPage, DeliveryDecisionPage, CodeDecisionPage, RequestPage)


def add_views(appbuilder: Any) -> None:
    """Register every page of access.yml under its own permission, ``can_use on Entry <page>``."""
    from superset_config.security.access import read_access

    special = {view.page: view for view in SPECIAL}
    for entry in read_access().entry_pages.values():
        base = special.get(entry.name, FormPage)
        view = type(
            f"Entry{entry.name.title().replace('_', '')}",
            (base,),
            {
                "page": entry.name,
                "title": entry.label_ja,
                "route_base": f"/work/{entry.name}",
                "class_permission_name": f"Entry {entry.name}",
                "default_view": "index",
            },
        )
        appbuilder.add_view(
            view, entry.label_ja, label=entry.label_ja, href=f"/work/{entry.name}/", category=ENTRY_MENU,
            category_label=ENTRY_MENU,
        )  # fmt: skip
