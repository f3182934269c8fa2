"""個別検討: search, purpose, what was heard, result, record."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from flask import abort, flash, redirect, request

from kodomo.contract import load_contracts
from kodomo.determination.determination import SCOPES_JA, determine
from kodomo.determination.heard import AssessError, Observation, heard_observation, observation_codes
from kodomo.determination.record import keep, result_labels, without_places
from kodomo.determination.results import ChildResult, Determination
from kodomo.determination.service import in_service
from kodomo.entries.store import ConflictError
from kodomo.home import Home
from superset_config.pages.base import (
    EntryPage,
    audit,
    route,
    store,
    typed,
    typed_date,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.views.records import ABOUT

HEARD_ROWS = 4


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
        terms, children, more = self.search(reach, "assess")
        return self._start(reach, found=children, more=more, terms=terms)

    def _prepare(self, reach: Reach, child: dict[str, Any], **context: Any) -> str:
        codes = sorted(observation_codes().values(), key=lambda code: (code["source_id"], code["label_ja"]))
        grouped: dict[str, list[dict[str, str]]] = {}
        for code in codes:
            grouped.setdefault(load_contracts()[code["source_id"]].label, []).append(code)
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
        # Of a household or family, the children that this user may see.
        seen = [part for part in determination.children if reach.child(part.person_id) or scope == "person"]
        determination = dataclasses.replace(determination, children=tuple(seen))
        kept_as = keep(store(), determination, child["person_id"], purpose, username())
        audit("assess")
        return self._shown(reach, child, determination, purpose, kept_as)

    def _shown(
        self, reach: Reach, child: dict[str, Any], determination: Determination, purpose: str, kept_as: str
    ) -> str:
        children = []
        for result in determination.children:
            is_withheld = reach.is_withheld(reach.child(result.person_id) or child)
            children.append((shown_child(result, reach, is_withheld), is_withheld))
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
        records = {
            version.content.get("determination"): version for version in store().current("heard", with_deleted=True)
        }
        heard = [
            {
                **fact,
                "number": number,
                "who": people.get(fact["person_id"], "—"),
                "label": observation_codes()[fact["observation_code"]]["label_ja"],
                "record": records.get(f"{row['determination_id']}/{number}"),
            }
            for number, fact in enumerate(row["heard"])
        ]
        with in_service(Home.from_environment()) as (connection, _):
            labels = result_labels(connection)
        children = [(reach.child(part["person_id"]), part) for part in row["result"] if reach.child(part["person_id"])]
        return self.show(
            "kept.html", reach, row=row, child=child, heard=heard, children=children, scopes=SCOPES_JA,
            labels=labels,
        )  # fmt: skip

    def _mine(self, reach: Reach, determination_id: uuid.UUID) -> tuple[dict[str, Any], dict[str, Any]]:
        row = store().determination(str(determination_id))
        child = reach.child(row["person_id"])
        # Statements heard by another user may reveal a place that is hidden from this scope.
        if child is None or (reach.is_withheld(child) and row["determined_by"] != username()):
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
        self.keep(
            reach,
            "heard",
            {name: str(value) for name, value in content.items() if value is not None},
            person_id=fact["person_id"],
            # The same fact confirmed twice is one record.
            record_id=str(uuid.uuid5(determination_id, number)),
            saved="確認済みの事実として記録しました。次の一括処理から判定に使われます。",
        )
        return redirect(f"{self.route_base}/{determination_id}")

    @route("/<uuid:determination_id>/withdraw", "POST")
    def withdraw(self, reach: Reach, determination_id: uuid.UUID) -> Any:
        """Take a confirmed fact back, with the reason: it counts no more from the next run on."""
        row, _ = self._mine(reach, determination_id)
        number, reason = typed("number"), typed("reason").strip()
        if not number.isdigit() or int(number) >= len(row["heard"]):
            abort(400)
        if not reason:
            flash("取り消す理由を入れてください。", "error")
            return redirect(f"{self.route_base}/{determination_id}")
        version = store().newest(str(uuid.uuid5(determination_id, number)))
        try:
            store().delete(version.record_id, version.version, by=username(), reason=reason)
        except ConflictError:
            flash("この事実はすでに取り消されています。", "warning")
        else:
            flash("取り消しました。次の一括処理から判定に使われません。", "success")
        return redirect(f"{self.route_base}/{determination_id}")


def shown_child(result: ChildResult, reach: Reach, is_withheld: bool) -> ChildResult:
    """A child's result for display; where the place is hidden, so are the fields that reveal it."""
    if reach.scope.is_dv_authorised:
        return result
    return without_places(result, reach.withheld | ({result.person_id} if is_withheld else set()))
