"""The warehouse file: transactions, and schema raw brought to this version by its migrations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from kodomo import warehouse
from kodomo.contract import load_contracts
from kodomo.errors import KodomoError
from kodomo.home import PROJECT
from kodomo.ingest.tables import ensure_tables
from kodomo.warehouse import MIGRATIONS, migrate, transaction

BEFORE_VERSIONS = Path(__file__).with_name("raw_before_versions.sql")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    return {
        (table, column): kind
        for table, column, kind in connection.execute(
            "select table_name, column_name, data_type from information_schema.columns where table_schema = 'raw'"
        ).fetchall()
    }


def test_home_from_before_versions_gets_the_tables_of_a_new_one_and_keeps_its_rows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(BEFORE_VERSIONS.read_text(encoding="utf-8"))
    ensure_tables(connection, load_contracts())
    with duckdb.connect() as new:
        ensure_tables(new, load_contracts())
        assert columns(connection) == columns(new)
    assert connection.execute("select delivery_id, rows_loaded from raw.deliveries").fetchall() == [
        ("20260401-newborn_visits-01", 1)
    ]
    assert connection.execute(
        "select line_number, child_atena_no, mother_atena_no from raw.newborn_visits"
    ).fetchall() == [(2, "1", None)]
    assert connection.execute("select line_number, state from raw.reject_states").fetchall() == [(3, "open")]


def test_each_migration_is_applied_once_and_recorded(connection: duckdb.DuckDBPyConnection) -> None:
    numbers = [int(path.name[:4]) for path in sorted(MIGRATIONS.glob("0*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert migrate(connection) == numbers
    assert migrate(connection) == []
    assert [row[0] for row in connection.execute("select version from raw.schema_versions").fetchall()] == numbers


def test_failed_migration_leaves_nothing_of_itself(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0001_first.sql").write_text("create table raw.first (id integer);")
    (tmp_path / "0002_second.sql").write_text("create table raw.second (id integer); select no_such_column;")
    monkeypatch.setattr(warehouse, "MIGRATIONS", tmp_path)
    with pytest.raises(duckdb.BinderException):
        migrate(connection)
    assert {table for table, _ in columns(connection)} == {"schema_versions", "first"}
    (tmp_path / "0002_second.sql").write_text("create table raw.second (id integer);")
    assert migrate(connection) == [2]


def test_warehouse_of_a_later_version_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    connection.execute("insert into raw.schema_versions values (9000, '9000_from_the_future', now()::timestamp)")
    with pytest.raises(KodomoError, match="これより新しい kodomo"):
        migrate(connection)


def test_columns_of_deliveries_can_be_added_with_rows_and_key_in_place(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(BEFORE_VERSIONS.read_text(encoding="utf-8"))
    (tmp_path / "0001_layout.sql").write_text(
        "alter table raw.deliveries add column layout varchar; update raw.deliveries set layout = 'modern';"
    )
    monkeypatch.setattr(warehouse, "MIGRATIONS", tmp_path)
    migrate(connection)
    assert connection.execute("select delivery_id, layout from raw.deliveries").fetchall() == [
        ("20260401-newborn_visits-01", "modern")
    ]


def test_no_python_file_alters_a_table() -> None:
    packages = ("kodomo", "orchestration", "superset_config", "expectations")
    altering = [
        str(path.relative_to(PROJECT))
        for package in packages
        for path in (PROJECT / package).rglob("*.py")
        if re.search(r"alter\s+table", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert altering == []


def test_transaction_keeps_all_or_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table numbers (number integer)")
    with transaction(connection):
        connection.execute("insert into numbers values (1)")

    def fail_halfway() -> None:
        with transaction(connection):
            connection.execute("insert into numbers values (2)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert connection.execute("select number from numbers").fetchall() == [(1,)]
