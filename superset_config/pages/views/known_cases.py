"""困難事例: reference children of a draft or version: whom it would have found, how early, what they have in common."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median
from typing import Any

from flask import abort, flash, redirect, request
from werkzeug.datastructures import MultiDict

from kodomo.entries.store import ConflictError
from kodomo.errors import UsageError
from kodomo.evaluation.evidence import FEW_CASES
from kodomo.home import Home
from kodomo.keys import read_key
from kodomo.messages import JAPANESE, in_language
from kodomo.publication.tables import pseudonym_of
from kodomo.scoring.definition import Definition
from kodomo.workshop.case_sets import MOST_CHILDREN, CaseSet, CaseSetStore
from kodomo.workshop.drafts import APPROVED, Draft
from kodomo.workshop.known_cases import (
    PAST_DATES,
    FrozenCity,
    KnownCases,
    freeze_city,
    known_cases,
    past_dates,
    pooled,
)
from kodomo.workshop.patterns import LEAST_SUPPORT, Patterns, in_words
from kodomo.workshop.rows import definition_of
from superset_config.pages.base import EntryPage, audit, route, store, typed, username
from superset_config.pages.child_keys import key_of, person_of
from superset_config.pages.reach import Reach
from superset_config.pages.views.models import band_names, difficulty_labels, drafts, tier_names, versions_shown
from superset_config.pages.words import OTHER_CHANGED_JA, SAVED_NOW_JA

BY_OUTCOME = "outcome"
"""The set of all who became a case, beside those that were chosen by hand."""
MISSED_JA, FOUND_JA = "見つからない事例", "見つかる事例"
UNKNOWN_JA = "{count}件は、固定した日の子どもにも、あなたが見られる子どもにも見つかりません：{texts}"
NOBODY_JA = "子どもを選ぶか、番号を入れてください。"
GIVEN_UP_JA = "この集まりをやめました。記録は残ります。"


@dataclass(frozen=True)
class _Side:
    """A draft or version by what names its content: the definition of a name never changes."""

    name: str
    version: str
    definition: Definition = field(compare=False)


ALL_DATES = "all"
"""In the place of a past date: all that are offered, pooled."""


@lru_cache(maxsize=2 * PAST_DATES)
def _frozen(home: Home, _published: str, side: _Side, frozen_on: dt.date) -> FrozenCity:
    return freeze_city(home, side.definition, side.version, frozen_on)


def _city(reach: Reach, chosen: Chosen) -> FrozenCity:
    """The frozen children of the chosen date, or of all dates."""
    dates = [chosen.frozen_on] if chosen.frozen_on else past_dates(reach.home)
    cities = [_frozen(reach.home, reach.publication, chosen.side, date) for date in dates]
    return cities[0] if chosen.frozen_on else pooled(cities)


@dataclass(frozen=True)
class Chosen:
    """What the page is about: a draft or version (``of``), a difficulty type, a past date (None: all of them), and a
    set."""

    of: str
    side: _Side
    difficulty: str
    frozen_on: dt.date | None
    case_set: CaseSet | None

    @property
    def query(self) -> dict[str, str]:
        """The same as the page's address has it."""
        set_id = self.case_set.set_id if self.case_set else BY_OUTCOME
        on = self.frozen_on.isoformat() if self.frozen_on else ALL_DATES
        return {"of": self.of, "type": self.difficulty, "on": on, "set": set_id}


class KnownCasesPage(EntryPage):
    """困難事例."""

    page, title = "known_cases", "困難事例"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The reference children with what the draft gives them, and what the found and the missed have in common."""
        return self._show_cases(reach, self._chosen(reach, request.args))

    def _chosen(self, reach: Reach, asked: Mapping[str, str]) -> Chosen:
        """What was asked for; without it the version in force, its first type, the last date and all outcomes."""
        versions = versions_shown()
        default = next((row["model_version"] for row in versions if row["status"] == "active"), "")
        of = asked.get("of") or default
        side = drafts().side(of)
        definition = side.definition if isinstance(side, Draft) else definition_of(side.texts)
        number = side.version if isinstance(side, Draft) else drafts().in_force.folder().name
        types = _types(definition, side.model_version)
        difficulty = asked.get("type") or next(iter(types), "")
        dates = past_dates(reach.home)
        on = asked.get("on") or dates[0].isoformat()
        set_id = asked.get("set") or BY_OUTCOME
        if difficulty not in types or on not in {ALL_DATES, *map(str, dates)}:
            abort(404)
        case_set = None if set_id == BY_OUTCOME else CaseSetStore(store()).case_set(set_id)
        known_side = _Side(f"{of}/{number}", side.model_version, definition)
        frozen_on = None if on == ALL_DATES else dt.date.fromisoformat(on)
        return Chosen(of, known_side, difficulty, frozen_on, case_set)

    def _show_cases(self, reach: Reach, chosen: Chosen, **context: Any) -> str:
        side, case_set = chosen.side, chosen.case_set
        city = _city(reach, chosen)
        cases = known_cases(city, side.definition, chosen.difficulty, case_set.person_ids if case_set else None)
        labels = _labels(reach, [child.person_id for child in cases.children])
        shown = [child for child in cases.children if child.person_id in labels]
        store().note_access(
            username(), "known_cases", version=side.version, difficulty=chosen.difficulty,
            shown=sorted(child.person_id for child in shown),
        )  # fmt: skip
        audit("known_cases")
        names = band_names(side.definition)
        return self.show(
            "known_cases.html",
            reach,
            chosen=chosen,
            drafts=[draft for draft in drafts().current() if draft.state != APPROVED],
            versions=versions_shown(),
            types=_types(side.definition, side.version),
            dates=past_dates(reach.home),
            sets=CaseSetStore(store()).current(),
            by_outcome=BY_OUTCOME,
            all_dates=ALL_DATES,
            cases=cases,
            figures=_figures(cases),
            children=sorted(shown, key=_order),
            unseen=len(cases.children) - len(shown),
            labels=labels,
            sees_names=bool(reach.children()),
            key_of=key_of,
            names=names,
            tiers=tier_names(side.definition, side.version, chosen.difficulty),
            groups=[
                (MISSED_JA, cases.missed, _said(cases.missed, names, MISSED_JA)),
                (FOUND_JA, cases.found, _said(cases.found, names, FOUND_JA)),
            ],
            least=LEAST_SUPPORT,
            few=FEW_CASES,
            most=MOST_CHILDREN,
            **{"wrong": "", "content": {}, **context},
        )

    @route("/set", "POST")
    def save(self, reach: Reach) -> Any:
        """Keep a set: the ticked children and the typed ones; those whom this account does not see stay in it."""
        chosen = self._chosen(reach, request.form)
        city = _city(reach, chosen)
        kept = chosen.case_set.person_ids if chosen.case_set else frozenset()
        here = _labels(reach, city.ids)
        ticked = {person_of(key) for key in request.form.getlist("children")} & here.keys()
        wanted = {text for text in re.split(r"[\s,、，]+", typed("numbers")) if text}
        by_text = {text: person_id for person_id, label in here.items() for text in (label.number,)}
        # A number is typed as it is, without the zeros before it.
        by_text |= {text.lstrip("0"): person_id for text, person_id in by_text.items()}
        unknown = sorted(text for text in wanted if text not in by_text)
        person_ids = ticked | {by_text[text] for text in wanted if text in by_text} | (kept - here.keys())
        wrong = UNKNOWN_JA.format(count=len(unknown), texts="、".join(unknown)) if unknown else ""
        if not wrong and not person_ids:
            wrong = NOBODY_JA
        return self._keep_set(reach, chosen, person_ids, SAVED_NOW_JA, wrong)

    @route("/give-up", "POST")
    def give_up(self, reach: Reach) -> Any:
        """Give up a set: its versions stay in the record."""
        chosen = self._chosen(reach, request.form)
        if chosen.case_set is None:
            abort(404)
        return self._keep_set(reach, chosen, (), GIVEN_UP_JA, "")

    def _keep_set(self, reach: Reach, chosen: Chosen, person_ids: Iterable[str], said: str, wrong: str) -> Any:
        case_set = chosen.case_set
        name = typed("name") or (case_set.name if case_set else "")
        set_id = case_set.set_id if case_set else ""
        again: dict[str, Any] = {"content": request.form}
        if wrong:
            return self._show_cases(reach, chosen, wrong=wrong, **again), 422
        try:
            set_id = CaseSetStore(store()).save(
                name, person_ids, by=username(), reason=typed("reason"), set_id=set_id,
                seen=int(typed("base")) if typed("base").isdecimal() else 0,
            )  # fmt: skip
        except ConflictError:
            return self._show_cases(reach, chosen, wrong=OTHER_CHANGED_JA, **again), 409
        except UsageError as error:
            return self._show_cases(reach, chosen, wrong=in_language(error, JAPANESE), **again), 422
        store().note_access(username(), "known_case_set", purpose=typed("reason").strip(), shown=sorted(person_ids))
        audit("known_case_set")
        flash(said, "success")
        asked = MultiDict({**chosen.query, "set": set_id if person_ids else BY_OUTCOME})
        query = "&".join(f"{key}={value}" for key, value in asked.items())
        return redirect(f"{self.route_base}/?{query}")


@dataclass(frozen=True)
class Label:
    """What a child is called: its name with its number, or its pseudonym, which is the number then."""

    text: str
    number: str
    is_named: bool


def _labels(reach: Reach, person_ids: Iterable[str]) -> dict[str, Label]:
    """Of these people those whom the account sees, each as the account's own tables call it."""
    if children := reach.children():
        return {
            person_id: Label(children[person_id]["child_label"], person_id, True)
            for person_id in person_ids
            if person_id in children
        }
    seen = reach.pseudonyms()
    if not seen:
        return {}
    key = read_key(reach.home.pseudonym_key)
    pseudonyms = {person_id: pseudonym_of(person_id, key) for person_id in person_ids}
    return {
        person_id: Label(pseudonym, pseudonym, False)
        for person_id, pseudonym in pseudonyms.items()
        if pseudonym in seen
    }


def _types(definition: Definition, version: str) -> dict[str, str]:
    mine = {row["difficulty_type"] for row in definition["risk_tiers"] if row["model_version"] == version}
    return {code: label for code, label in difficulty_labels().items() if code in mine}


def _order(child: Any) -> tuple[Any, ...]:
    """The missed first, then by the score, so that the next to be found stand on top."""
    return (child.is_found, -(child.given.score if child.given else -1), child.person_id)


def _figures(cases: KnownCases) -> dict[str, Any]:
    """How many of the counted children were found and missed, and how many months before the outcome."""
    months = [
        child.outcome.months_before
        for child in cases.counted
        if child.is_found and child.outcome and child.outcome.months_before is not None
    ]
    return {
        "counted": len(cases.counted),
        "is_few": len(cases.counted) < FEW_CASES,
        "found": sum(child.is_found for child in cases.counted),
        "median": median(months) if months else None,
        "least": min(months, default=None),
        "most": max(months, default=None),
    }


def _said(patterns: Patterns, names: Mapping[tuple[str, int], str], group_ja: str) -> dict[str, list[tuple[str, Any]]]:
    return {
        kind: [(in_words(pattern, names, group_ja), pattern) for pattern in found]
        for kind, found in (("rules", patterns.rules), ("hints", patterns.hints))
    }
