"""What a determination shows of a chain, and a review of a pair, to each scope."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import ClassVar

import pytest

from kodomo import clock
from kodomo.access.scope import Scope, all_areas
from kodomo.determination.results import Chain, ChildResult
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.linkage.explain import WITHHELD
from superset_config.pages.reach import Reach
from superset_config.pages.views.assess import shown_child
from superset_config.pages.views.stewards import shown_pairs
from tests.unit.publication.published import publish_people


def chain(path_ids: list[str], path: list[str], *, is_dv_protected: bool) -> Chain:
    case_on = dt.date(2026, 1, 1)
    return Chain(
        "horizontal", 2, path_ids, path, is_dv_protected, path_ids[-1], "council_cases", case_on, "横の連鎖", "要対協"
    )


OPEN = chain(["a", "m", "e"], ["子a", "母", "端の人"], is_dv_protected=False)
PROTECTED = chain(["a", "m", "p"], ["子a", "母", "守られる子"], is_dv_protected=True)
PEOPLE = [
    ("a", "home", False), ("m", "refuge", False), ("grandmother", "refuge", False), ("e", "away", False),
    ("p", "hidden", True),
]  # fmt: skip
CHILD = ChildResult(
    person_id="a",
    display_name="子a",
    kana=None,
    birth_on=dt.date(2020, 1, 1),
    expected_birth_on=None,
    sex="女",
    is_unborn=False,
    age_months=72,
    area_code="ryotsu",
    area_name="両津",
    household_id="h",
    is_known_to_services=False,
    is_dv_protected=False,
    due_by_on=None,
    known_by=(),
    scores=(),
    contributions=(),
    chains=(OPEN, PROTECTED),
    priority=None,
    support_contents=(),
    missing=(),
    unanswered=(),
)


def paths(reach: Reach, *, is_withheld: bool = False) -> list[list[str] | None]:
    return [shown.path for shown in shown_child(CHILD, reach, is_withheld).chains]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "var")
    publish_people(home, PEOPLE)
    return home


def scope(*, is_dv_authorised: bool) -> Scope:
    return Scope.of(["child"], all_areas(), ["case_worker"], is_dv_authorised)


def test_path_with_a_protected_person_needs_permission_for_the_place(home: Home) -> None:
    assert paths(Reach(home, scope(is_dv_authorised=False))) == [OPEN.path, None]
    assert paths(Reach(home, scope(is_dv_authorised=True))) == [OPEN.path, PROTECTED.path]


def test_a_child_whose_place_is_withheld_shows_no_path(home: Home) -> None:
    reach = Reach(home, scope(is_dv_authorised=False))
    assert paths(reach, is_withheld=True) == [None, None]
    shown = shown_child(CHILD, reach, is_withheld=True)
    assert (shown.area_code, shown.area_name, shown.household_id) == (None, None, None)


def test_measure_heard_by_telephone_hides_a_path_at_once(home: Home) -> None:
    store = EntryStore(home)
    content = {"measure_from": "2020-01-01", "about_child_id": "e"}
    store.create("support_measure", content, by="aoi", department="child", person_id="m")
    assert paths(Reach(home, scope(is_dv_authorised=False), store=store)) == [None, None]
    assert paths(Reach(home, scope(is_dv_authorised=True), store=store)) == [OPEN.path, PROTECTED.path]


@pytest.mark.parametrize(("days_over", "is_hidden"), [(0, True), (1, False)])
def test_measure_heard_by_telephone_protects_on_its_last_day(home: Home, days_over: int, is_hidden: bool) -> None:
    store = EntryStore(home)
    last_day = clock.today() - dt.timedelta(days=days_over)
    content = {"measure_from": "2020-01-01", "measure_until": last_day.isoformat()}
    store.create("support_measure", content, by="aoi", department="child", person_id="m")
    shown = paths(Reach(home, scope(is_dv_authorised=False), store=store))
    assert shown == ([None, None] if is_hidden else [OPEN.path, None])


def places(reach: Reach, **pair: object) -> set[str | None]:
    """Every address and guardian that a reach is shown of a pair of the person m."""
    sides = {f"{whose}_{side}": "佐渡市両津夷" for whose in ("record", "register") for side in ("address", "guardian")}
    record = {"source_id": "guidance_centre_cases", "source_key": "1", "record_name": "本間花子"}
    (shown,) = shown_pairs([{"person_id": "m", **record, **sides, **pair}], reach)
    assert shown["record_name"] == "本間花子"
    return {shown[side] for side in sides}


def test_pair_to_review_hides_the_place_of_a_protected_person(home: Home) -> None:
    store = EntryStore(home)
    steward, authorised = (Reach(home, scope(is_dv_authorised=may), store=store) for may in (False, True))
    assert places(steward, is_dv_protected=False) == {"佐渡市両津夷"}
    assert places(steward, is_dv_protected=True) == places(steward) == {WITHHELD}
    assert places(authorised, is_dv_protected=True) == {"佐渡市両津夷"}
    store.create("support_measure", {"measure_from": "2020-01-01"}, by="aoi", department="child", person_id="m")
    reach = Reach(home, scope(is_dv_authorised=False), store=store)
    assert places(reach, is_dv_protected=False) == {WITHHELD}


class ReadReach(Reach):
    """A reach over rows made by hand, in which p is under a measure reported by telephone and lives with q."""

    tables: ClassVar = {
        "bi_family_member": [
            {"person_id": "c", "from_person_id": "m", "to_person_id": "c", "from_household_id": "h"},
            {"person_id": "c", "from_person_id": "p", "to_person_id": "c", "from_household_id": "h"},
            {"person_id": "c", "from_person_id": "q", "to_person_id": "c", "from_household_id": "h"},
        ],
        "bi_chain_step": [
            {"person_id": "c", "chain_type": "horizontal", "end_person_id": end, "step_person_id": step,
             "step_label": step}
            for end, step in (("e", "p"), ("e", "e"), ("f", "f"))
        ],
        "bi_chain": [
            {"person_id": "c", "chain_type": "horizontal", "end_person_id": end, "path_label": "x"} for end in "ef"
        ],
    }  # fmt: skip

    def rows(self, source: str, *_: object) -> list[dict[str, object]]:
        return [dict(row) for row in self.tables[source]]


@pytest.mark.parametrize("areas", [["*"], ["ryotsu"]])
def test_measure_heard_by_telephone_hides_places_and_ways_of_relatives_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch, areas: list[str]
) -> None:
    monkeypatch.setattr(
        "superset_config.pages.reach.withheld_places", lambda _home, ids, _entered: {"p", "q"} & set(ids)
    )
    store = EntryStore(home)
    store.create("support_measure", {"measure_from": "2020-01-01"}, by="aoi", department="child", person_id="p")
    child = {"person_id": "c"}
    reach = ReadReach(home, Scope.of(["child"], areas, ["case_worker"]), store=store)
    tables = reach.rows_about(child, ReadReach.tables)
    homes = {row["from_person_id"]: row["from_household_id"] for row in tables["bi_family_member"]}
    steps = [(row["end_person_id"], row["step_label"]) for row in tables["bi_chain_step"]]
    paths = {row["end_person_id"]: row["path_label"] for row in tables["bi_chain"]}
    if areas == ["*"]:
        assert homes == {"m": "h", "p": None, "q": None}
        assert steps == [("e", None), ("e", None), ("f", "f")]
        assert paths == {"e": None, "f": "x"}
    else:
        assert (homes, steps, paths) == ({"m": "h"}, [("f", "f")], {"f": "x"})
    authorised = ReadReach(home, Scope.of(["child"], areas, ["case_worker"], True), store=store)
    assert authorised.rows_about(child, ReadReach.tables) == ReadReach.tables


def test_pair_to_review_hides_the_place_of_an_adult_in_the_household_of_a_protected_person(home: Home) -> None:
    store = EntryStore(home)
    store.create("support_measure", {"measure_from": "2020-01-01"}, by="aoi", department="child", person_id="m")
    reach = Reach(home, scope(is_dv_authorised=False), store=store)
    assert places(reach, person_id="grandmother", is_dv_protected=False) == {WITHHELD}
    assert places(reach, person_id="a", is_dv_protected=False) == {"佐渡市両津夷"}


def test_path_over_an_adult_who_lives_with_a_protected_person_is_hidden(home: Home) -> None:
    over = chain(["a", "grandmother"], ["子a", "祖母"], is_dv_protected=False)
    store = EntryStore(home)
    child = dataclasses.replace(CHILD, chains=(over,))

    def path() -> list[str] | None:
        reach = Reach(home, scope(is_dv_authorised=False), store=store)
        return shown_child(child, reach, is_withheld=False).chains[0].path

    assert path() == over.path
    store.create("support_measure", {"measure_from": "2020-01-01"}, by="aoi", department="child", person_id="m")
    assert path() is None


@pytest.mark.parametrize(
    ("areas", "shown"),
    [
        # Of a hidden place all areas see the row without it, some areas no row.
        (
            all_areas(),
            {"here": "両津", "hidden": None, "left": "相川", "left and hidden": None, "left, mother hidden": None},
        ),
        (["ryotsu"], {"here": "両津", "hidden": None, "left": "相川"}),
    ],
)
def test_row_about_a_child_who_left_hides_the_place_as_that_of_a_child_does(
    home: Home, areas: list[str], shown: dict[str, str | None]
) -> None:
    reach = Reach(home, Scope.of(["child"], areas, ["case_worker"], False))
    reach._children = {
        "here": {"person_id": "here", "protection": "none"},
        "hidden": {"person_id": "hidden", "protection": "withheld"},
    }
    reach.__dict__["withheld"] = {"left and hidden"}
    reach.__dict__["withheld_leavers"] = {"left, mother hidden"}
    rows = [
        {"person_id": person, "area_name": area, "is_child_now": is_child, "protection": "none"}
        for person, area, is_child in (
            ("here", "両津", True), ("hidden", "相川", True), ("left", "相川", False),
            ("left and hidden", "相川", False), ("left, mother hidden", "相川", False), ("out of reach", "真野", True),
        )
    ]  # fmt: skip
    reach.rows = lambda *_: rows
    assert {row["person_id"]: row["area_name"] for row in reach.followed("bi_status_check")} == shown
