"""Granted requests of the person concerned, carried out by every run: deletion, and what has become of a correction.

What was granted holds for what comes later too: a row of the person that a later delivery brings is deleted again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import duckdb

from kodomo.contract import Contract, load_contracts
from kodomo.data_subjects.person_records import Known, known_as, rejects_about, rows_about
from kodomo.data_subjects.retention import original_until
from kodomo.entries.disputes import FORM as DISPUTED
from kodomo.entries.disputes import answer_id, answers, is_about
from kodomo.entries.forms import EVERY_SOURCE, forms
from kodomo.entries.notices import forget
from kodomo.entries.requests import FORM, is_granted
from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home
from kodomo.ingest.deliveries import Delivery
from kodomo.ingest.entries import has_entries, take_entries
from kodomo.japanese import japanese_date
from kodomo.publication.publication import drop_older
from kodomo.warehouse import connect, transaction
from kodomo.workshop.case_sets import take_out

KEPT_BY_LAW = "citizens"
"""The holder whose registers are kept by law and exempt from deletion requests."""
DELETED, CORRECTED = "deleted", "corrected"


def refused_by_law(content: Mapping[str, str]) -> dict[str, str]:
    """The mistakes of a deletion request for records kept by law: field → correction; empty for any other request."""
    contract = load_contracts().get(content.get("data_source", ""))
    if content.get("request") == "deletion" and contract is not None and contract.holder == KEPT_BY_LAW:
        return {"data_source": "住民基本台帳と戸籍のデータは法令により保有するため、消せません。訂正を選んでください。"}
    return {}


def granted(store: EntryStore, request: str) -> list[Version]:
    """The requests of a kind (deletion, correction) that were granted."""
    requests = store.current(FORM)
    return [v for v in requests if is_granted(v) and v.content["request"] == request]


def sources_of(version: Version) -> list[Contract]:
    """The sources that a request is about; those kept by law are in no deletion."""
    contracts = load_contracts()
    wanted = version.content["data_source"]
    requested = contracts.values() if wanted == EVERY_SOURCE else [contracts[wanted]] if wanted in contracts else []
    is_deletion = version.content["request"] == "deletion"
    return [contract for contract in requested if not (is_deletion and contract.holder == KEPT_BY_LAW)]


def take_entries_and_requests(home: Home, run_id: str, progress: Callable[[str], None] | None = None) -> list[Delivery]:
    """The entries of this moment in the warehouse, with every granted request carried out; returns new deliveries.

    What was granted deletion is erased from the entries before they are taken. Run twice, it does nothing the second
    time.
    """
    if not has_entries(home):
        return []
    store = EntryStore(home)
    erase_typed(store)
    new = take_entries(home, run_id, progress)
    with connect(home) as connection:
        carried_out = carry_out(connection, store, run_id)
    for request, outcome, message in carried_out:
        # What later deliveries bring is deleted again, and counted.
        store.note_effects([(request.record_id, request.version)], outcome, run_id, message, is_renewed=True)
    return new


def erase_typed(store: EntryStore) -> None:
    """Erase the entries about people whose deletion request was granted, before a run reads the entries."""
    for request in granted(store, "deletion"):
        sources = {contract.source_id for contract in sources_of(request)}
        for form in forms().values():
            if form.source in sources:
                for version in store.current(form.name, person_id=request.person_id):
                    store.erase(version.record_id, by=request.entered_by, reason=_reason(request))
        for record_id in marked_lines(store, request.person_id or "", sources):
            store.erase(record_id, by=request.entered_by, reason=_reason(request))
        # What is still so without the deleted facts is noticed anew.
        forget(store, request.person_id or "", request.entered_at)
        take_out(store, request.person_id or "")


def marked_lines(store: EntryStore, person_id: str, source_ids: Collection[str]) -> list[str]:
    """Ids of the records of marked lines that copy a fact of a person from some sources, each with its answer."""
    marked = [v for v in store.current(DISPUTED, with_deleted=True) if is_about(v, person_id, source_ids)]
    answered = answers(store)
    return [
        record_id
        for version in marked
        for record_id in (version.record_id, answer_id(version.record_id))
        if record_id == version.record_id or record_id in answered
    ]


def _reason(request: Version) -> str:
    return f"本人からの請求による消去（{request.record_id}）"


def carry_out(connection: duckdb.DuckDBPyConnection, store: EntryStore, run_id: str) -> list[tuple[Version, str, str]]:
    """Carry out granted deletions, note arrived corrections; (request, outcome, message to staff) of each.

    Each request is one transaction: rows, rejected records and the person's past scores, beside a record of every
    line. Nothing happens before the first build, which says who is who.
    """
    deletions, corrections = granted(store, "deletion"), granted(store, "correction")
    if not (deletions or corrections) or not _is_built(connection):
        return []
    done = []
    for request in deletions:
        known = known_as(connection, request.person_id or "")
        with transaction(connection):
            for contract in sources_of(request):
                _delete_rows(connection, contract, known, request, run_id)
            _delete_scores(connection, known.person_id)
        done.append((request, DELETED, _deletion_summary(connection, store, request)))
    if deletions:
        # What was deleted is not only marked as free.
        connection.execute("checkpoint")
    for request in corrections:
        known = known_as(connection, request.person_id or "")
        corrected_places = [
            one for contract in sources_of(request) for one in _corrected(connection, contract, known, request)
        ]
        if corrected_places:
            done.append(
                (request, CORRECTED, f"訂正された内容が届きました（{'、'.join(sorted(set(corrected_places)))}）。")
            )
    return done


def _is_built(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'intermediate' and table_name = 'int_person__atena'"
        ).fetchall()
    )


def _delete_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, known: Known, request: Version, run_id: str
) -> None:
    about = rows_about(contract, known)
    if about is not None:
        condition, values = about
        connection.execute(
            f"create or replace temp table gone as select delivery_id, line_number from raw.{contract.source_id} "
            f"where {condition}",
            values,
        )
        connection.execute(
            "insert into raw.person_deletions select ?, ?, delivery_id, line_number, ?, ? from gone",
            [request.record_id, contract.source_id, run_id, dt.datetime.now(dt.UTC).replace(tzinfo=None)],
        )
        for table in (contract.source_id, "value_issues", "gaiji"):
            connection.execute(f"delete from raw.{table} where (delivery_id, line_number) in (from gone)")
    rejected = rejects_about(known)
    if rejected is not None:
        condition, values = rejected
        connection.execute(
            f"update raw.rejects set record = null, record_bytes = null where source_id = ? and {condition}",
            [contract.source_id, *values],
        )


def _delete_scores(connection: duckdb.DuckDBPyConnection, person_id: str) -> None:
    """Past dates are kept: what was made of the deleted rows goes with them. This run's date is built anew."""
    tables: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() "
        "semi join (select table_name from duckdb_tables() where schema_name = 'marts') using (table_name) "
        "where schema_name = 'marts'"
    ).fetchall():
        tables.setdefault(table, set()).add(column)
    for table, columns in tables.items():
        if {"as_of_on", "person_id"} <= columns and table.startswith("fct_"):
            connection.execute(f"delete from marts.{table} where person_id = ?", [person_id])
            if "path" in columns:
                connection.execute(
                    f"delete from marts.{table} where list_contains(string_split(path, '>'), ?)", [person_id]
                )


def _deletion_summary(connection: duckdb.DuckDBPyConnection, store: EntryStore, request: Version) -> str:
    """A message to staff: the records deleted so far, and those kept with the reason."""
    contracts = load_contracts()
    rows = connection.execute(
        "select deletions.source_id, count(*), max(deliveries.delivered_on) filter (where deliveries.kind <> 'entry') "
        "from raw.person_deletions as deletions inner join raw.deliveries as deliveries using (delivery_id) "
        "where request_id = ? group by all order by all",
        [request.record_id],
    ).fetchall()
    typed = sum(version.reason == _reason(request) for version in store.current(with_deleted=True))
    parts = [f"{contracts[source_id].label}{count}行" for source_id, count, _ in rows]
    parts += [f"画面から入れた記録{typed}件"] if typed else []
    if not parts:
        return "消す行はありませんでした。"
    untils = [
        until
        for source_id, _, delivered_on in rows
        if delivered_on is not None and (until := original_until(contracts[source_id], delivered_on)) is not None
    ]
    summary = f"消しました: {'、'.join(parts)}。"
    if any(delivered_on is not None for _, _, delivered_on in rows):
        summary += "届いた原本は、ほかの人の記録と一つのファイルのため残り、"
        summary += (
            f"保存期間の終わり（{japanese_date(max(untils))}）に消します。"
            if untils
            else "保存期間の終わりに消します。"
        )
    return summary + "会議の決定と個別検討の記録は、行った事務の記録として残ります。"


def _corrected(
    connection: duckdb.DuckDBPyConnection, contract: Contract, known: Known, request: Version
) -> Iterable[str]:
    """Deliveries that came after the request and say something about the person that none said before."""
    about = rows_about(contract, known)
    if about is None:
        return []
    condition, values = about
    names = ", ".join(column.name for column in contract.columns)
    return [
        row[0]
        for row in connection.execute(
            f"""
            with

            own as (
                select
                    -- Deliveries are timed by the machine's clock, entries in UTC.
                    deliveries.received_at > (?::timestamp at time zone 'UTC')::timestamp as is_later,
                    deliveries.status,
                    own.delivery_id,
                    hash(row({names})) as content
                from (select * from raw.{contract.source_id} where {condition}) as own
                inner join raw.deliveries as deliveries using (delivery_id)
            )

            select distinct later.delivery_id
            from own as later
            anti join (select content from own where not is_later) as earlier using (content)
            where later.is_later and later.status = 'loaded'
            """,
            [request.entered_at, *values],
        ).fetchall()
    ]


def forget_older_publications(home: Home, folder: Path) -> None:
    """Take away what was published before a deletion, once ``folder``, which was published after it, is in service."""
    drop_older(home, folder)
