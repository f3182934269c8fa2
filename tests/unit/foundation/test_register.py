"""The register of data items: the page is up to date, and what is not approved is named and empty."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from kodomo.contract import Column, load_contracts
from kodomo.register import PAGE, PURPOSES, TYPES, USES, left_out, obstacle, page


def test_the_page_is_what_the_contracts_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: kodomo register --output docs/register.ja.md"


def test_every_item_is_on_the_page_in_its_source() -> None:
    sections = {text.split("\n", 1)[0]: text for text in page().split("\n## ")[2:]}
    contracts = load_contracts()
    assert list(sections) == [contract.title for contract in contracts.values()]
    for contract in contracts.values():
        headings = [line.split(" | ")[0].removeprefix("| ") for line in sections[contract.title].split("\n")]
        assert [heading for heading in headings if heading in {column.heading for column in contract.columns}] == [
            column.heading for column in contract.columns
        ]


def test_every_item_of_the_register_is_complete() -> None:
    for contract in load_contracts().values():
        for column in contract.columns:
            register = column.register
            place = f"{contract.source_id}.{column.name}"
            assert register["status"] in {"承認", "保留", "禁止"}, place
            assert re.search("第.+条", register["legal_basis"]), place
            assert register["purpose"], place
            assert register["retention_months"] > 0, place
            assert register["use"] in USES, place
            assert column.type in TYPES, place
            assert set(register["permitted_purposes"]) <= set(PURPOSES), place
            if register["status"] == "承認":
                assert register["penal_clause_checked"] is True, place
                assert all(register[name] for name in ("approved_by", "approved_on", "valid_from")), place


def test_values_that_may_come_from_tax_data_are_left_out() -> None:
    assert left_out(dt.date(2026, 4, 1)) == [
        "児童扶養手当: 支給区分 is 保留",
        "国民健康保険の資格: 証区分 is 保留",
        "就学援助: 認定区分 is 保留",
    ]
    # Nothing is approved before anything was.
    assert len(left_out(dt.date(1999, 12, 31))) == sum(len(contract.columns) for contract in load_contracts().values())


@pytest.mark.parametrize(
    ("entry", "is_used"),
    [
        ({"status": "承認"}, True),
        ({"status": "禁止"}, False),
        ({"status": "承認", "valid_from": dt.date(2026, 4, 2)}, False),
        ({"status": "承認", "valid_from": dt.date(2026, 4, 1), "valid_to": dt.date(2026, 4, 1)}, True),
        ({"status": "承認", "valid_to": dt.date(2026, 3, 31)}, False),
        ({"status": "承認", "permitted_purposes": ["meeting"]}, False),
    ],
)
def test_status_dates_and_purposes_decide(entry: dict, is_used: bool) -> None:
    column = Column("kind", "区分", "text", register={"permitted_purposes": ["database"], **entry})
    assert (obstacle(column, dt.date(2026, 4, 1), "database") is None) is is_used
