"""What the same city delivered on an earlier day."""

from __future__ import annotations

import datetime as dt

import pytest

from synthetic_city.city import SynthError, generate
from synthetic_city.earlier import DATES, PLANNED
from synthetic_city.extracts import BUILDERS
from synthetic_city.parameters import Parameters
from synthetic_city.slips import read_day
from tests.unit.synthetic_city.conftest import SmallCity

pytestmark = pytest.mark.slow

AS_OF, BEFORE = dt.date(2026, 4, 1), dt.date(2025, 10, 1)
SETTINGS = {"residents": 600, "seed": 3, "as_of": AS_OF, "slip_rate": 0.0, "dirty_rate": 0.0}


@pytest.fixture(scope="module")
def last(tmp_path_factory):
    """A city of 600 as of its last day, with what it delivered half a year before beside it."""
    out = tmp_path_factory.mktemp("earlier") / "city"
    return SmallCity(out, generate(out, Parameters(**SETTINGS), earlier=[BEFORE]))


@pytest.fixture(scope="module")
def before(last):
    return SmallCity(last.out, {}, f"earlier/{BEFORE}")


def residents(city):
    return {row["宛名番号"] for row in city.rows("resident_register") if row["住民状態"] == "1"}


def test_people_came_and_left_in_between(last, before):
    then, now = residents(before), residents(last)
    assert then - now
    assert now - then
    assert len(then & now) > 0.9 * len(now)


def test_no_row_knows_of_what_came_later(before):
    later = {}
    for builder in BUILDERS:
        source = builder.__name__
        for row in before.rows(source):
            for name, text in row.items():
                is_event = name.endswith(DATES) and not name.endswith(PLANNED)
                day = read_day(text) if is_event or name.endswith("生年月日") else None
                if day and BEFORE < day <= AS_OF:
                    later.setdefault((source, name), []).append(text)
    assert later == {}


def test_history_and_register_agree_on_that_day(before):
    living = {
        row["宛名番号"]: row["世帯番号"]
        for row in before.rows("household_history")
        if read_day(row["終了年月日"]) is None
    }
    assert living == {
        row["宛名番号"]: row["世帯番号"] for row in before.rows("resident_register") if row["住民状態"] == "1"
    }


def test_rows_are_of_people_with_a_number_on_that_day(before):
    known = {row["宛名番号"] for row in before.rows("resident_register")} | {
        row["宛名番号"] for row in before.rows("household_history")
    }
    for source, name in (("child_allowance", "児童_宛名番号"), ("pregnancy_notifications", "出生児_宛名番号")):
        numbers = {row[name] for row in before.rows(source)} - {""}
        assert numbers
        assert numbers <= known


def test_ends_and_their_reasons_wait_for_their_day(last, before):
    def over(city):
        return {
            (row["児童_宛名番号"], row["入所年月日"])
            for row in city.rows("nursery_enrolment")
            if row["退所年月日"] or row["退所理由"]
        }

    assert over(before) < over(last)


def test_earlier_deliveries_leave_the_last_ones_as_they_are(last, tmp_path):
    alone = tmp_path / "alone"
    generate(alone, Parameters(**SETTINGS))
    for folder in sorted((alone / "landing").iterdir()):
        written = [path.read_bytes() for path in sorted(folder.glob("*.csv"))]
        assert [path.read_bytes() for path in last.files(folder.name)] == written, folder.name
    assert {path.name[-12:] for path in last.files("resident_register")} == {"20260331.csv"}


def test_earlier_day_is_before_the_last(tmp_path):
    with pytest.raises(SynthError, match="before the as-of date"):
        generate(tmp_path / "city", Parameters(**SETTINGS), earlier=[AS_OF])
