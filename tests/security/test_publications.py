"""Twenty users ask while publications follow each other: no error, and nothing old a second after.

Users are threads on wall B's connections, where the files change hands; what Superset's cache adds is looked at in
test_people; benchmarks/bi.py looks at both together, during a hundred publications.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import pytest
from flask import Flask, g

from kodomo.access.access import read_access
from kodomo.access.staff import COLUMNS, DEMO_STAFF, read_staff
from kodomo.home import Home
from kodomo.publication import publish
from superset_config.security.files import Files
from tests.security.scratch import CHILDREN, write_warehouse

pytestmark = pytest.mark.slow
USERS, PUBLICATIONS, STALE_SECONDS, PAUSE_SECONDS = 20, 12, 1.0, 0.2


class Roles:
    """Tells Superset's roles of everybody: those of one line of the staff list."""

    def __init__(self, names: list[str]) -> None:
        self.roles = [type("Role", (), {"name": name})() for name in names]

    def get_user_roles(self, _user: object) -> list[object]:
        """The roles."""
        return self.roles


def test_twenty_users_during_publications(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    line = next(line for line in DEMO_STAFF.read_text("utf-8").splitlines() if line.startswith("child_ryotsu,"))
    home.staff.write_text(f"{','.join(COLUMNS)}\n{line}\n", encoding="utf-8")
    access = read_access()
    (member,) = read_staff(home.staff, access)
    # Few rows: what is looked at is the change of files.
    write_warehouse(home.warehouse, [child for child in CHILDREN if child.area == "ryotsu"][:4])
    files, roles, app = Files(home, access), Roles(member.roles(access)), Flask("users")
    in_service: list[tuple[float, int]] = []
    answers: list[tuple[float, int]] = []
    failures: list[str] = []
    ended = threading.Event()

    def user() -> None:
        while not ended.wait(PAUSE_SECONDS):
            asked = time.monotonic()
            with app.test_request_context():
                g.user = type("User", (), {"is_active": True, "id": 1})()
                try:
                    _, parameters = files.mutate(None, {}, None, roles, None)
                    connection = parameters["creator"]()
                    cursor = connection.cursor()
                    cursor.execute("select max(due_days) from main.bi_child")
                    answers.append((asked, cursor.fetchone()[0]))
                    connection.close()
                except Exception as error:
                    failures.append(repr(error))

    threads = [threading.Thread(target=user) for _ in range(USERS)]
    try:
        for number in range(1, PUBLICATIONS + 1):
            with duckdb.connect(str(home.warehouse)) as connection:
                connection.execute("update marts.bi_child set due_days = ?", [number])
            publish(home, f"{number:03d}")
            in_service.append((time.monotonic(), number))
            if number == 1:
                for thread in threads:
                    thread.start()
        time.sleep(STALE_SECONDS + 3 * PAUSE_SECONDS)
    finally:
        ended.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    assert not failures
    stale = [
        (answered, number)
        for asked, answered in answers
        for number in [max((n for since, n in in_service if since <= asked - STALE_SECONDS), default=1)]
        if answered < number
    ]
    assert not stale
    seen = {answered for _, answered in answers}
    # Users did ask all along, and at the end see the last one.
    assert len(seen) > PUBLICATIONS / 2
    assert max(answers)[1] == PUBLICATIONS
