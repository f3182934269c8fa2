"""A full register of which people of an age or an area are missing by more than chance is held."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from kodomo.contract import load_contracts
from kodomo.home import Home
from kodomo.ingest.decisions import decide
from kodomo.ingest.deliveries import Delivery, ingest_landing
from kodomo.ingest.losses import Limit, Loss, load_limits, losses
from kodomo.messages import JAPANESE

SOURCE = "resident_register"
HEADINGS = [column.heading for column in load_contracts()[SOURCE].columns]
AREAS = ("両津", "相川", "佐和田", "金井")
Person = dict[str, str]


def person(number: int, year: int, area: str, **other: str) -> Person:
    """A resident, in households of three."""
    return {
        "宛名番号": str(100000 + number),
        "世帯番号": str(900000 + number // 3),
        "氏名": f"住民 {number}",
        "生年月日": f"{year}-05-05",
        "性別": "1",
        "続柄コード1": "02",
        "住民種別": "1",
        "住民状態": "1",
        "異動事由": "10",
        "異動年月日": "H20.4.1",
        "住民となった年月日": "H20.4.1",
        "郵便番号": "952-0011",
        "旧市町村": area,
        **other,
    }


@pytest.fixture(scope="module")
def people() -> list[Person]:
    """365 people, of whom 73 are children."""
    years = [2008 + number % 18 for number in range(73)] + [1935 + number % 72 for number in range(292)]
    return [person(number, year, AREAS[number % 4]) for number, year in enumerate(years)]


class Register:
    """A landing folder and a home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "landing" / SOURCE
        self.folder.mkdir(parents=True)
        self.home = Home(folder / "var")

    def deliver(self, day: str, people: list[Person]) -> Delivery:
        """Deliver a register and take it."""
        lines = [",".join(HEADINGS), *(",".join(one.get(name, "") for name in HEADINGS) for one in people), ""]
        (self.folder / f"{SOURCE}_{day}.csv").write_bytes("\r\n".join(lines).encode("cp932"))
        (delivery,) = ingest_landing(self.home, self.folder.parent, day)
        assert delivery.rows_rejected == 0
        return delivery


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path)


def without(people: list[Person], leave: Callable[[Person], bool]) -> list[Person]:
    """Those who do not leave."""
    return [one for one in people if not leave(one)]


def test_four_fifths_of_a_register_without_the_children_are_held(register: Register, people: list[Person]) -> None:
    assert register.deliver("20260301", people).status == "loaded"
    children = [one for one in people if one["生年月日"] >= "2008"]
    kept = without(people, lambda one: one in children[:70])
    assert 100 * len(kept) >= 70 * len(people)
    held = register.deliver("20260401", kept)
    assert held.status == "held"
    assert "More people are missing than chance explains since 20260301-resident_register-01" in held.reason
    assert "people aged 6 to 17" in held.reason
    assert "住民" not in held.reason
    # Held, it is not what the next one is compared with; released, it is.
    assert register.deliver("20260402", [*people, person(5000, 1990, "両津")]).status == "loaded"
    assert decide(register.home, held.delivery_id, "release", "so it is", "steward") == "loaded"


@pytest.mark.parametrize("area", AREAS[:2])
def test_an_area_that_is_missing_is_named(register: Register, people: list[Person], area: str) -> None:
    register.deliver("20260301", people)
    held = register.deliver("20260401", without(people, lambda one: one["旧市町村"] == area))
    assert held.status == "held"
    assert f"people of the area {area}" in held.reason
    assert f"people of the area {AREAS[3]}" not in held.reason


def test_removed_and_dead_residents_count_as_missing(register: Register, people: list[Person]) -> None:
    register.deliver("20260301", people)
    moved = [{**one, "住民状態": "2"} if one["旧市町村"] == "相川" else one for one in people]
    assert "people of the area 相川" in (register.deliver("20260401", moved).reason or "")


def test_newcomers_do_not_hide_who_is_missing(register: Register, people: list[Person]) -> None:
    register.deliver("20260301", people)
    others = [{**one, "宛名番号": str(700000 + i)} for i, one in enumerate(people)]
    assert register.deliver("20260401", others).status == "held"


def test_a_month_of_moves_and_deaths_is_taken(register: Register, people: list[Person]) -> None:
    register.deliver("20260301", people)
    chance = random.Random(1)
    gone = {one["宛名番号"] for one in people if chance.random() < 0.03}
    # Spelled otherwise, as other systems do: a number with zeros, an area with 市.
    kept = [
        {
            **one,
            "宛名番号": one["宛名番号"].zfill(15),
            "旧市町村": one["旧市町村"] + "市",
            "生年月日": one["生年月日"].replace("-", "/"),
        }
        for one in without(people, lambda one: one["宛名番号"] in gone)
    ]
    newcomers = [person(5000 + i, 1990, "両津") for i in range(12)]
    assert register.deliver("20260401", kept + newcomers).status == "loaded"


def test_few_people_are_not_judged(register: Register, people: list[Person]) -> None:
    """A family of four of ten people moves away: 60 % are left, which the rule of rows sees."""
    register.deliver("20260301", people[:10])
    held = register.deliver("20260401", people[4:10])
    assert held.status == "held"
    assert "under 70 %" in held.reason
    assert "chance" not in held.reason


def test_limits_name_every_age_once() -> None:
    for compared, oldest in (("register", 150), ("publication", 17)):
        ages = sorted((limit.from_age, limit.to_age) for limit in load_limits(compared) if limit.grouped_by == "age")
        assert [start for start, _ in ages] == [0, *(end + 1 for _, end in ages[:-1])]
        assert ages[-1][1] == oldest


LIMIT = Limit("age", 6, 17, 0.05, 0.10, 20, 0.00001)


@pytest.mark.parametrize(
    ("people", "missing", "years", "is_loss"),
    [
        (73, 70, 0.0, True),
        (20, 20, 0.0, True),
        (19, 19, 0.0, False),
        (20, 5, 0.0, False),
        (20, 8, 0.0, True),
        (1000, 50, 0.0, False),
        (1000, 100, 0.0, True),
        (1000, 100, 1.0, False),
        (1000, 0, 0.0, False),
        (100, 94, 30.0, False),
    ],
)
def test_a_loss_is_more_than_chance(people: int, missing: int, years: float, is_loss: bool) -> None:
    group = [(10, None, number < missing, number < missing) for number in range(people)]
    outside = [(30, "両津", True, True)] * 50
    reported = losses([LIMIT], group + outside, years)
    assert [(loss.group, loss.people, loss.missing) for loss in reported] == (
        [("6 to 17", people, missing)] if is_loss else []
    )


def test_cities_in_which_nothing_happened_are_not_held() -> None:
    """A thousand months at three quarters of the share that a limit allows."""
    chance = random.Random(7)
    held = 0
    for _ in range(1000):
        group = [(10, None, gone, gone) for gone in (chance.random() < 0.04 for _ in range(chance.randrange(20, 400)))]
        held += bool(losses([LIMIT], group, 1 / 12))
    assert held == 0


def test_ages_are_said_in_the_language_of_the_reader() -> None:
    loss = Loss("age", "6 to 17", 73, 70)
    assert str(loss) == "70 of the 73 people aged 6 to 17"
    assert loss.in_words().in_language(JAPANESE) == "6～17 歳の 73 人のうち 70 人"
