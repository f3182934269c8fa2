"""The gate: passed, failed and errored are distinct, and no value of a person gets out of it."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb
import pytest

from expectations.gate import check
from expectations.results import LAYERS, QualityResult
from expectations.site import site_folder
from expectations.suites import ALL
from expectations.suites.building import BLOCKS, LOOK, NOTE, expect, no_rows
from kodomo.home import Home

PLANTED = ["佐渡花子の秘密", "000000000099999", "1999-12-24"]

SUITES = {
    "marts": {
        "marts.people": [
            expect("nobody_is_missing", "全員に名前がある", BLOCKS, "ExpectColumnValuesToNotBeNull", column="name"),
            expect("names_differ", "名前は重複しない", LOOK, "ExpectColumnValuesToBeUnique", column="name"),
            expect(
                "names_are_listed",
                "名前は一覧にある",
                NOTE,
                "ExpectColumnValuesToBeInSet",
                column="name",
                value_set=["一郎"],
            ),
            no_rows("nobody_is_secret", "秘密の人はいない", BLOCKS, "select * from {batch} where name like '%秘密%'"),
            no_rows(
                "names_are_numbers",
                "数えられる名前",
                BLOCKS,
                "select name from {batch} where cast(name as integer) > 0",
            ),
            expect(
                "dates_are_recent", "日付は新しい", LOOK, "ExpectColumnValuesToBeBetween", column="born", min_value=7
            ),
        ],
        "marts.is_not_there": [
            expect("is_there", "存在する", BLOCKS, "ExpectColumnValuesToNotBeNull", column="name"),
        ],
    }
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "var").ensure()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.people (name varchar, number varchar, born date)")
        connection.execute(
            "insert into marts.people values (?, ?, ?), ('一郎', '1', null), ('一郎', '2', null)", PLANTED
        )
    return home


def by_name(results: list[QualityResult]) -> dict[str, QualityResult]:
    return {result.expectation: result for result in results}


def test_passed_failed_and_errored_expectations(home: Home) -> None:
    results = by_name(check(home, "run-1", SUITES))
    seen = {name: (result.status, result.unexpected_count, result.element_count) for name, result in results.items()}
    assert seen == {
        "nobody_is_missing": ("passed", 0, 3),
        "names_differ": ("failed", 2, 3),
        "names_are_listed": ("failed", 1, 3),
        "nobody_is_secret": ("failed", 1, 3),
        "names_are_numbers": ("errored", None, 3),
        "dates_are_recent": ("errored", None, 3),
        "is_there": ("errored", None, None),
    }
    assert {name for name, result in results.items() if result.is_blocking} == {
        "nobody_is_secret",
        "names_are_numbers",
        "is_there",
    }


def test_no_value_gets_out(home: Home, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    results = check(home, "run-1", SUITES)
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        rows = connection.execute("select * from raw.quality_results").fetchall()
    printed = capfd.readouterr()
    outputs = [repr(results), repr(rows), printed.out, printed.err, caplog.text]
    outputs += [path.read_text(encoding="utf-8") for path in site_folder(home).rglob("*") if path.is_file()]
    outputs += [path.read_text(errors="replace") for path in home.root.rglob("*.log")]
    assert len(rows) == len(results) == 7
    assert not [value for value in PLANTED for text in outputs if value in text]


def test_results_are_rows_and_a_second_check_replaces_them(home: Home) -> None:
    check(home, "run-1", SUITES)
    check(home, "run-1", SUITES)
    check(home, "run-2", SUITES)
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        runs = connection.execute("select run_id, count(*) from raw.quality_results group by all order by 1").fetchall()
    assert runs == [("run-1", 7), ("run-2", 7)]


def test_site_asks_for_nothing_from_outside(home: Home) -> None:
    check(home, "run-1", SUITES)
    page = (site_folder(home) / "index.html").read_text(encoding="utf-8")
    assert "秘密の人はいない" in page
    assert "検査できず" in page
    assert "http" not in page
    assert "<script" not in page


def test_every_check_of_the_suites_is_named_labelled_and_known_to_the_library() -> None:
    assert tuple(ALL) == LAYERS
    checks = [(layer, table, check) for layer, suites in ALL.items() for table in suites for check in suites[table]]
    assert len({(table, check.name) for _layer, table, check in checks}) == len(checks)
    for layer, table, one in checks:
        assert table.split(".")[0] == layer
        assert one.label_ja
        assert one.to_expectation().meta == {"name": one.name}
