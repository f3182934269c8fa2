"""A fact of the domain stands once, and SQL and Python read the same value."""

from __future__ import annotations

import re

import duckdb
import pytest

from kodomo.contract import load_contracts
from kodomo.home import PROJECT
from kodomo.macros import load_macros
from kodomo.parameters import parameter


@pytest.mark.parametrize(
    ("age_months", "label", "order", "wide"),
    [
        (-1, "出生前", 0, "出生前"),
        (0, "0歳", 1, "0〜2歳"),
        (11, "0歳", 1, "0〜2歳"),
        (12, "1〜2歳", 2, "0〜2歳"),
        (35, "1〜2歳", 2, "0〜2歳"),
        (36, "3〜5歳", 3, "3〜5歳"),
        (179, "12〜14歳", 5, "12〜14歳"),
        (180, "15〜17歳", 6, "15〜17歳"),
    ],
)
def test_age_bands(age_months: int, label: str, order: int, wide: str) -> None:
    macros = load_macros()
    bands = [macros[name](str(age_months)) for name in ("age_band", "age_band_order", "wide_age_band")]
    assert duckdb.execute(f"select {', '.join(bands)}").fetchall() == [(label, order, wide)]


@pytest.mark.parametrize(
    ("address", "rest"),
    [("新潟県佐渡市両津", "両津"), ("佐渡市両津", "両津"), ("両津", "両津"), ("東京都佐渡市場", "東京都佐渡市場")],
)
def test_the_citys_own_prefix_is_taken_off_an_address(address: str, rest: str) -> None:
    assert duckdb.execute(f"select {load_macros()['without_city']('$1')}", [address]).fetchall() == [(rest,)]


def test_every_number_of_a_person_has_the_width_of_the_parameter() -> None:
    widths = {
        (source_id, column.name): column.width
        for source_id, contract in load_contracts().items()
        for column in contract.columns
        if column.name.endswith("atena_no") and column.width is not None
    }
    assert widths
    assert set(widths.values()) == {parameter("person_number_width")}


@pytest.mark.parametrize(
    "written", [r"< 216\b", r"[>≥] ?10 as is_institution", "氏名なし）'", r"\(新潟県\)\?", r"due_on \+ 21\b"]
)
def test_no_model_or_module_writes_a_parameter_out(written: str) -> None:
    files = [
        path
        for folder in ("models", "macros", "kodomo", "superset_config", "orchestration")
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in {".sql", ".py"}
    ]
    assert [str(path) for path in files if re.search(written, path.read_text(encoding="utf-8"))] == []
