"""Slips of real files: each is where the truth says, leaves the rest as in the clean city, and all of them come."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from synthetic_city import slips
from synthetic_city.city import generate
from synthetic_city.parameters import Parameters
from tests.unit.synthetic_city.conftest import TITLES, decode, heading

pytestmark = pytest.mark.slow

AS_OF = dt.date(2026, 4, 1)
RESIDENTS = 1500


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city of ``city`` with slips, and without damaged rows."""
    folder = tmp_path_factory.mktemp("city") / "slips"
    generate(folder, Parameters(residents=RESIDENTS, seed=7, as_of=AS_OF, dirty_rate=0))
    return folder


@pytest.fixture(scope="module")
def made(out: Path) -> list[dict[str, str]]:
    with (out / "truth" / "slips.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records_by_line(path: Path, *, is_of_mysql: bool = False) -> dict[int, list[str]]:
    """The records of a file by the physical line on which each begins; of MySQL's escapes, what they mean."""
    text = decode(path.read_bytes())
    escape = "\\" if is_of_mysql else None
    if is_of_mysql:
        text = re.sub(r"(?m)(^|(?<=,))\\N(?=,|\r?$)", "", text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text[:200] else ",", escapechar=escape)
    records, line = {}, 1
    for record in reader:
        records[line] = record
        line = reader.line_num + 1
    return records


def headings_of(path: Path, records: dict[int, list[str]]) -> list[str]:
    """The heading record, below the titles."""
    return list(records.values())[TITLES.get(path.parent.name, 0)]


def test_every_slip_stands_where_the_truth_says(out: Path, made: list[dict[str, str]]) -> None:
    files = {}
    of_mysql = {slip["file_name"] for slip in made if slip["kind"] == "escapes_of_mysql"}
    for slip in made:
        if slip["line_number"] == "0":
            continue
        path = out / "landing" / slip["source_id"] / slip["file_name"]
        is_of_mysql = path.name in of_mysql
        records = files.setdefault(path, records_by_line(path, is_of_mysql=is_of_mysql))
        record = records[int(slip["line_number"])]
        if slip["heading"]:
            names = [heading(name.replace("\n", "")) for name in headings_of(path, records)]
            written = "" if is_of_mysql and slip["written"] == "\\N" else slip["written"]
            assert record[names.index(unicodedata.normalize("NFKC", slip["heading"]))] == written, slip
        else:
            assert slip["kind"] == "surplus_field", slip


def test_meant_value_is_that_of_the_clean_city(out: Path, made: list[dict[str, str]], city) -> None:
    """Taking back the slips, value by value and row by row, leaves the files of the clean city."""
    by_source: dict[str, list[dict[str, str]]] = {}
    for slip in made:
        by_source.setdefault(slip["source_id"], []).append(slip)
    for source, listed in by_source.items():
        cells = {
            (slip["file_name"], int(slip["line_number"]), unicodedata.normalize("NFKC", slip["heading"])): slip["meant"]
            for slip in listed
            if slip["expected"] != "rejected" and slip["heading"]
        }
        extra = {
            (slip["file_name"], int(slip["line_number"]))
            for slip in listed
            if slip["expected"] == "rejected"
            or slip["kind"] in ("number_of_no_resident", "closed_record_of_a_resident")
        }
        restored, clean = Counter(), Counter()
        for path in sorted((out / "landing" / source).glob("*.csv")):
            if any(slip["kind"] == "file_of_the_future" and slip["file_name"] == path.name for slip in listed):
                continue
            is_of_mysql = any(slip["kind"] == "escapes_of_mysql" and slip["file_name"] == path.name for slip in listed)
            records = records_by_line(path, is_of_mysql=is_of_mysql)
            names = [heading(name.replace("\n", "")) for name in headings_of(path, records)]
            for line, record in records.items():
                if (path.name, line) not in extra:
                    places = [*names, *[""] * len(record)]
                    values = tuple(
                        cells.get((path.name, line, name), value).strip('"')
                        for name, value in zip(places, record, strict=False)
                    )
                    if not any(slip["kind"] == "name_swapped" and int(slip["line_number"]) == line for slip in listed):
                        restored[values] += 1
        for path in city.files(source):
            clean.update(tuple(value.strip('"') for value in record) for record in records_by_line(path).values())
        missing = clean - restored
        # The headings that a break stands in, and the kana of a name that was swapped.
        allowed = sum(slip["kind"] in ("heading_with_a_break", "name_swapped") for slip in listed)
        trailers = sum(record[0].startswith("合計") for record in missing if record)
        assert missing.total() - trailers <= allowed, (source, list(missing)[:3])


def test_every_kind_and_every_word_comes(made: list[dict[str, str]]) -> None:
    kinds = {slip["kind"] for slip in made}
    assert {*slips.NUMBER_CHANGES, *slips.SHARED_NUMBER_CHANGES, *slips.DATE_CHANGES} <= kinds
    assert {
        "number_of_nobody", "word_in_number", "word_in_date", "word_in_kind", "word_in_quantity", "no_end", "ended_era",
        "end_before_beginning", "date_with_strokes", "date_of_birth_in_words", "former_municipality", "other_unit",
        "unknown_kind", "count_with_unit", "name_swapped", "surplus_field",
        "word_in_required_number", "text_in_required_number", "number_of_no_resident", "closed_record_of_a_resident",
        "count_of_people", "count_with_date", "count_of_export", "end_word", "end_mark", "end_byte",
        "heading_with_a_break", "file_of_the_future", "body_in_number", "implausible_number", "escapes_of_mysql",
    } <= kinds  # fmt: skip
    written = {slip["written"] for slip in made if slip["kind"] == "word_in_required_number"}
    assert written == set(slips.WORDS)
    strokes = "".join(slip["written"] for slip in made if slip["kind"] == "date_with_strokes")
    assert sum(stroke in strokes for stroke in slips.STROKES) >= len(slips.STROKES) - 1
    assert {slip["expected"] for slip in made} == {"recovered", "asked", "rejected"}


def test_a_clean_city_has_none(city) -> None:
    assert city.truth("slips") == []
    assert all(path.stem.endswith(("_20260401", "_20260402")) for path in (city.out / "landing").rglob("*.csv"))
