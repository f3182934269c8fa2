"""The SQL of genogram and chains against a second implementation, over families drawn at random."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pytest

from tests.unit.models.family_warehouse import FamilyWarehouse, Row
from tests.unit.models.genogram_reference import (
    Case,
    Chain,
    Edge,
    Families,
    Marriage,
    Notice,
    Person,
    Pregnancy,
    Stay,
    months_before,
)

AS_OF = [dt.date(2026, 3, 31), dt.date(2024, 2, 29)]
FAMILIES = 60
DAY = dt.timedelta(days=1)


def number(rng: random.Random, taken: set[str]) -> str:
    """A 宛名番号 that tells nothing of age or family."""
    while (drawn := f"{rng.randrange(10**9):015d}") in taken:
        pass
    taken.add(drawn)
    return drawn


def day(rng: random.Random, since: dt.date, until: dt.date) -> dt.date:
    """Some day, ends included."""
    return since + rng.randrange(max((until - since).days, 0) + 1) * DAY


def add_family(families: Families, rng: random.Random, name: str, taken: set[str]) -> None:
    """Up to five generations with everything that chains depend on, and dates on the boundaries."""
    as_of = families.as_of
    members: list[Person] = []
    for generation in range(rng.choice([3, 4, 5])):
        for _ in range(rng.choice([2, 3, 4])):
            born = day(rng, dt.date(1915 + 24 * generation, 1, 1), dt.date(1932 + 24 * generation, 12, 31))
            if rng.random() < 0.08:
                born = dt.date(born.year - born.year % 4, 2, 29)
            if rng.random() < 0.06:
                eighteenth = rng.choice([as_of - DAY, as_of, as_of + DAY])
                born = dt.date(eighteenth.year - 18, eighteenth.month, min(eighteenth.day, 28))
            since = day(rng, born, min(born + 9000 * DAY, max(born, as_of)))
            left = None
            if rng.random() < 0.2:
                left = rng.choice([day(rng, since + DAY, as_of + 900 * DAY), max(as_of, since + DAY)])
            measure = None
            if rng.random() < 0.07:
                measure = rng.choice(
                    [
                        (None, None),
                        (as_of, None),
                        (as_of + DAY, None),
                        (as_of - 90 * DAY, as_of),
                        (as_of - 90 * DAY, as_of + DAY),
                        (None, as_of),
                    ]
                )
            members.append(
                Person(number(rng, taken), born, rng.choice("男女"), since, left, f"own-{len(taken)}", measure)
            )
    families.people |= {person.number: person for person in members}
    for child in members:
        elders = [person for person in members if person.born_on + 13 * 366 * DAY <= child.born_on]
        fathers = [person.number for person in elders if person.sex == "男"]
        mothers = [person.number for person in elders if person.sex == "女"]

        def parent(of: list[str], share: float) -> str | None:
            return rng.choice(of) if of and rng.random() < share else None

        if rng.random() < 0.8:
            father, mother = parent(fathers, 0.6), parent(mothers, 0.9)
            families.notices.append(
                Notice("出生", child.number, father, mother, child.born_on + rng.randrange(14) * DAY)
            )
            if father is None and (father := parent(fathers, 0.3)):
                families.notices.append(
                    Notice("認知", child.number, father, None, day(rng, child.born_on, as_of + 300 * DAY))
                )
        elif mothers and rng.random() < 0.5:
            mother = rng.choice(mothers)
            due = child.born_on + rng.randrange(-9, 10) * DAY
            notice = Pregnancy(f"{len(taken)}-{child.number}", mother, due - 200 * DAY, due, child.number)
            families.pregnancies.append(notice)
        if rng.random() < 0.12 and (father := parent(fathers, 0.8)):
            begun = day(rng, child.born_on, as_of + 300 * DAY)
            kind = rng.choice(["養子縁組", "養子縁組", "特別養子縁組"])
            families.notices.append(Notice(kind, child.number, father, parent(mothers, 0.5), begun))
            if rng.random() < 0.5:
                ended = rng.choice([begun, day(rng, begun, as_of + 300 * DAY)])
                families.notices.append(
                    Notice("離縁", child.number, *rng.choice([(father, None), (None, None)]), ended)
                )
    add_couples(families, rng, members)
    add_stays(families, rng, members, name)
    add_pregnancies(families, rng, members, taken)
    add_cases(families, rng, members, taken)


def add_couples(families: Families, rng: random.Random, members: list[Person]) -> None:
    """Marriages one after the other, ended or not."""
    wives = [person for person in members if person.sex == "女" and rng.random() < 0.5]
    free = [person for person in members if person.sex == "男"]
    rng.shuffle(free)
    for wife in wives:
        begun = wife.born_on + rng.randrange(18, 30) * 366 * DAY
        for husband in (free.pop() for _ in range(min(len(free), rng.choice([1, 1, 2])))):
            families.marriages.append(Marriage("婚姻", husband.number, wife.number, begun))
            if rng.random() < 0.4:
                ended = rng.choice([begun + 500 * DAY, max(begun, families.as_of), max(begun, families.as_of + DAY)])
                families.marriages.append(Marriage("離婚", husband.number, wife.number, ended))
                begun = ended + DAY
            else:
                break


def add_stays(families: Families, rng: random.Random, members: list[Person], name: str) -> None:
    """Households with periods that touch, overlap or leave a gap; one of eleven at once, or of eleven in turn."""
    for home in range(rng.choice([1, 2, 3])):
        size = rng.choice([2, 3, 4, 5, 10, 11])
        chosen = rng.sample(members, min(size, len(members)))
        starts = [day(rng, dt.date(1985, 1, 1), families.as_of + 60 * DAY) for _ in range(2)]
        for place, person in enumerate(chosen):
            since = rng.choice(starts) if rng.random() < 0.7 else day(rng, dt.date(1980, 1, 1), families.as_of)
            if size >= 10 and rng.random() < 0.9:
                since = starts[0]
            until = rng.choice([None, since + 2000 * DAY, since, starts[1], families.as_of, families.as_of + DAY])
            if until is not None and until < since:
                until = None
            relation = "02" if place == 0 else "99"
            if place == 1 and chosen[0].sex != person.sex and rng.random() < 0.5:
                relation = "14" if person.sex == "女" else "13"
            families.stays.append(Stay(person.number, f"{name}-{home}", since, until, relation))
    # One person has one household at a time: an earlier stay ends where a later one begins.
    closed: dict[str, Stay] = {}
    for stay in sorted(families.stays, key=lambda stay: (stay.since, stay.household)):
        before = closed.get(stay.person)
        if before is not None and (before.until is None or before.until > stay.since):
            families.stays.remove(before)
            families.stays.append(Stay(before.person, before.household, before.since, stay.since, before.relation))
        closed[stay.person] = stay
    # Residents on the date are placed by the history, or have none.
    for person in members:
        stays = [stay for stay in families.stays if stay.person == person.number]
        in_force = any(
            stay.since <= families.as_of
            and (stay.until is None or stay.until > families.as_of)
            and (stay.until is None or stay.until > stay.since)
            for stay in stays
        )
        if stays and families.is_resident(person) and not in_force:
            families.stays = [stay for stay in families.stays if stay.person != person.number]


def add_pregnancies(families: Families, rng: random.Random, members: list[Person], taken: set[str]) -> None:
    """Unborn children, one of them notified after the date; not of a mother whose child has just been born."""
    just_born = {
        notice.mother
        for notice in families.notices
        if families.people[notice.child].born_on > families.as_of - 300 * DAY
    }
    for mother in members:
        if mother.sex == "女" and mother.number not in just_born and rng.random() < 0.15:
            notified = rng.choice([families.as_of, families.as_of - 60 * DAY, families.as_of + DAY])
            families.pregnancies.append(
                Pregnancy(f"u{len(taken)}-{mother.number}", mother.number, notified, notified + 180 * DAY)
            )


def add_cases(families: Families, rng: random.Random, members: list[Person], taken: set[str]) -> None:
    """Cases in all three sources on, before and after every boundary."""
    for person in members:
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            adult = dt.date(person.born_on.year + 18, person.born_on.month, min(person.born_on.day, 28))
            oldest = months_before(families.as_of, 120)
            received = rng.choice(
                [
                    day(rng, person.born_on, adult),
                    *(adult + shift * DAY for shift in (-1, 0, 1, 2)),
                    *(oldest + shift * DAY for shift in (-1, 0, 1)),
                    families.as_of,
                    families.as_of + DAY,
                    day(rng, oldest, families.as_of),
                ]
            )
            source = rng.choice(["council_cases", "guidance_centre_cases", "child_consultations"])
            abuse = rng.choice([None, "なし", "身体的虐待", "ネグレクト"])
            families.cases.append(Case(source, f"c{len(families.cases)}", person.number, received, abuse))


def stage(families: Families, warehouse: FamilyWarehouse) -> None:
    """Write the facts as the extracts state them."""

    def register(person: Person) -> Row:
        since, until = person.measure or (None, None)
        return {
            "atena_no": person.number,
            "household_no": person.household,
            "full_name": f"佐渡 {person.number}",
            "full_name_kana": f"サド {person.number}",
            "birth_on": person.born_on,
            "sex_code": "1" if person.sex == "男" else "2",
            "relation_code_1": "99",
            "resident_status_code": "2" if person.left_on else "1",
            "moved_on": person.left_on or person.resident_since,
            "resident_since_on": person.resident_since,
            "support_measure": "DV等支援措置" if person.measure else None,
            "support_measure_from": since,
            "support_measure_until": until,
        }

    warehouse.stage("resident_register", map(register, families.people.values()))
    warehouse.stage(
        "household_history",
        (
            {
                "atena_no": stay.person,
                "household_no": stay.household,
                "relation_code_1": stay.relation,
                "valid_from": stay.since,
                "valid_to": stay.until,
            }
            for stay in families.stays
        ),
    )
    warehouse.stage(
        "parentage",
        (
            {
                "notice_no": f"p{place}",
                "notice_type": notice.kind,
                "child_atena_no": notice.child,
                "father_atena_no": notice.father,
                "mother_atena_no": notice.mother,
                "notified_on": notice.day,
            }
            for place, notice in enumerate(families.notices)
        ),
    )
    warehouse.stage(
        "marriages",
        (
            {
                "notice_no": f"m{place}",
                "notice_type": notice.kind,
                "husband_atena_no": notice.husband,
                "wife_atena_no": notice.wife,
                "notified_on": notice.day,
            }
            for place, notice in enumerate(families.marriages)
        ),
    )
    warehouse.stage(
        "pregnancy_notifications",
        (
            {
                "notification_no": pregnancy.number,
                "mother_atena_no": pregnancy.mother,
                "notified_on": pregnancy.notified_on,
                "due_on": pregnancy.due_on,
                "newborn_atena_no": pregnancy.newborn,
            }
            for pregnancy in families.pregnancies
        ),
    )

    def of_source(source: str) -> list[Case]:
        return [case for case in families.cases if case.source == source]

    warehouse.stage(
        "council_cases",
        (
            {"case_no": case.key, "child_atena_no": case.person, "registered_on": case.day}
            for case in of_source("council_cases")
        ),
    )
    warehouse.stage(
        "child_consultations",
        (
            {
                "consultation_no": case.key,
                "child_atena_no": case.person,
                "received_on": case.day,
                "abuse_type": case.abuse,
            }
            for case in of_source("child_consultations")
        ),
    )
    warehouse.stage(
        "guidance_centre_cases",
        (
            {"centre_case_no": case.key, "full_name": "児相 対象", "received_on": case.day}
            for case in of_source("guidance_centre_cases")
        ),
    )


@pytest.fixture(scope="module", params=AS_OF, ids=str)
def built(request: pytest.FixtureRequest, models: list[tuple[str, str, str]]) -> tuple[Families, FamilyWarehouse]:
    """Families of a date, and what the SQL made of them; who is meant at the guidance centre is decided by people."""
    rng = random.Random(request.param.toordinal())
    families = Families(request.param)
    taken: set[str] = set()
    for place in range(FAMILIES):
        add_family(families, rng, f"h{place}", taken)
    warehouse = FamilyWarehouse(models, request.param)
    stage(families, warehouse)
    warehouse.build(
        [
            {"source_id": case.source, "source_key": case.key, "decision": "link", "person_id": case.person}
            for case in families.cases
            if case.source == "guidance_centre_cases"
        ]
    )
    return families, warehouse


def edges(warehouse: FamilyWarehouse, kind: str) -> set[Edge]:
    """The genogram's edges of a kind, as the SQL has them."""
    return {
        Edge(*row)
        for row in warehouse.rows(
            "select link_type, from_person_id, to_person_id, valid_from, valid_to "
            f"from intermediate.int_family__links where link_type = '{kind}'"
        )
    }


def difference(actual: set[Edge] | set[Chain], expected: set[Edge] | set[Chain]) -> tuple[list[object], list[object]]:
    """What is too much and what is missing: nothing of either when both say the same."""
    return sorted(actual - expected, key=repr)[:3], sorted(expected - actual, key=repr)[:3]


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("parent_of", Families.parent_edges),
        ("partner_of", Families.partner_edges),
        ("shared_household", Families.household_edges),
    ],
)
def test_edges(built: tuple[Families, FamilyWarehouse], kind: str, reference: Callable[[Families], set[Edge]]) -> None:
    families, warehouse = built
    expected = reference(families)
    assert len(expected) > FAMILIES / 4
    assert difference(edges(warehouse, kind), expected) == ([], [])


def test_children_and_their_households(built: tuple[Families, FamilyWarehouse]) -> None:
    families, warehouse = built
    households = families.households()
    assert dict(warehouse.rows("select person_id, household_id from intermediate.int_person__subjects")) == {
        child: households.get(child) for child in families.children()
    }


@pytest.mark.parametrize(("kind", "reference"), [("vertical", Families.vertical), ("horizontal", Families.horizontal)])
def test_chains(
    built: tuple[Families, FamilyWarehouse],
    kind: str,
    reference: Callable[[Families], tuple[set[Chain], dict[str, int]]],
) -> None:
    families, warehouse = built
    chains, values = reference(families)
    assert len(chains) > FAMILIES / 4
    assert len({chain.steps for chain in chains}) == (3 if kind == "vertical" else 4)
    assert {child for child, value in values.items() if value} - {chain.child for chain in chains}
    actual = {
        Chain(*row[:5], (row[5], row[6]))
        for row in warehouse.rows(
            "select person_id, chain_type, end_person_id, steps, path, case_source_id, case_on "
            f"from intermediate.int_chain__{kind} where path is not null"
        )
    }
    assert difference(actual, chains) == ([], [])
    assert (
        dict(warehouse.rows(f"select person_id, value from intermediate.int_chain__values where chain_type = '{kind}'"))
        == values
    )


def test_protected_person_is_not_on_a_path_of_another_child(built: tuple[Families, FamilyWarehouse]) -> None:
    families, warehouse = built
    protected = families.protected()
    paths = warehouse.rows(
        "select path from intermediate.int_chain__vertical where path is not null "
        "union all select path from intermediate.int_chain__horizontal where path is not null"
    )
    assert any(path.split(">")[0] in protected for (path,) in paths)
    assert not any(protected & set(path.split(">")[1:]) for (path,) in paths)
