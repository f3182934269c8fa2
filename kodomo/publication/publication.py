"""Publications: folders of read-only files, and the link ``current``, which is switched with one rename."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kodomo import clock
from kodomo.access.access import ACCESS_FILE, Access, export_scope, read_access
from kodomo.access.scope import NO_SCOPE, Scope
from kodomo.access.staff import read_staff, scopes_in_use
from kodomo.errors import KodomoError, PublicationHeldError, UsageError
from kodomo.files import seal, sync_folder, write_atomically
from kodomo.home import Home
from kodomo.publication.identity import Identity, copy_run, identity_of, require_agreement
from kodomo.publication.inputs import SHOWN_BY, VIEWS, copy_inputs, copy_profiles, copy_relation, write_statements
from kodomo.publication.tables import (
    MARTS,
    audience_table_sql,
    check_rules,
    columns_of,
    literal,
    pseudonym_key,
    published_of,
    quote,
    scope_table_sql,
)
from kodomo.run_lock import writing
from kodomo.warehouse import connect, explain_open_error, transaction

CURRENT = "current"
KEPT = 3
"""How many publications are kept."""
EVERYTHING = "everything.duckdb"
"""The marts as they were published (schema ``marts``), for auditors, and the audiences' tables over them as views, from
which the scope files are made. No connection of BI leads to it."""
MANIFEST = "publication.json"
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Publication:
    """One publication, as described by its manifest."""

    name: str
    folder: Path
    number: int
    """Counts publications in their order, whatever the clock said; 0 for those made before there was one."""
    published_at: str
    scopes: list[str]
    is_current: bool


def publish(home: Home, run_id: str) -> Path:
    """Publish the marts of the last build as ``published/<run_id>`` and put them in service.

    Returns the folder. Whatever fails or is killed on the way leaves what is in service as it was. Raises
    KodomoError when a bi_ table has no rule in access.yml, the staff list is not understood, or the warehouse holds the
    rows of another run.
    """
    access = read_access()
    if not home.warehouse.exists():
        raise KodomoError("There is no warehouse yet: run `kodomo run --landing DIR --as-of DATE` first.")
    with _locked(home):
        staff = read_staff(home.staff, access)
        _remove_unfinished(home)
        folder = home.published / _free_name(home, run_id)
        work = home.published / f"{_UNFINISHED}{folder.name}"
        work.mkdir(mode=0o700)
        try:
            identity = _write_everything(home, access, work)
            if identity.run_id not in {None, run_id}:
                raise KodomoError("The warehouse holds the rows of another run: run `kodomo run` again, alone.")
            scopes = _write_scopes(work, access, scopes_in_use(staff, clock.today()))
            last = max((publication.number for publication in list_publications(home)), default=0)
            content = {**identity.to_manifest(), "access": access_hash(), "number": last + 1}
            _write_manifest(work, {**content, "person_deletions": _person_deletions(home)}, scopes)
            sync_folder(work)
            work.rename(folder)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
        sync_folder(home.published)
        _switch(home, folder.name)
        _remove_old(home)
    return folder


def refresh(home: Home) -> list[str]:
    """Make the files in service fit the staff list: add new scopes, remove those that no account has any more.

    Returns what was done, for people. Raises KodomoError when access.yml has changed since the publication: then
    only a new run may publish.
    """
    access = read_access()
    scopes = scopes_in_use(read_staff(home.staff, access), clock.today())
    with _locked(home):
        folder = current(home)
        return [] if folder is None else _refresh_folder(folder, access, scopes)


def rollback(home: Home, name: str | None = None) -> Path:
    """Put an earlier publication in service: ``name``, or the one before the one in service.

    Raises KodomoError where it would show the place of a person who has been protected since, or where its label is
    not that of its rows, and RunInProgressError while a run holds the home.
    """
    access = read_access()
    scopes = scopes_in_use(read_staff(home.staff, access), clock.today())
    with writing(home, "a rollback"), _locked(home):
        publications = list_publications(home)
        names = [publication.name for publication in publications]
        if name is None:
            in_service = next((i for i, p in enumerate(publications) if p.is_current), len(names))
            if in_service == 0 or not names:
                raise UsageError("There is no earlier publication to go back to.")
            name = names[in_service - 1]
        if name not in names:
            raise UsageError("There is no publication {name}: `kodomo publish --list` shows those kept.", name=name)
        folder = home.published / name
        require_agreement(folder, folder / EVERYTHING, _read_manifest(folder))
        _refuse_unprotected(home, folder, publications[-1].folder)
        # A user whose duty has changed since must not see what the old list gave.
        _refresh_folder(folder, access, scopes)
        _switch(home, name)
        return folder


def _refuse_unprotected(home: Home, folder: Path, newest: Path) -> None:
    """Raise KodomoError when ``folder`` shows the place of a person protected in ``newest`` or by telephone."""
    from kodomo.entries.protection import protected_by_entries
    from kodomo.entries.store import EntryStore

    protected_ids = sorted(protected_by_entries(EntryStore(home)))
    unprotected: set[str] = set()
    with _open() as connection:
        for alias, place in (("then", folder), ("now", newest)):
            connection.execute(f"attach {literal(str(place / EVERYTHING))} as published_{alias} (read_only)")
        marts = [columns_of(connection, f"published_{alias}", MARTS) for alias in ("then", "now")]
        for mart in ("dim_person", "bi_child"):
            if all("is_dv_protected" in columns.get(mart, {}) for columns in marts):
                rows = connection.execute(
                    f"""
                    select old.person_id
                    from published_then.{MARTS}.{mart} as old
                    left join published_now.{MARTS}.{mart} as new on old.person_id = new.person_id
                    where old.is_dv_protected is false
                        and (
                            (new.person_id is not null and new.is_dv_protected is not false)
                            or list_contains($protected_ids::varchar[], old.person_id)
                        )
                    """,
                    {"protected_ids": protected_ids},
                )
                unprotected |= {row[0] for row in rows.fetchall()}
    if unprotected:
        raise KodomoError(
            "{count} people are protected now who were not when {name} was published: it would show "
            "where they live. What is in service stays; mend what is wrong with it and run `kodomo "
            "run`.",
            count=len(unprotected),
            name=folder.name,
        )


def check_in_service(home: Home) -> None:
    """Raise KodomoError where what is in service says another run, date, definition or format than its rows."""
    folder = current(home)
    if folder is not None:
        require_agreement(folder, folder / EVERYTHING, _read_manifest(folder))


def list_publications(home: Home) -> list[Publication]:
    """The publications that are kept, oldest first."""
    if not home.published.exists():
        return []
    in_service = current(home)
    publications = []
    for folder in home.published.iterdir():
        if folder.is_symlink() or not (folder / MANIFEST).exists():
            continue
        manifest = _read_manifest(folder)
        publications.append(
            Publication(
                folder.name,
                folder,
                manifest.get("number", 0),
                manifest["published_at"],
                sorted(manifest["scopes"]),
                folder == in_service,
            )
        )
    return sorted(
        publications, key=lambda publication: (publication.number, publication.published_at, publication.name)
    )


def current(home: Home) -> Path | None:
    """The folder in service itself: the link to it would change under a reader."""
    try:
        folder = home.published / (home.published / CURRENT).readlink()
    except FileNotFoundError:
        return None
    return folder if folder.exists() else None


def scope_file(home: Home, scope: Scope) -> Path | None:
    """Real path of the file of a scope in what is in service: the empty one if the scope has none.

    None where nothing has been published.
    """
    return file_of(current(home), scope)


def file_of(folder: Path | None, scope: Scope) -> Path | None:
    """The file of a scope in the folder of a publication, as ``scope_file`` says."""
    if folder is None:
        return None
    file = folder / f"{scope.key}.duckdb"
    return file if file.exists() else folder / f"{NO_SCOPE}.duckdb"


def exported_file(home: Home) -> Path | None:
    """Real path of the marts in service (schema ``marts``), for `kodomo export --published`."""
    folder = current(home)
    return None if folder is None else folder / EVERYTHING


def access_hash() -> str:
    """Which rules a publication was made with."""
    return hashlib.sha256(ACCESS_FILE.read_bytes()).hexdigest()


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """One publisher at a time; the lock goes with the process."""
    home.ensure()
    home.published.mkdir(mode=0o700, exist_ok=True)
    with (home.published / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _free_name(home: Home, run_id: str) -> str:
    number, name = 1, run_id
    while (home.published / name).exists():
        number += 1
        name = f"{run_id}-{number}"
    return name


def _open(file: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(file))
    connection.execute("set preserve_insertion_order = false")
    return connection


def _write_everything(home: Home, access: Access, work: Path) -> Identity:
    """The marts as they are, and over them a view for every table of every audience, with every row.

    Returns what the rows say of their run. Raises PublicationHeldError where rounded counts give one away.
    """
    # At start-up it would cost every command the import of a solver.
    from kodomo.publication.rounded import write_rounded

    in_service = current(home)
    with _open() as connection:
        try:
            connection.execute(f"attach {literal(str(home.warehouse))} as warehouse (read_only)")
        except duckdb.Error as error:
            raise explain_open_error(error) from error
        marts = columns_of(connection, "warehouse", MARTS)
        check_rules(access, marts)
        connection.execute(f"attach {literal(str(work / EVERYTHING))} as everything")
        # Rows are copied in an order.
        connection.execute("set preserve_insertion_order = true")
        # One transaction: each commit waits for the disk.
        with transaction(connection):
            connection.execute(f"create schema everything.{MARTS}")
            write_statements(work, copy_inputs(connection, home, "warehouse", "everything"))
            kept = columns_of(connection, "everything", "intermediate")
            for name in (name for name in marts if f"{MARTS}.{name}" not in VIEWS):
                relation = f"{MARTS}.{quote(name)}"
                schema, _, rows = SHOWN_BY.get(f"{MARTS}.{name}", "").partition(".")
                if rows in kept:
                    columns = ", ".join(map(quote, marts[name]))
                    connection.execute(f"create view everything.{relation} as select {columns} from {schema}.{rows}")
                else:
                    copy_relation(connection, "warehouse", "everything", relation, marts[name])
            key = pseudonym_key(home.pseudonym_key)
            for table in published_of(access.published_tables(), marts):
                if table.grant.is_rounded:
                    exposed = write_rounded(
                        connection, "everything", table.name, table.source, key, in_service and in_service / EVERYTHING
                    )
                    if exposed:
                        raise PublicationHeldError(
                            "Nothing was published; what is in service stays. Rounded counts of {table} would give "
                            "away others within it or beside what is in service: {tables}. Run `kodomo run` again "
                            "when the counts have changed.",
                            table=table.name,
                            tables=", ".join(map(str, exposed)),
                        )
                    continue
                sql = audience_table_sql(table, marts[table.source], access, f"{MARTS}.{quote(table.source)}", key)
                connection.execute(f"create view everything.main.{quote(table.name)} as {sql}")
            copy_run(connection, "warehouse", "everything")
            copy_profiles(connection, "warehouse", "everything")
        identity = identity_of(connection, "everything")
        connection.execute("detach everything")
    seal(work / EVERYTHING, 0o400)
    return identity


def _write_scopes(folder: Path, access: Access, scopes: Iterable[Scope]) -> list[str]:
    """A file for each scope, made from the tables of the audiences; returns their keys."""
    wanted = {scope.key: scope for scope in scopes if not scope.is_empty}
    wanted[export_scope(access).key] = export_scope(access)
    with _open() as connection:
        connection.execute(f"attach {literal(str(folder / EVERYTHING))} as everything (read_only)")
        published = set(columns_of(connection, "everything", "main"))

        def write(item: tuple[int, tuple[str, Scope | None]]) -> None:
            number, (key, scope) = item
            file = folder / f"{_UNFINISHED}{key}.duckdb"
            file.unlink(missing_ok=True)
            alias = f"scope_{number}"
            with connection.cursor() as cursor:
                cursor.execute(f"attach {literal(str(file))} as {alias}")
                with transaction(cursor):
                    for table in access.tables_for(scope) if scope else []:
                        if table.name in published:
                            sql = scope_table_sql(table, scope, f"everything.main.{quote(table.name)}")
                            cursor.execute(f"create table {alias}.main.{quote(table.name)} as {sql}")
                cursor.execute(f"detach {alias}")
            seal(file, 0o440)
            # In its place only when it is whole: other processes may be reading the folder.
            file.rename(folder / f"{key}.duckdb")

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(write, enumerate([*wanted.items(), (NO_SCOPE, None)])))
    return sorted([*wanted, NO_SCOPE])


def _refresh_folder(folder: Path, access: Access, scopes: Iterable[Scope]) -> list[str]:
    manifest = _read_manifest(folder)
    if manifest["access"] != access_hash():
        raise KodomoError(
            "access.yml has changed since the publication {name}: run `kodomo run` to publish by the new rules.",
            name=folder.name,
        )
    wanted = {scope.key: scope for scope in scopes if not scope.is_empty}
    wanted[export_scope(access).key] = export_scope(access)
    existing_keys = {file.stem for file in folder.glob("*.duckdb")} - {Path(EVERYTHING).stem}
    missing = {key: scope for key, scope in wanted.items() if key not in existing_keys}
    gone = sorted(existing_keys - set(wanted) - {NO_SCOPE})
    if not missing and not gone:
        return []
    if missing:
        _write_scopes(folder, access, missing.values())
    for key in gone:
        (folder / f"{key}.duckdb").unlink()
    _write_manifest(folder, manifest, [*wanted, NO_SCOPE])
    sync_folder(folder)
    return [f"scope {key}: file made" for key in sorted(missing)] + [f"scope {key}: file removed" for key in gone]


def _person_deletions(home: Home) -> int:
    """How many rows of people have been deleted for good: what was published before the last of them may hold it."""
    with connect(home, read_only=True) as connection:
        if not columns_of(connection, home.warehouse.stem, "raw").get("person_deletions"):
            return 0
        return connection.execute("select count(*) from raw.person_deletions").fetchall()[0][0]


def _write_manifest(folder: Path, content: Mapping[str, Any], scopes: Iterable[str]) -> None:
    """The manifest with these scopes; without a time of publication in ``content`` it is this moment."""
    content = {"published_at": dt.datetime.now(dt.UTC).isoformat(), **content, "scopes": sorted(scopes)}
    write_atomically(folder / MANIFEST, json.dumps(content, indent=2) + "\n", mode=0o440)


def _read_manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def _switch(home: Home, name: str) -> None:
    link = home.published / f"{_UNFINISHED}link"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(home.published / CURRENT)
    sync_folder(home.published)


def _remove_old(home: Home) -> None:
    publications = list_publications(home)
    for publication in publications[:-KEPT]:
        if not publication.is_current:
            shutil.rmtree(publication.folder)


def drop_older(home: Home, folder: Path) -> None:
    """Take away the publications made before the last deletion of a person's rows that ``folder`` was made after.

    By the deletions they record and not by a time of day: going back to them is ruled out, whatever the clock said.
    """
    with _locked(home):
        deletions = _read_manifest(folder).get("person_deletions", 0)
        for publication in list_publications(home):
            before = _read_manifest(publication.folder).get("person_deletions", 0) < deletions
            if before and publication.folder != folder:
                shutil.rmtree(publication.folder)


def _remove_unfinished(home: Home) -> None:
    """What a killed publisher left behind."""
    for path in home.published.glob(f"{_UNFINISHED}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
