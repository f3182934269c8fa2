"""Staging of a whole city: every current row is there, in the contract's types."""

from __future__ import annotations

import duckdb
import pytest

from kodomo.contract import Contract, load_contracts
from tests.conftest import City

TYPES = {
    "id": "VARCHAR",
    "name": "VARCHAR",
    "kana": "VARCHAR",
    "text": "VARCHAR",
    "address": "VARCHAR",
    "postcode": "VARCHAR",
    "code": "VARCHAR",
    "date": "DATE",
    "month": "DATE",
    "int": "INTEGER",
    "decimal": "DECIMAL(18,6)",
    "flag": "BOOLEAN",
}
SOURCES = sorted(load_contracts())


def staged(contract: Contract) -> str:
    return f"staging.stg_{contract.holder}__{contract.source_id}"


@pytest.mark.parametrize("source_id", SOURCES)
def test_columns_have_the_types_of_the_contract(city: City, source_id: str) -> None:
    contract = load_contracts()[source_id]
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        types = {row[0]: row[1] for row in connection.execute(f"describe {staged(contract)}").fetchall()}
    assert {column.name: types[column.name] for column in contract.columns} == {
        column.name: TYPES[column.type] for column in contract.columns
    }


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_current_row_is_staged_once(city: City, source_id: str) -> None:
    """Deltas add up; of rows with one key the last one stays; a full delivery replaces what came before it."""
    contract = load_contracts()[source_id]
    # Two words outside the list are two keys, which their labels tell apart.
    coded = {column.name for column in contract.columns if column.code_list}
    key = [name for column in contract.row_key for name in (column, *([f"{column}_label"] if column in coded else []))]
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        current = connection.execute(
            f"""
            with loaded as (
                select delivery_id, kind, row_number() over (order by delivered_on, sequence) as position
                from raw.deliveries
                where source_id = ? and status = 'loaded'
            )
            select delivery_id, line_number
            from raw.{source_id}
            where delivery_id in (
                select delivery_id from loaded
                where position >= coalesce((select max(position) from loaded where kind = 'full'), 0)
            )
            """,
            [source_id],
        ).fetchall()
        rows = connection.execute(f"select delivery_id, line_number from {staged(contract)}").fetchall()
        keys = connection.execute(
            f"select count(*) from (select distinct {', '.join(key)} from {staged(contract)})"
            if contract.row_key
            else f"select count(*) from {staged(contract)}"
        ).fetchone()
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(current)
    assert keys == (len(rows),)
    if not contract.row_key:
        assert len(rows) == len(current)


def test_unapproved_column_is_empty(city: City) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        held = connection.execute(
            "select source_id, column_name from raw.data_items where status <> '承認' order by all"
        ).fetchall()
        assert ("child_rearing_allowance", "payment_class") in held
        assert ("school_aid", "aid_class") in held
        for source_id, column in held:
            table = staged(load_contracts()[source_id])
            counts = connection.execute(f"select count(*), count({column}) from {table}").fetchone()
            assert counts is not None
            assert counts[0] > 0
            assert counts[1] == 0


def test_names_and_kana_have_a_form_for_matching(city: City) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        unmatched = connection.execute(
            """
            select count(*)
            from staging.stg_citizens__resident_register
            where
                (full_name is null) <> (full_name_match is null)
                or contains(full_name_match, ' ')
                or regexp_matches(full_name_kana_match, '[ぁ-ゖ 　-]')
            """
        ).fetchone()
    assert unmatched == (0,)
