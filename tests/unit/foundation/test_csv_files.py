"""What spreadsheets open holds no formula, for its owner only."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import duckdb
import pytest

from kodomo.csv_files import formula_free_sql, without_formula, write_csv

FORMULAS = ["=1+1", "+cmd", "-x", "@sum(1)", "\t=1", "\r=1", "=", "-", "+1-2", "-1.", "=\n1"]
HARMLESS = ["", "佐藤", "1=1", "-1", "+1", "-1.5", "a-b", " =1", "'=1", "2026-04-01"]


@pytest.mark.parametrize(("values", "is_formula"), [(FORMULAS, True), (HARMLESS, False)])
def test_formulas_become_texts_in_python_and_in_sql(values: list[str], is_formula: bool) -> None:
    expected = [f"'{value}" if is_formula else value for value in values]
    assert [without_formula(value) for value in values] == expected
    query = f"select {formula_free_sql('value')} from (select unnest($values) as value)"
    assert [row[0] for row in duckdb.execute(query, {"values": values}).fetchall()] == expected


def test_what_is_no_text_stays() -> None:
    assert [without_formula(value) for value in (-1, None, 2.5)] == [-1, None, 2.5]


def test_a_file_is_its_owners_with_a_mark_and_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "out" / "people.csv"
    write_csv(file, ["name", "points"], [("=HYPERLINK(1)", -1), ("佐藤\n楓", None)])
    data = file.read_bytes()
    assert data.startswith(codecs.BOM_UTF8)
    assert data.count(codecs.BOM_UTF8) == 1
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows == [["name", "points"], ["'=HYPERLINK(1)", "-1"], ["佐藤\n楓", ""]]
    assert file.stat().st_mode & 0o777 == 0o600
