"""誤りの指摘: what a sheet shows of marked lines, and the steward's page of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
from flask import abort, request

from kodomo.child_sheet.sheet import ChildSheet
from kodomo.contract import load_contracts
from kodomo.determination.disputed import changed_scores, read_disputes, scores_without
from kodomo.determination.heard import observation_codes
from kodomo.determination.results import Score
from kodomo.entries.disputes import ANSWER, OPEN, Dispute, answer_id
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.protection import protected_by_entries
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.publication.places import withheld_places
from superset_config.pages.base import EntryPage, audit, is_readable, route, store, typed, username
from superset_config.pages.reach import Reach
from superset_config.pages.words import SAVED_NOW_JA


@dataclass(frozen=True)
class DisputedLines:
    """The marked lines of a sheet that its reader may know of, the keys of the open ones, and the scores without them.

    ``scores`` is None where they cannot be made; it has only what differs.
    """

    lines: tuple[tuple[Dispute, bool], ...]
    """With whether its words may be read."""
    open_keys: frozenset[str]
    scores: tuple[Score, ...] | None


def disputed_lines(reach: Reach, child: dict[str, Any], sheet: ChildSheet) -> DisputedLines:
    """The marked lines of a child: those on the reader's own sheet, and those that the own department has marked."""
    home, facts = Home.from_environment(), sheet.facts
    known = [
        dispute
        for dispute in read_disputes(home, store(), person_id=child["person_id"])
        if any(place.key in facts for place in dispute.places) or dispute.version.department in reach.scope.departments
    ]
    is_open = [dispute for dispute in known if dispute.state == OPEN]
    scores: tuple[Score, ...] | None = ()
    if is_open and sheet.active:
        types = {score.difficulty_type: score.label for score in sheet.active}
        versions = {score.model_version for score in sheet.active}
        try:
            without = scores_without(home, child["person_id"], is_open)
            scores = tuple(s for s in changed_scores(without, types) if s.model_version in versions)
        except (KodomoError, duckdb.Error):
            scores = None
    return DisputedLines(
        tuple((dispute, is_readable(dispute.version, reach)) for dispute in known),
        frozenset(place.key for dispute in is_open for place in dispute.places),
        scores,
    )


class DisputedLinePage(EntryPage):
    """誤りの指摘: the lines of a steward's own department that staff hold to be wrong, with the answer."""

    page, title = "disputed_line", "誤りの指摘"

    def _show(self, reach: Reach, **context: Any) -> str:
        rows = disputes_of_holder(reach)
        # What staff wrote about a protected family may name a refuge, and their account names the area.
        measured = protected_by_entries(store())
        people = {name for dispute in rows for name in _people_of(dispute)}
        hidden = set()
        if people and not reach.scope.is_dv_authorised:
            hidden = withheld_places(Home.from_environment(), people, measured)
        given = {"mistakes": {}, "wrong_id": None, "content": {}}
        return self.show(
            "disputes.html",
            reach,
            rows=[(dispute, hidden.isdisjoint(_people_of(dispute))) for dispute in rows],
            waiting=sum(dispute.is_waiting for dispute in rows),
            form=forms()[ANSWER],
            sources={name: contract.label for name, contract in load_contracts().items()},
            codes={name: code["label_ja"] for name, code in observation_codes().items()},
            **{**given, **context},
        )

    @route("/")
    def index(self, reach: Reach) -> str:
        """The marked lines, those that wait for an answer first."""
        store().note_access(username(), "disputed_line_list")
        audit("disputed_line_list")
        return self._show(reach)

    @route("/answer", "POST")
    def answer(self, reach: Reach) -> Any:
        """Keep an answer; a later one is a new version of it."""
        marked = {dispute.version.record_id: dispute for dispute in disputes_of_holder(reach)}
        dispute = marked.get(typed("record_id"))
        if dispute is None:
            abort(404)
        content = clean(forms()[ANSWER], request.form)
        record_id = dispute.version.record_id
        if wrong := mistakes(forms()[ANSWER], content):
            return self._show(reach, mistakes=wrong, wrong_id=record_id, content=content), 422
        with self.reported_outcome(SAVED_NOW_JA):
            if dispute.answer is None:
                store().create(
                    ANSWER, content, by=username(), department=self.department(reach),
                    person_id=dispute.version.person_id, record_id=answer_id(record_id),
                )  # fmt: skip
            else:
                base = int(typed("base")) if typed("base").isdecimal() else 0
                store().change(dispute.answer.record_id, base, content, by=username())
        return self.back()


def disputes_of_holder(reach: Reach) -> list[Dispute]:
    """The marked lines that a steward answers for: of the own department's deliveries; the overseeing one's sees all.

    Those that wait come first, then the newest.
    """
    oversees = reach.access.overseeing_department in reach.scope.departments
    contracts = load_contracts()
    mine = [
        dispute
        for dispute in read_disputes(Home.from_environment(), store())
        if oversees
        or (
            (contract := contracts.get(dispute.version.content["source_id"]))
            and contract.holder in reach.scope.departments
        )
    ]
    return sorted(mine, key=lambda dispute: not dispute.is_waiting)


def _people_of(dispute: Dispute) -> set[str]:
    return {dispute.version.person_id or "", dispute.version.content["fact_person_id"]} - {""}
