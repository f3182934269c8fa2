"""The audit log as a table that administrators query: made of Superset's log and of the entries as they are now.

It is in memory and belongs to one process. Nothing of it is published, so that it is never older than the question.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa
import yaml
from sqlalchemy.pool import NullPool

from kodomo.access.access import Access, read_access
from kodomo.determination.determination import SCOPES_JA
from kodomo.entries.forms import forms
from kodomo.entries.protection import protected_by_entries
from kodomo.entries.store import EntryStore
from kodomo.home import PROJECT, Home
from kodomo.publication import current
from kodomo.publication.places import everyone_withheld
from kodomo.warehouse import transaction
from superset_config.audit.kept import GROUP
from superset_config.server import metadata_uri

NAME = "bi_audit"
COLUMNS_FILE = PROJECT / "superset_config" / "assets" / "live" / f"{NAME}.yml"
KEPT_DAYS = 400
"""How far back the table goes; the logs themselves go back to the beginning."""
UNSETTLED = dt.timedelta(minutes=1)
"""Lines younger than this are read again: of two requests at once the later number may be written first."""
JAPAN = dt.timedelta(hours=9)
EXPORTS = {"csv", "xlsx"}
SEEN_JA, EXPORTED_JA, OPENED_JA, SEARCHED_JA = "閲覧", "出力", "画面を開く", "検索"
DETERMINED_JA, PRINTED_JA, ENTERED_JA = "個別検討", "印刷・文書", "入力・決定"
LOGGED_IN_JA, LOG_IN_FAILED_JA = "ログイン", "ログイン失敗"
# Actions of Superset's log that show data to a user; the others serve the page.
ACTIONS_JA = {
    "ChartDataRestApi.data": SEEN_JA,
    "ChartDataRestApi.get_data": SEEN_JA,
    "answer": SEEN_JA,
    "Datasource.samples": SEEN_JA,
    "dashboard": OPENED_JA,
    "DashboardRestApi.export": EXPORTED_JA,
    "ChartRestApi.export": EXPORTED_JA,
    "DatasetRestApi.export": EXPORTED_JA,
    "log_in": LOGGED_IN_JA,
    "log_in_failed": LOG_IN_FAILED_JA,
    "factor_failed": LOG_IN_FAILED_JA,
    "factor_enrolled": "二要素認証の登録",
    "factor_recovery": "予備コードの使用",
}
COMMANDS_JA = {
    "explain": (SEEN_JA, "人の説明（コマンド）"),
    "export": (EXPORTED_JA, "表の出力（コマンド）"),
    "model_trial": (SEEN_JA, "モデルの試算"),
    "known_cases": (SEEN_JA, "困難事例"),
    "known_case_set": (ENTERED_JA, "困難事例の集まり"),
    "model_judgement": (SEEN_JA, "モデルの過去の日での成績"),
    "model_names": (SEEN_JA, "モデルの案で段階が変わる子どもの一覧"),
    "model_submission": (ENTERED_JA, "モデルの案の提出"),
    "model_decision": (ENTERED_JA, "モデルの承認"),
    "factor_reset": ("二要素認証のリセット", "アカウント"),
    "model_recall": (PRINTED_JA, "モデルの版の回収"),
}
DELIVERIES_JA = {
    "delivery_decision_sent": (ENTERED_JA, "ファイルを送る"),
    "delivery_decision_handed_over": (ENTERED_JA, "納品フォルダに引き渡す"),
    "delivery_decision_thrown_away": (ENTERED_JA, "送ったファイルを捨てる"),
    "delivery_decision_rejects": (EXPORTED_JA, "不受理の行"),
}
"""What stewards do with files, by the action that is kept of it."""
FIELDS_JA = {"name": "氏名", "birth_on": "生年月日", "number": "番号", "date_or_number": "生年月日か番号"}
VERBS_JA = {"created": "新規", "changed": "変更", "deleted": "削除"}
JOINED = "、"
_VIEW = f"""
    create view {NAME} as
    with

    every_row as (
        from log_rows
        union all
        from unsettled_rows
        union all
        from entry_rows
    ),

    withheld as (
        select coalesce(list(person_number), []) as people from withheld_people
    ),

    named as (
        select every_row.* replace (
            coalesce(people_groups.person_numbers, every_row.person_numbers) as person_numbers
        )
        from every_row
        left join people_groups on every_row.person_group = people_groups.person_group
    )

    select named.* exclude (person_group) replace (
        case when not list_contains(withheld.people, coalesce(named.person_number, '')) then named.person_number
        end as person_number,
        case when not list_contains(withheld.people, coalesce(named.person_number, '')) then named.purpose
        end as purpose,
        array_to_string(
            list_filter(
                string_split(named.person_numbers, '{JOINED}'),
                lambda number: not list_contains(withheld.people, number)
            ),
            '{JOINED}'
        ) as person_numbers
    )
    from named
    cross join withheld
"""  # noqa: S608  # a name and a sign of this file
CONFIG = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
    "lock_configuration": "true",
}


def columns() -> dict[str, str]:
    """Type of each column, in the order of the file that describes them."""
    (model,) = yaml.safe_load(COLUMNS_FILE.read_text(encoding="utf-8"))["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


class AuditTable:
    """``bi_audit`` of one home. ``cursor`` brings it up to date and gives a connection to it.

    ``is_dv_authorised``: for readers who may know the places of people under a support measure. For others a line
    about one of them, or about one who lives with them, has neither number nor purpose: the name of an account of one
    area, beside the number, tells where the person lives.
    """

    def __init__(self, home: Home, is_dv_authorised: bool) -> None:
        self.home, self.access, self.is_dv_authorised = home, read_access(), is_dv_authorised
        self._lock = threading.Lock()
        self._last_line = 0
        self._entries_state: tuple[Any, ...] = ()
        self._connection = duckdb.connect(":memory:", config=dict(CONFIG))
        definition = ", ".join(f"{name} {kind}" for name, kind in columns().items())
        definition += ", person_group varchar"
        self._connection.execute("create table people_groups (person_group varchar, person_numbers varchar)")
        self._connection.execute(f"create table log_rows ({definition})")
        self._connection.execute(f"create table unsettled_rows ({definition})")
        self._connection.execute(f"create table entry_rows ({definition})")
        self._connection.execute("create table withheld_people (person_number varchar)")
        self._connection.execute(_VIEW)
        self._withheld_state: Any = None
        self._metadata = sa.create_engine(metadata_uri(home), poolclass=NullPool)
        self._entries = EntryStore(home)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection that sees what has happened until now."""
        with self._lock:
            self._take_log()
            self._take_entries()
            self._take_withheld()
            return self._connection.cursor()

    def _people(self) -> dict[int, tuple[str, str, str]]:
        """User name, name and department of every account, by its number in Superset."""
        with self._metadata.connect() as metadata:
            users = metadata.execute(sa.text("select id, username, first_name from ab_user")).fetchall()
            held = metadata.execute(
                sa.text(
                    "select ab_user_role.user_id, ab_role.name from ab_user_role "
                    "join ab_role on ab_role.id = ab_user_role.role_id where ab_role.name like 'dept%'"
                )
            ).fetchall()
        departments: dict[int, list[str]] = {}
        for user_id, role in sorted(held):
            label = self.access.departments_ja.get(role.removeprefix("dept_"))
            departments.setdefault(user_id, []).extend([label] if label else [])
        return {row[0]: (row[1], row[2] or "", "、".join(departments.get(row[0], []))) for row in users}

    def _take_log(self) -> None:
        """The lines of Superset's log that came since the last time, and once more those that were unsettled then."""
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        since = now - dt.timedelta(days=KEPT_DAYS)
        with self._metadata.connect() as metadata:
            query = sa.text(
                "select id, action, user_id, json, dttm, dashboard_id, slice_id from logs "
                "where id > :last and dttm >= :since and action in :actions order by id"
            ).bindparams(sa.bindparam("actions", (GROUP, *ACTIONS_JA), expanding=True))
            lines = metadata.execute(query, {"last": self._last_line, "since": since}).fetchall()
            if not lines:
                return
            boards = dict(metadata.execute(sa.text("select id, dashboard_title from dashboards")).fetchall())
            charts = dict(metadata.execute(sa.text("select id, slice_name from slices")).fetchall())
            sets = dict(metadata.execute(sa.text("select id, description from tables")).fetchall())
        people = self._people()
        pages = {name: page.label_ja for name, page in self.access.entry_pages.items()}
        rows = [_log_row(line, people, boards, charts, sets, pages) for line in lines]
        self._take_groups(lines)
        settled = sum(1 for _ in takewhile(lambda row: row["happened_at"] < now - UNSETTLED, rows))
        with transaction(self._connection):
            self._connection.execute("delete from unsettled_rows")
            self._insert("log_rows", rows[:settled])
            self._insert("unsettled_rows", rows[settled:])
        if settled:
            self._last_line = lines[settled - 1][0]

    def _take_groups(self, lines: Iterable[Any]) -> None:
        groups = [json.loads(line.json) for line in lines if line.action == GROUP]
        for group in groups:
            self._connection.execute(
                "insert into people_groups select $name, $numbers "
                "where $name not in (select person_group from people_groups)",
                {"name": group["group"], "numbers": JOINED.join(group["people"])},
            )

    def _take_entries(self) -> None:
        """Searches, determinations, prints and entries; read again when one has been added."""
        state = self._entries.state()
        if state == self._entries_state:
            return
        by_name = {username: (name, department) for username, name, department in self._people().values()}
        rows = [
            {**row, "display_name": person[0], "department_label": person[1]}
            for row in entry_rows(self._entries, self.access)
            for person in [by_name.get(row["username"], ("", ""))]
        ]
        with transaction(self._connection):
            self._connection.execute("delete from entry_rows")
            self._insert("entry_rows", rows)
        self._entries_state = state

    def _take_withheld(self) -> None:
        """The people whose place is withheld; read again with each publication and each entry."""
        state = (current(self.home), self._entries_state)
        if self.is_dv_authorised or state == self._withheld_state:
            return
        withheld = everyone_withheld(self.home, protected_by_entries(self._entries)) if state[0] else set()
        with transaction(self._connection):
            self._connection.execute("delete from withheld_people")
            self._connection.execute("insert into withheld_people select unnest($1::varchar[])", [sorted(withheld)])
        self._withheld_state = state

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        for row in rows:
            happened = row["happened_at"] + JAPAN
            row["happened_at"], row["happened_day"] = happened, f"{happened:%Y年%m月%d日}"
        frame = pd.DataFrame([row for row in rows if row["action_label"]], columns=[*columns(), "person_group"])
        frame["people"] = frame["people"].astype("Int64")
        self._connection.register("added", frame)
        self._connection.execute(f"insert into {table} select * from added")  # noqa: S608  # one of three names above
        self._connection.unregister("added")


def _log_row(
    line: Any,
    people: Mapping[int, Any],
    boards: Mapping[int, str],
    charts: Mapping[int, str],
    sets: Mapping[int, str],
    pages: Mapping[str, str],
) -> dict[str, Any]:
    kept = json.loads(line.json or "{}")
    happened = line.dttm if isinstance(line.dttm, dt.datetime) else dt.datetime.fromisoformat(line.dttm)
    username, name, department = people.get(line.user_id, ("", "", ""))
    asked = kept.get("people", [])
    return {
        "happened_at": happened,
        "username": username,
        "display_name": name,
        "department_label": department,
        "action_label": _action(line.action, kept.get("format")),
        "place_label": boards.get(line.dashboard_id) or pages.get(kept.get("page") or "") or "",
        "item_label": charts.get(line.slice_id or kept.get("chart")) or sets.get(kept.get("dataset")) or "",
        "person_number": asked[0] if len(asked) == 1 else None,
        "people": kept.get("count") or len(asked) or None,
        "purpose": None,
        "person_numbers": JOINED.join(asked) or None,
        "person_group": kept.get("group"),
    }


def _action(action: str, form: str | None) -> str | None:
    """What was done; None for a line that only others refer to."""
    return EXPORTED_JA if form in EXPORTS else PRINTED_JA if form == "pdf" else ACTIONS_JA.get(action)


def entry_rows(store: EntryStore, access: Access) -> list[dict[str, Any]]:
    """The actions on the pages of entry. Times in UTC; the caller adds names of accounts."""
    pages = {name: page.label_ja for name, page in access.entry_pages.items()}
    rows = [_access_row(row, pages) for row in store.accesses()]
    for row in store.determinations():
        rows.append(
            _row(
                row["determined_at"], row["determined_by"], DETERMINED_JA, pages["assess"],
                f"範囲：{SCOPES_JA.get(row['scope'], row['scope'])}", row["person_id"], None, row["purpose"],
            )
        )  # fmt: skip
    for version in store.versions():
        verb = "deleted" if version.is_deleted else "created" if version.version == 1 else "changed"
        form = forms().get(version.form)
        rows.append(
            _row(
                version.entered_at, version.entered_by, ENTERED_JA, form.label_ja if form else version.form,
                VERBS_JA[verb], version.person_id, None, version.reason,
            )
        )  # fmt: skip
    return rows


def _access_row(row: Mapping[str, Any], pages: Mapping[str, str]) -> dict[str, Any]:
    detail, action = row["detail"], row["action"]
    searched = action.removesuffix("_search")
    is_search = searched != action
    page = pages.get(searched) or next((label for name, label in pages.items() if action.startswith(name)), "")
    if action.startswith("disclosure"):
        page = pages["person_request"]
    fields = "、".join(FIELDS_JA.get(name, name) for name in detail.get("fields", []))
    person = detail.get("person_id")
    shown = detail.get("shown", [])
    people = len(shown) if "shown" in detail else None
    label = SEARCHED_JA if is_search else SEEN_JA if action.endswith(("_list", "_view")) else PRINTED_JA
    label, page = COMMANDS_JA.get(action, (label, page))
    item = detail.get("table") or detail.get("account") or (f"検索した欄：{fields}" if fields else "")
    if action in DELIVERIES_JA:
        label, done = DELIVERIES_JA[action]
        item = "：".join(filter(None, [done, detail.get("delivery")]))
    kept = _row(
        row["happened_at"], row["username"], label, page, item, person or (shown[0] if len(shown) == 1 else None),
        people, row["purpose"],
    )  # fmt: skip
    return {**kept, "person_numbers": JOINED.join(shown or ([person] if person else [])) or None}


def _row(
    at: Any, username: str, action: str, place: str, item: str, person: str | None, people: int | None,
    purpose: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "happened_at": at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at),
        "username": username,
        "action_label": action,
        "place_label": place,
        "item_label": item,
        "person_number": person,
        "people": people if people is not None else (1 if person else None),
        "purpose": purpose,
        "person_numbers": person,
    }


_tables: dict[tuple[Path, bool], AuditTable] = {}
_opening = threading.Lock()


def audit_cursor(home: Home, *, is_dv_authorised: bool) -> duckdb.DuckDBPyConnection:
    """A connection to the audit log of a home, up to date, as AuditTable has it for these readers."""
    with _opening:
        table = _tables.get((home.root, is_dv_authorised))
        if table is None:
            table = _tables[home.root, is_dv_authorised] = AuditTable(home, is_dv_authorised)
    return table.cursor()
