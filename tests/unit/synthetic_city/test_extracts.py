"""The extracts are what the contract says, and agree with each other and with the truth."""

from __future__ import annotations

import ast
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[3]
OPEN_ENDS = ("", "99999999")


def declared() -> dict[str, list[dict]]:
    """The columns of every source that is delivered as an extract, with their meta, in the contract's order."""
    columns_of = {}
    for path in sorted((PROJECT / "models" / "sources").glob("*.yml")):
        for table in YAML(typ="safe").load(path.read_text("utf-8"))["sources"][0]["tables"]:
            columns = [column.get("config", {}).get("meta", {}) for column in table.get("columns", ())]
            # What people type is no extract.
            is_typed = table.get("config", {}).get("meta", {}).get("delivery") == "entry"
            if columns and not is_typed and all("heading" in meta for meta in columns):
                columns_of[table["name"]] = columns
    return columns_of


CONTRACT = declared()
SOURCES = sorted(CONTRACT)


def by_number(rows, column="宛名番号"):
    return {row[column].zfill(15): row for row in rows}


def test_number_of_sources(city):
    assert len(SOURCES) == 36
    assert sorted(path.name for path in (city.out / "landing").iterdir()) == SOURCES


@pytest.mark.parametrize("source", SOURCES)
def test_headings_are_the_contracts_in_its_order(city, source):
    expected = [unicodedata.normalize("NFKC", meta["heading"]) for meta in CONTRACT[source]]
    optional = {unicodedata.normalize("NFKC", meta["heading"]) for meta in CONTRACT[source] if meta["optional"]}
    for path in city.files(source):
        assert path.name.startswith(f"{source}_202604")
        headings = city.contract_headings(path)
        assert headings == [heading for heading in expected if heading in headings]
        assert {*expected} - {*headings} <= optional


@pytest.mark.parametrize("source", SOURCES)
def test_required_values_are_present(city, source):
    required = [unicodedata.normalize("NFKC", meta["heading"]) for meta in CONTRACT[source] if meta["required"]]
    rows = city.rows(source)
    assert rows, f"{source} is empty"
    for name in required:
        assert all(row[name] for row in rows), name


def test_all_encodings_and_habits_are_met(city):
    marks = Counter()
    for source in SOURCES:
        for path in city.files(source):
            content = path.read_bytes()
            if content.startswith(b"\xff\xfe"):
                marks["utf-16"] += 1
            elif content.startswith(b"\xef\xbb\xbf"):
                marks["utf-8-bom"] += 1
            else:
                try:
                    content.decode("utf-8")
                    marks["utf-8"] += 1
                except UnicodeDecodeError:
                    content.decode("cp932")
                    marks["cp932"] += 1
            marks["crlf"] += b"\r\n" in content
            marks["lf"] += b"\r\n" not in content and b"\n" in content
            marks["trailer"] += "合計".encode("cp932") in content
            marks["formula"] += b'="0' in content
    assert marks["cp932"] > 15
    assert all(marks[kind] for kind in ("utf-16", "utf-8-bom", "utf-8", "crlf", "lf", "trailer", "formula"))


def test_the_register_has_the_residents_asked_for(city):
    rows = city.rows("resident_register")
    assert sum(row["住民状態"] == "1" for row in rows) == city.summary["residents"] == 1500
    assert {row["住民状態"] for row in rows} == {"1", "2", "3"}
    numbers = [row["宛名番号"] for row in rows]
    assert len(numbers) == len(set(numbers))


def test_history_and_register_agree_on_where_residents_live(city):
    register = by_number(row for row in city.rows("resident_register") if row["住民状態"] == "1")
    now = [row for row in city.rows("household_history") if row["終了年月日"] in OPEN_ENDS]
    assert sorted(row["宛名番号"] for row in now) == sorted(register)
    for row in now:
        person = register[row["宛名番号"]]
        assert person["世帯番号"] == row["世帯番号"]
        if not person["続柄表記"]:
            codes = [f"続柄コード{place}" for place in range(1, 5)]
            assert [person[code] for code in codes] == [row[code] for code in codes]


def test_every_household_has_one_head(city):
    heads = Counter()
    members = Counter()
    for row in city.rows("household_history"):
        if row["終了年月日"] in OPEN_ENDS:
            members[row["世帯番号"]] += 1
            heads[row["世帯番号"]] += row["続柄コード1"] == "02"
    assert set(heads.values()) == {1}
    assert max(members.values()) > 10, "an institution is a household of more than ten people"


def test_history_has_no_gaps_in_order_and_no_overlaps(city):
    spans = defaultdict(list)
    for row in city.rows("household_history"):
        spans[row["宛名番号"]].append((row["開始年月日"], row["終了年月日"]))
    for person in spans.values():
        ordered = sorted(person)
        assert all(one[1] <= other[0] for one, other in pairwise(ordered))


def test_relations_chain(city):
    chains = {
        tuple(row[f"続柄コード{place}"] for place in range(1, 5) if row[f"続柄コード{place}"])
        for row in city.rows("household_history")
    }
    assert {("02",), ("12",), ("20",), ("20", "20"), ("12", "20"), ("20", "12"), ("99",)} <= chains


def test_every_number_belongs_to_a_person_of_the_truth(city):
    people = city.truth("people")
    known = {row["atena_no"] for row in people} | {row["former_atena_no"] for row in people}
    for source in SOURCES:
        for name in (meta["heading"] for meta in CONTRACT[source] if "宛名番号" in meta["heading"]):
            # Optional numbers of the education board are not delivered by this city.
            numbers = {row.get(unicodedata.normalize("NFKC", name), "").zfill(15) for row in city.rows(source)}
            numbers -= {"0" * 15}
            assert numbers <= known, (source, name)


def test_a_new_number_after_moving_away_and_back(city):
    register = by_number(city.rows("resident_register"))
    both = [row for row in city.truth("people") if row["former_atena_no"] and row["is_resident"] == "1"]
    pairs = [row for row in both if row["former_atena_no"] in register]
    assert pairs
    for row in pairs:
        old, new = register[row["former_atena_no"]], register[row["atena_no"]]
        assert old["住民状態"] == "2"
        assert new["住民状態"] == "1"
        assert old["生年月日"] == new["生年月日"]
        assert old["氏名"].split("　")[1] == new["氏名"].split("　")[1]


def test_filed_parents_are_the_true_ones(city):
    parents = {(row["child_atena_no"], row["parent_atena_no"]) for row in city.truth("parents")}
    latest = {row["former_atena_no"]: row["atena_no"] for row in city.truth("people") if row["former_atena_no"]}

    def now(number):
        return latest.get(number, number)

    rows = city.rows("parentage")
    assert {row["届出種別"] for row in rows} == {"出生", "認知", "養子縁組", "離縁"}
    for row in rows:
        for parent in (row["父_宛名番号"], row["母_宛名番号"]):
            if parent and row["届出種別"] != "離縁":
                assert (now(row["子_宛名番号"]), now(parent)) in parents


def test_children_of_the_head_are_the_heads_children(city):
    parents = {(row["child_atena_no"], row["parent_atena_no"]) for row in city.truth("parents")}
    homes = defaultdict(list)
    for row in city.truth("households"):
        homes[row["household_no"]].append(row)
    seen = 0
    for members in homes.values():
        head = next(row for row in members if row["relation"] == "02")
        for row in members:
            if row["relation"] == "20":
                seen += 1
                assert (row["atena_no"], head["atena_no"]) in parents
    assert seen > 50


def test_twins_share_mother_and_birthday(city):
    people = {row["truth_person_id"]: row for row in city.truth("people")}
    mothers = defaultdict(set)
    for row in city.truth("parents"):
        mothers[row["child"]].add(row["parent"])
    twins = [row for row in people.values() if row["twin_of"] in people]
    assert twins
    for row in twins:
        other = people[row["twin_of"]]
        assert row["birth_on"] == other["birth_on"]
        assert row["name"] != other["name"]
        assert (
            mothers[row["truth_person_id"]] & mothers[other["truth_person_id"]] or not mothers[row["truth_person_id"]]
        )


def test_unborn_children_have_a_due_date_ahead_and_no_number(city):
    rows = {row["届出番号"]: row for row in city.rows("pregnancy_notifications")}
    cases = {
        row["source_key"]: row for row in city.truth("identities") if row["source_id"] == "pregnancy_notifications"
    }
    assert cases.keys() == rows.keys()
    kinds = Counter(row["hard_case"] for row in cases.values())
    assert kinds["unborn"] > 0
    assert kinds["born"] > 10
    for key, row in rows.items():
        assert bool(row["出生児_宛名番号"]) == (cases[key]["hard_case"] == "born")
        if cases[key]["hard_case"] == "unborn":
            assert int(row["分娩予定日"].replace(" ", "")[1:].split(".")[0]) >= 8


def test_identities_cover_the_sources_without_numbers(city):
    identities = defaultdict(dict)
    for row in city.truth("identities"):
        identities[row["source_id"]][row["source_key"]] = row
    for source, key in (
        ("school_enrolment", "学籍番号"),
        ("guidance_centre_cases", "児相ケース番号"),
        ("social_council_services", "利用番号"),
    ):
        assert {row[key] for row in city.rows(source)} == identities[source].keys()
    cases = Counter(row["hard_case"] for rows in identities.values() for row in rows.values())
    assert {"sibling", "not_in_register", "plain", "two_numbers"} <= cases.keys()
    pupils = {row["学籍番号"] for row in city.rows("school_enrolment")}
    for source in ("school_attendance", "school_aid", "school_checkups", "school_consultations"):
        assert {row["学籍番号"] for row in city.rows(source)} <= pupils


def test_written_names_are_of_the_person_most_of_the_time(city):
    people = {row["truth_person_id"]: row for row in city.truth("people")}
    keys = {row["source_key"]: row for row in city.truth("identities") if row["source_id"] == "school_enrolment"}
    same = [
        people[keys[row["学籍番号"]]["truth_person_id"]]["kana"]
        == unicodedata.normalize("NFKC", row["氏名_フリガナ"]).strip()
        for row in city.rows("school_enrolment")
    ]
    assert 0.8 < sum(same) / len(same) < 1


def test_dv_protection_is_in_the_register(city):
    rows = city.rows("resident_register")
    protected = {row["truth_person_id"] for row in city.truth("people") if row["is_protected"] == "1"}
    assert {row["支援措置区分"] for row in rows} <= {"", "1", "9"}
    in_force = sum(row["支援措置区分"] == "1" for row in rows)
    assert in_force <= len(protected)
    assert all(row["支援措置開始日"] for row in rows if row["支援措置区分"])


def test_rates_are_plausible(city):
    assert 0.09 < city.summary["under_18"] / 1500 < 0.17
    assert 0.3 < city.summary["share_65"] < 0.5
    areas = Counter(row["旧市町村"] for row in city.rows("resident_register") if row["住民状態"] == "1")
    assert len(areas) == 10
    assert areas["両津市"] > areas["赤泊村"]
    open_cases = {row["truth_person_id"] for row in city.truth("cases") if row["is_open"] == "1"}
    assert len(open_cases) < 0.05 * city.summary["under_18"]
    years = Counter(row["case_on"][:4] for row in city.truth("cases"))
    assert all(years[str(year)] for year in (2023, 2024, 2025))
    assert min(years) <= "1985"


def test_the_generator_imports_nothing_of_the_pipeline():
    allowed = {"synthetic_city", "numpy"}
    for path in (PROJECT / "synthetic_city").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                root = name.split(".")[0]
                assert root in allowed or root in __import__("sys").stdlib_module_names, (path.name, name)


def test_later_files_correct_rows_of_the_first(city):
    corrections = city.truth("corrections")
    assert {row["source_id"] for row in corrections} == {"nursery_attendance", "school_attendance", "infant_checkups"}
    for correction in corrections:
        if correction["source_id"] != "school_attendance":
            continue
        number, month = correction["source_key"].split("|")
        values = [
            row["欠席日数"]
            for row in city.rows("school_attendance")
            if (row["学籍番号"], row["年月"]) == (number, month)
        ]
        assert values == [correction["first_value"], correction["corrected_value"]]


def test_monthly_records_go_on_until_the_last_month(city):
    pupils = {row["学籍番号"] for row in city.rows("school_enrolment") if row["在籍終了"] in OPEN_ENDS}
    by_month = Counter(row["年月"] for row in city.rows("school_attendance"))
    last, year_before = by_month["2026-03"], by_month["2025-03"]
    assert last > 0.8 * len(pupils) * 8 / 9, "those who go to school now have a row for the month just over"
    assert last > 0.8 * year_before
    nursery = Counter(row["年月"] for row in city.rows("nursery_attendance"))
    assert min(nursery.values()) > 0.6 * max(nursery.values())
