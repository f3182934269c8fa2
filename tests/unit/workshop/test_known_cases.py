"""Reference children made by hand: who is found and missed, who counts, what is never evidence; sets of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kodomo.entries.store import ConflictError, EntryStore, UnknownRecordError
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.scoring.definition import TABLES, Definition
from kodomo.workshop.case_sets import CaseSetStore, take_out
from kodomo.workshop.known_cases import FrozenCity, Given, Outcome, known_cases, pooled
from kodomo.workshop.patterns import in_words

ON = dt.date(2025, 4, 1)
CHILDREN = 200
CASES = range(30)
FOUND = range(12)
KNOWN_BEFORE = 199
TOO_OLD = 198


def who(*places: int) -> np.ndarray:
    met = np.zeros(CHILDREN, dtype=bool)
    met[list(places)] = True
    return met


@pytest.fixture(scope="module")
def definition() -> Definition:
    """Two items that may be evidence, and one that is made from cases."""
    item = {"kind": "observation", "age_from_months": None, "age_to_months": None}
    own = {"model_version": "draft", "difficulty_type": "abuse", "band_no": 1}
    return Definition(
        {
            **{table: [] for table in TABLES},
            "risk_items": [{**item, "item_code": code} for code in ("moves", "late", "consulted")],
            "risk_coefficients": [
                {**own, "item_code": "moves", "coefficient": 2},
                {**own, "item_code": "consulted", "coefficient": 5},
                {**own, "item_code": "late", "coefficient": 9, "difficulty_type": "poverty"},
            ],
        }
    )


@pytest.fixture(scope="module")
def city() -> FrozenCity:
    """30 children became a case, 12 of them found; those found had moved, those missed were late."""
    outcome = {place: Outcome(place in CASES, ON if place in CASES else None, 4 if place in CASES else None)
               for place in range(CHILDREN) if place != KNOWN_BEFORE}  # fmt: skip
    given = {
        place: Given(7 if place in FOUND else 1, "latent" if place in FOUND else "low", place in FOUND)
        for place in range(CHILDREN)
        if place != TOO_OLD
    }
    met = {
        ("moves", 1): who(*FOUND, *range(100, 110)),
        ("late", 1): who(*range(12, 28), *range(110, 120)),
        ("consulted", 1): who(*CASES, KNOWN_BEFORE),
    }
    return FrozenCity(
        "draft", ON, dt.date(2026, 4, 1), tuple(f"{place:015d}" for place in range(CHILDREN)),
        np.full(CHILDREN, 60.0), met, {"abuse": given}, {"abuse": outcome}, {"abuse": frozenset({"consulted"})},
    )  # fmt: skip


def test_the_children_of_an_outcome_are_found_or_missed(city: FrozenCity, definition: Definition) -> None:
    cases = known_cases(city, definition, "abuse")
    assert [child.person_id for child in cases.children] == [f"{place:015d}" for place in CASES]
    assert [child.is_found for child in cases.children] == [place in FOUND for place in CASES]
    assert {child.outcome.months_before for child in cases.children} == {4}
    # The points are those of the type, the heaviest first; that an item is no evidence takes no points away.
    assert cases.children[0].bands == (("consulted", 1, 5), ("moves", 1, 2))
    assert cases.children[20].bands == (("consulted", 1, 5),)
    assert len(cases.counted) == 30
    # All but the child that was known before and the one that is not scored.
    assert cases.people == 198


def test_what_they_have_in_common_is_never_made_from_cases(city: FrozenCity, definition: Definition) -> None:
    cases = known_cases(city, definition, "abuse")
    (missed,), (found,) = cases.missed.rules, cases.found.rules
    assert (missed.bands, missed.support, missed.chosen, missed.met, missed.children) == (
        (("late", 1),),
        16,
        18,
        26,
        198,
    )
    assert (found.bands, found.support, found.chosen, found.met, found.children) == ((("moves", 1),), 12, 12, 22, 198)
    assert in_words(missed, {("late", 1): "遅刻：多い"}, "見つからない事例") == (
        "「遅刻：多い」に当てはまるのは、見つからない事例18人のうち16人（89%）。"
        "比べた子ども全体では198人のうち26人（13.1%）で、6.8倍多い。"
    )


def test_of_a_hand_made_set_those_known_before_are_shown_and_not_counted(
    city: FrozenCity, definition: Definition
) -> None:
    chosen = {f"{place:015d}" for place in (0, 20, 150, TOO_OLD, KNOWN_BEFORE)} | {"gone"}
    cases = known_cases(city, definition, "abuse", chosen)
    by_id = {int(child.person_id): child for child in cases.children}
    assert by_id.keys() == {0, 20, 150, TOO_OLD, KNOWN_BEFORE}
    assert [int(child.person_id) for child in cases.counted] == [0, 20, 150]
    assert by_id[KNOWN_BEFORE].outcome is None
    assert by_id[TOO_OLD].given is None
    assert by_id[150].outcome == Outcome(False, None, None)
    assert cases.absent == 1
    assert (cases.missed.chosen, cases.found.chosen) == (2, 1)
    assert cases.missed.is_few
    assert cases.missed.rules == ()


def test_dates_are_pooled_with_each_case_once_and_each_other_child_once_for_a_date(
    city: FrozenCity, definition: Definition
) -> None:
    later = dt.date(2026, 4, 1)
    # A year later the cases are known, and one more child becomes a case.
    outcomes = {
        place: Outcome(place == 150, later if place == 150 else None, 3 if place == 150 else None)
        for place in city.judged["abuse"]
        if place not in CASES
    }
    next_year = replace(city, frozen_on=later, outcome_until=dt.date(2027, 4, 1), judged={"abuse": outcomes})
    both = pooled([next_year, city])
    cases = known_cases(both, definition, "abuse")
    assert sorted(child.person_id for child in cases.children) == [f"{place:015d}" for place in [*CASES, 150]]
    assert {child.person_id: child.frozen_on for child in cases.children}[f"{150:015d}"] == later
    assert {child.frozen_on for child in cases.children if child.person_id != f"{150:015d}"} == {ON}
    assert cases.people == 198 + 168
    assert (cases.dates, cases.outcome_until) == ((ON, later), dt.date(2027, 4, 1))
    alone = known_cases(city, definition, "abuse")
    assert [child for child in cases.children if child.frozen_on == ON] == list(alone.children)
    # Who was chosen by hand is looked at on the last date on which it counts.
    chosen = known_cases(both, definition, "abuse", [f"{place:015d}" for place in (0, 120, KNOWN_BEFORE)])
    assert {int(child.person_id): child.frozen_on for child in chosen.children} == {
        0: ON, 120: later, KNOWN_BEFORE: later,
    }  # fmt: skip
    assert len(chosen.counted) == 2


def test_a_set_is_kept_with_who_and_when_and_changed_by_one_at_a_time(tmp_path: Path) -> None:
    sets = CaseSetStore(EntryStore(Home(tmp_path / "var")))
    set_id = sets.save(" 会議の事例 ", ["b", "a", "a"], by="aoi", reason="4月の会議")
    (one,) = sets.current()
    assert (one.set_id, one.version, one.name, one.entered_by) == (set_id, 1, "会議の事例", "aoi")
    assert one.person_ids == {"a", "b"}
    sets.save("会議の事例", ["b", "c"], by="ren", set_id=set_id, seen=1)
    with pytest.raises(ConflictError):
        sets.save("会議の事例", ["d"], by="aoi", set_id=set_id, seen=1)
    assert (sets.case_set(set_id).person_ids, sets.case_set(set_id).entered_by) == ({"b", "c"}, "ren")
    for name, people in ((" ", ["a"]), ("x", [str(number) for number in range(501)])):
        with pytest.raises(UsageError):
            sets.save(name, people, by="aoi")
    sets.save("会議の事例", [], by="ren", set_id=set_id, seen=2)
    assert sets.current() == []
    with pytest.raises(UnknownRecordError):
        sets.case_set(set_id)


def test_a_deleted_person_is_in_no_version_of_a_set(tmp_path: Path) -> None:
    sets = CaseSetStore(EntryStore(Home(tmp_path / "var")))
    set_id = sets.save("x", ["a", "b"], by="aoi")
    sets.save("x", ["a", "b", "c"], by="aoi", set_id=set_id, seen=1)
    assert [(one.version, one.person_ids) for one in sets.with_person("c")] == [(2, {"c"})]
    assert [one.version for one in sets.with_person("b")] == [1, 2]
    take_out(sets.store, "b")
    assert sets.with_person("b") == []
    assert sets.case_set(set_id).person_ids == {"a", "c"}
