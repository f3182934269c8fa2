"""A fact of the domain stands once, and SQL and Python read the same value."""

from __future__ import annotations

import re

import duckdb
import pytest

from kodomo.contract import load_contracts
from kodomo.home import PROJECT
from kodomo.macros import load_macros
from kodomo.parameters import colours, labels, parameter


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
    "written",
    [
        r"< 216\b",
        r"[>≥] ?10 as is_institution",
        "氏名なし）'",
        "then '見守り'",
        "'子ども若者課'",
        "'ハイリスク'",
        r"\(新潟県\)\?",
        r"due_on \+ 21\b",
    ],
)
def test_no_model_or_module_writes_a_parameter_out(written: str) -> None:
    files = [
        path
        for folder in ("models", "macros", "kodomo", "superset_config", "orchestration")
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in {".sql", ".py"}
    ]
    assert [str(path) for path in files if re.search(written, path.read_text(encoding="utf-8"))] == []


def test_label_in_sql_is_that_of_python_and_another_code_stays_what_it_is() -> None:
    label = load_macros()["label_of"]("decision", "code", "code")
    rows = duckdb.execute(f"select {label} from (values ('support'), ('none'), ('new'), (null)) as t(code)").fetchall()
    assert [row[0] for row in rows] == [labels("decision")["support"], labels("decision")["none"], "new", None]


def test_gravest_tier_stands_first_and_each_tier_has_a_colour_of_its_own() -> None:
    assert list(labels("tier")) == ["high", "latent", "low"]
    assert len(set(colours("tier").values())) == 3


def test_lead_agency_is_a_department() -> None:
    assert set(parameter("lead_agencies")) <= set(parameter("departments"))
    holders = {contract.holder for contract in load_contracts().values()}
    assert holders <= set(parameter("departments"))
