"""`kodomo doctor` finds each fault of the catalogue, and whatever meets the fault says the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kodomo import disk, faults
from kodomo.access.staff import DEMO_STAFF
from kodomo.backups import last_backup
from kodomo.clock import today
from kodomo.determination.service import reading
from kodomo.entries.outbox import put_digest
from kodomo.entries.store import EntryStore, outbox
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.ingest.rehearsal import Earlier
from kodomo.ingest.uploads import Uploads
from kodomo.publication import check_in_service, current, publish
from kodomo.publication.inputs import STATEMENTS
from kodomo.publication.publication import EVERYTHING, MANIFEST
from kodomo.run_lock import RunLock
from kodomo.versions import record_version
from kodomo.warehouse import connect, migrate, write_run_parameters
from orchestration.operations import diagnosis
from orchestration.operations.backup import backup, restore
from superset_config.security.own_tables import grants
from tests.security.scratch import write_warehouse

STAFF = ("username,", "admin,", "child_ryotsu,", "health_all,", "analyst_all,")
BROKEN = b"no database " * 5000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which everything is as it should be, with a backup that was restored once."""
    home = Home(tmp_path_factory.mktemp("doctor") / "var").ensure()
    write_warehouse(home.warehouse)
    with connect(home) as connection:
        migrate(connection)
        date = connection.execute("select max(as_of_on) from marts.bi_child").fetchall()[0][0]
        write_run_parameters(connection, "r1", date)
    record_version(home)
    lines = DEMO_STAFF.read_text(encoding="utf-8").splitlines(keepends=True)
    home.staff.write_text("".join(line for line in lines if line.startswith(STAFF)), encoding="utf-8")
    home.staff.chmod(0o600)
    folder = publish(home, "r1")
    (folder / STATEMENTS).write_text("{}", encoding="utf-8")
    EntryStore(home).current("decision")
    home.superset.mkdir(mode=0o700)
    home.secret_key.write_text("k" * 64, encoding="ascii")
    home.secret_key.chmod(0o600)
    backup(home, home.root.parent / "backup")
    restore(Home(home.root.parent / "tried"), home.root.parent / "backup")
    return home


@pytest.fixture
def home(sound: Home, tmp_path: Path) -> Iterator[Home]:
    """A copy of the sound home, to break."""
    root = tmp_path / "var"
    shutil.copytree(sound.root, root, symlinks=True)
    yield Home(root)
    for folder in root.rglob("*"):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)


def overwrite(path: Path, content: bytes | str) -> None:
    if path.exists():
        path.chmod(0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o400)


def folder_of(home: Home) -> Path:
    folder = current(home)
    assert folder is not None
    return folder


def scope_file(home: Home) -> Path:
    return next(file for file in sorted(folder_of(home).glob("*.duckdb")) if file.name != EVERYTHING)


def relabel(home: Home, **changes: object) -> None:
    file = folder_of(home) / MANIFEST
    overwrite(file, json.dumps({**json.loads(file.read_text(encoding="utf-8")), **changes}))


def write_surplus(home: Home) -> None:
    shutil.copy(scope_file(home), folder_of(home) / "area_moon.duckdb")


def age_backup(home: Home) -> None:
    content = json.loads(home.backups.read_text(encoding="utf-8"))
    made_at = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    overwrite(home.backups, json.dumps({**content, "made_at": made_at.isoformat()}))


def untry_backup(home: Home) -> None:
    folder = home.root.parent / "untried"
    folder.mkdir()
    (folder / "backup.json").write_text('{"files": {}}', encoding="utf-8")
    overwrite(home.backups, json.dumps({"folder": str(folder), "made_at": dt.datetime.now(dt.UTC).isoformat()}))


def end_a_grant(home: Home) -> None:
    with sa.create_engine(f"sqlite:///{home.superset_metadata}").begin() as connection:
        grants.create(connection)
        ends_on = today() + dt.timedelta(days=3)
        connection.execute(grants.insert().values(username="child_ryotsu", terms="x", until_on=ends_on))


def write_later_schema(home: Home) -> None:
    with connect(home) as connection:
        connection.execute("insert into raw.schema_versions values (9999, 'later', now()::timestamp)")


def execute(home: Home, statement: str) -> None:
    with connect(home) as connection:
        connection.execute(statement)


def make_outbox_wait(home: Home) -> None:
    store = EntryStore(home)
    put_digest(store, "child_ryotsu", dt.date(2026, 4, 1), ["a@example.jp"], "s", "b", [])
    with store.engine.begin() as connection:
        connection.execute(outbox.update().values(made_at=dt.datetime(2026, 4, 1)))


def make_upload_wait(home: Home) -> None:
    uploads = Uploads(home)
    file = uploads.incoming() / "x"
    file.write_text("a", encoding="utf-8")
    upload_id = str(uuid.uuid4())
    uploads.receive(upload_id, file, "x.csv", by="a", departments=["child"], earlier=Earlier())
    state = home.uploads / upload_id / "upload.json"
    overwrite(state, json.dumps({**json.loads(state.read_text()), "at": "2026-04-01T00:00:00+00:00"}))


def notify(home: Home, *lines: str, address: str = "https://kodomo.example.jp") -> None:
    overwrite(home.notifications, "\n".join([f"address: {address}", "channels:", *(f"  - {line}" for line in lines)]))


def turn_back_entries(home: Home, revision: str) -> None:
    with contextlib.closing(sqlite3.connect(home.entries)) as connection, connection:
        connection.execute("update entry_alembic_version set version_num = ?", [revision])


def damage_backup(home: Home) -> None:
    backup(home, home.root.parent / "broken")
    overwrite(home.root.parent / "broken" / "home" / "staff.csv", "x")


def make_metadata(home: Home) -> None:
    sqlite3.connect(home.superset_metadata).close()


def end_a_server(home: Home) -> None:
    home.servers.write_text(json.dumps({"Superset": {"pid": 2**22, "started": "1"}}), encoding="utf-8")


def version(home: Home, number: str) -> None:
    overwrite(home.version, json.dumps({"version": number}))


def without_admin(home: Home) -> None:
    lines = home.staff.read_text(encoding="utf-8").splitlines()
    overwrite(home.staff, "\n".join(line for line in lines if not line.startswith("admin,")) + "\n")


def cut_the_link(home: Home) -> None:
    (home.published / "current").unlink()
    (home.published / "current").symlink_to("gone")


BREAKS: dict[str, Callable[[Home], object]] = {
    "home_missing": lambda home: home.root.rename(home.root.with_name("moved")),
    "home_open": lambda home: home.secret_key.chmod(0o644),
    "unknown_files": lambda home: (home.root / "copy of staff.csv").write_text("x", encoding="utf-8"),
    "clock_behind": lambda home: relabel(home, published_at="2199-01-01T00:00:00+00:00"),
    "key_broken": lambda home: overwrite(home.secret_key, ""),
    "home_newer": lambda home: version(home, "99.0.0"),
    "home_too_old": lambda home: version(home, "0.0.9"),
    "home_older": lambda home: home.version.unlink(),
    "migrations_missing": lambda home: execute(home, "delete from raw.schema_versions where version = 3"),
    "superset_other": make_metadata,
    "batch_old": lambda home: relabel(home, published_at="2026-04-01T00:00:00+00:00"),
    "run_killed": lambda home: overwrite(home.run_lock, json.dumps({"run_id": "nightly", "pid": 1})),
    "vital_unreadable": lambda home: relabel(home, published_at="yesterday"),
    "publication_behind": lambda home: execute(home, "update raw.run_parameters set run_id = 'r2'"),
    "delivery_held": lambda home: execute(
        home, "create or replace table raw.deliveries as select 'resident_register' as source_id, 'held' as status"
    ),
    "mails_stuck": make_outbox_wait,
    "uploads_stuck": make_upload_wait,
    "entries_newer": lambda home: turn_back_entries(home, "9999"),
    "backup_damaged": damage_backup,
    "server_dead": end_a_server,
    "notifications_empty": notify,
    "notifications_address": lambda home: notify(home, "{kind: smtp, host: m, sender: a@b.jp, recipients: [nobody]}"),
    "notifications_staff": lambda home: notify(home, "{kind: file, folder: /srv/notices, staff: left_long_ago}"),
    "notifications_wrong": lambda home: overwrite(home.notifications, "a: [b"),
    "settings_wrong": lambda home: overwrite(home.local_settings, "AUTH_TYPE ="),
    "warehouse_damaged": lambda home: overwrite(home.warehouse, BROKEN),
    "warehouse_missing": lambda home: home.warehouse.unlink(),
    "entries_damaged": lambda home: overwrite(home.entries, BROKEN),
    "metadata_damaged": lambda home: overwrite(home.superset_metadata, BROKEN),
    "staff_missing": lambda home: home.staff.unlink(),
    "staff_wrong": lambda home: overwrite(home.staff, home.staff.read_text(encoding="utf-8") + "x,y,nowhere,,,0\n"),
    "staff_without_admin": without_admin,
    "publication_missing": lambda home: (home.published / "current").unlink(),
    "publication_link": cut_the_link,
    "publication_manifest": lambda home: overwrite(folder_of(home) / MANIFEST, "{"),
    "publication_label": lambda home: relabel(home, as_of_on="2031-01-01"),
    "publication_rules": lambda home: relabel(home, access="other"),
    "publication_everything": lambda home: overwrite(folder_of(home) / EVERYTHING, BROKEN),
    "publication_statements": lambda home: (folder_of(home) / STATEMENTS).unlink(),
    "scope_missing": lambda home: scope_file(home).unlink(),
    "scope_damaged": lambda home: overwrite(scope_file(home), BROKEN),
    "scope_surplus": write_surplus,
    "scope_writable": lambda home: scope_file(home).chmod(0o600),
    "backup_missing": lambda home: home.backups.unlink(),
    "backup_old": age_backup,
    "backup_untried": untry_backup,
    "grants_ending": end_a_grant,
}


def finding_codes(home: Home) -> set[str]:
    return {finding.fault.code for finding in diagnosis.diagnose(home) if finding.fault is not None}


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server of this machine is no fault of the home."""
    monkeypatch.setattr(diagnosis, "port_is_free", lambda _host, _port: True)


def test_a_sound_home_has_no_fault(home: Home) -> None:
    assert finding_codes(home) == set()


@pytest.mark.parametrize("code", BREAKS)
def test_each_fault_is_reported_with_cause_effect_and_cure(home: Home, code: str) -> None:
    BREAKS[code](home)
    findings = [finding for finding in diagnosis.diagnose(home) if finding.fault and finding.fault.code == code]
    assert findings, finding_codes(home)
    shown = findings[0].fault
    assert shown.cause
    assert shown.effect
    assert shown.cure
    assert "another run" not in shown.text


def test_faults_of_the_machine(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "port_is_free", lambda _host, port: port != 8088)
    monkeypatch.setattr(diagnosis, "locate", lambda _name: None)
    monkeypatch.setattr(diagnosis, "version", lambda _package: "0")
    monkeypatch.setattr(diagnosis, "DBT_LINKS", {"models": "../elsewhere"})
    monkeypatch.setattr(diagnosis.sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**30))
    monkeypatch.setattr(diagnosis, "check", lambda *_given: [SimpleNamespace(is_fatal=True)])
    assert finding_codes(home) == {
        "port_taken", "program_missing", "packages", "dbt_links", "python_version", "disk_full", "definition_wrong"
    }  # fmt: skip


def test_every_fault_of_the_catalogue_is_broken_here() -> None:
    of_the_machine = {
        "port_taken", "program_missing", "packages", "dbt_links", "python_version", "disk_full", "definition_wrong"
    }  # fmt: skip
    elsewhere = {
        "warehouse_newer", "home_owner", "disk_low", "run_long", "database_unreachable",
        "certificate_ended", "certificate_ending", "certificate_wrong",
    }  # fmt: skip
    assert set(BREAKS) | of_the_machine | elsewhere == set(faults.codes())


@pytest.mark.parametrize(
    ("days", "code"), [(-1, "certificate_ended"), (20, "certificate_ending"), (90, None), (None, "certificate_wrong")]
)
def test_a_certificate_is_reported_before_it_ends(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int | None, code: str | None
) -> None:
    file = tmp_path / "kodomo.crt"
    file.write_bytes(b"no certificate" if days is None else certificate(days))
    monkeypatch.setenv("KODOMO_CERTIFICATE", str(file))
    assert finding_codes(home) == ({code} if code else set())


def certificate(days: int) -> bytes:
    """A certificate signed by itself that ends in so many days, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kodomo")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_home_of_another_user_is_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = home.root.stat().st_uid
    monkeypatch.setattr(diagnosis.os, "getuid", lambda: owner + 1)
    assert finding_codes(home) == {"home_owner"}


def test_a_run_that_holds_the_lock_too_long_is_reported(home: Home) -> None:
    lock = RunLock(home, "nightly")
    lock.acquire()
    content = json.loads(home.run_lock.read_text(encoding="utf-8"))
    home.run_lock.write_text(json.dumps({**content, "since": "2026-04-01T00:00:00+00:00"}), encoding="utf-8")
    assert finding_codes(home) == {"run_long"}
    lock.release()


def test_a_disk_with_room_for_one_run_only_is_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    free = int(2.2 * 2**30)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert finding_codes(home) == {"disk_low"}


def test_a_database_server_that_does_not_answer_is_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KODOMO_METADATA_URI", "postgresql+psycopg2://kodomo@127.0.0.1:1/kodomo")
    assert {"database_unreachable", "metadata_damaged"} <= finding_codes(home)


def test_a_home_of_another_version_is_judged_no_further(home: Home) -> None:
    version(home, "99.0.0")
    overwrite(home.entries, BROKEN)
    assert finding_codes(home) == {"home_newer"}


def test_a_later_schema_stops_a_run_with_the_same_words(home: Home) -> None:
    write_later_schema(home)
    with pytest.raises(FaultError) as raised, connect(home) as connection:
        migrate(connection)
    assert str(raised.value) == faults.fault("warehouse_newer").text


@pytest.mark.parametrize(
    ("code", "act"),
    [
        ("warehouse_damaged", lambda home: connect(home).__enter__()),
        ("warehouse_damaged", lambda home: connect(home, read_only=True).__enter__()),
        ("publication_everything", lambda home: reading(home).__enter__()),
        ("publication_everything", check_in_service),
        ("publication_label", check_in_service),
    ],
)
def test_command_reports_a_fault_as_the_doctor_does(home: Home, code: str, act: Callable[[Home], object]) -> None:
    BREAKS[code](home)
    shown = next(one.fault for one in diagnosis.diagnose(home) if one.fault and one.fault.code == code)
    with pytest.raises(FaultError) as raised:
        act(home)
    assert str(raised.value) == raised.value.ja == shown.text


def test_a_warehouse_in_use_is_no_fault(home: Home) -> None:
    lock = RunLock(home, "nightly")
    lock.acquire()
    with lock.used(), connect(home):
        assert finding_codes(home) == set()
    lock.release()


def test_a_restore_puts_back_what_the_manifest_names_and_runs_nothing(home: Home, tmp_path: Path) -> None:
    overwrite(home.local_settings, "AUTH_TYPE = 1\n")
    folder = backup(home, tmp_path / "copy")
    (folder / "home" / "superset" / "sessions").mkdir()
    (folder / "home" / "superset" / "sessions" / "planted").write_text("x", encoding="utf-8")
    target = Home(tmp_path / "again")
    restore(target, folder)
    assert not (target.sessions / "planted").exists()
    assert not target.local_settings.exists()
    assert target.local_settings.with_name("local_settings.py.restored").exists()
    assert current(target) is not None
    assert last_backup(home).is_restored


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside"])
def test_a_backup_that_leads_out_of_itself_is_refused(home: Home, tmp_path: Path, name: str) -> None:
    folder = backup(home, tmp_path / "copy")
    manifest = json.loads((folder / "backup.json").read_text(encoding="utf-8"))
    manifest["links"] = {"published/current": name}
    overwrite(folder / "backup.json", json.dumps(manifest))
    with pytest.raises(Exception, match="outside of itself"):
        restore(Home(tmp_path / "again"), folder)
    assert not (tmp_path / "again").exists()
