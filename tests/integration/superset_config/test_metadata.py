"""Superset's metadata on PostgreSQL, by one setting."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import requests

from kodomo.access.staff import COLUMNS
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.programs import require_program
from kodomo.publication import publish
from orchestration.operations.audit import verify
from tests.security.scratch import CHILDREN, write_warehouse
from tests.security.servers import apply, free_port, passwords, serve

pytestmark = pytest.mark.slow


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's PostgreSQL on a free port, as the user postgres (root may not run it); yields its address."""
    account = pwd.getpwnam("postgres")
    setpriv = require_program("setpriv")
    folder = Path("/tmp") / f"kodomo-postgresql-{os.getpid()}"
    folder.mkdir(mode=0o700)
    os.chown(folder, account.pw_uid, account.pw_gid)
    port = free_port()

    def run(*command: str) -> None:
        subprocess.run(
            [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", *command],
            check=True,
            cwd=folder,
            # A language of messages is no locale of this machine.
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
        )

    data = str(folder / "data")
    run(require_program("initdb"), "-D", data, "-U", "kodomo", "--auth=trust", "-E", "UTF8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run(require_program("pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        connection = psycopg2.connect(host="127.0.0.1", port=port, user="kodomo", dbname="postgres")
        connection.autocommit = True
        connection.cursor().execute("create database superset")
        connection.close()
        yield f"postgresql+psycopg2://kodomo@127.0.0.1:{port}/superset"
    finally:
        run(require_program("pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_metadata_may_be_on_postgresql(tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "var").ensure()
    write_warehouse(home.warehouse)
    home.staff.write_text(
        "\n".join([",".join(COLUMNS), "aoi,青井,child,mano,case_worker,0", "ibu,井深,child,kanai,case_worker,0"])
        + "\n",
        encoding="utf-8",
    )
    publish(home, "r1")
    said = apply(home, "--verbose", KODOMO_METADATA_URI=postgresql)
    assert "account aoi: made" in said
    assert not (home.superset / "superset.db").exists()
    assert "Everything is as the files say." in apply(home, KODOMO_METADATA_URI=postgresql)
    with psycopg2.connect(postgresql.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
        cursor.execute("select id from tables where table_name = 'bi_child'")
        (dataset,) = cursor.fetchone()
    with serve(home, KODOMO_METADATA_URI=postgresql) as server:
        for username, area in (("aoi", "mano"), ("ibu", "kanai")):
            person = server.log_in(username, passwords(home)[username])
            answer = person.ask(dataset, columns=["person_id"])
            assert answer.status_code == requests.codes.ok, answer.text
            seen = {row["person_id"] for row in answer.json()["result"][0]["data"]}
            assert seen == {c.name for c in CHILDREN if c.area == area and not c.is_protected}
        ibu = server.log_in("ibu", passwords(home)["ibu"])
        with psycopg2.connect(postgresql.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
            cursor.execute("update kodomo_grant set until_on = date '2026-01-01' where username = 'ibu'")
        assert "利用期限" in ibu.get("/api/v1/me/").json()["message"]
    # Both chains of the audit log are in the one database.
    monkeypatch.setenv("KODOMO_METADATA_URI", postgresql)
    EntryStore(home).note_access("aoi", "child_view", person_id="P001")
    for verdict in verify(home):
        assert verdict.lines > 0
        assert verdict.finding is None
