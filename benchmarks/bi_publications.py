"""Twenty users ask Superset while a hundred publications follow each other: answers, errors, and what was old.

.venv/bin/python -m benchmarks.bi_publications [publications] [users]

A scratch home of its own; each publication writes its number, each user asks for the newest one.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb

from kodomo.access.staff import COLUMNS, DEMO_STAFF
from kodomo.publication import publish
from tests.security.scratch import CHILDREN, write_warehouse
from tests.security.servers import Person, build_home, serve

ACCOUNT = "child_ryotsu"
STALE_SECONDS, PAUSE_SECONDS = 1.0, 0.5
NEWEST = {
    "expressionType": "SIMPLE", "aggregate": "MAX", "column": {"column_name": "due_days"}, "label": "newest",
}  # fmt: skip


def main(publications: int = 100, users: int = 20) -> None:
    """Print how many answers, errors and stale answers there were."""
    with tempfile.TemporaryDirectory() as folder:
        home = build_home(Path(folder) / "var")
        with serve(home) as server:
            people = [server.log_in(ACCOUNT) for _ in range(users)]
            dataset = server.datasets()["bi_child"]
            line = next(row for row in DEMO_STAFF.read_text("utf-8").splitlines() if row.startswith(f"{ACCOUNT},"))
            home.staff.write_text(f"{','.join(COLUMNS)}\n{line}\n", encoding="utf-8")
            write_warehouse(home.warehouse, [child for child in CHILDREN if child.area == "ryotsu"][:4])
            in_service: list[tuple[float, int]] = []
            answers: list[tuple[float, int]] = []
            errors: list[int] = []
            ended = threading.Event()

            def ask(person: Person) -> None:
                while not ended.wait(PAUSE_SECONDS):
                    asked = time.monotonic()
                    answer = person.ask(dataset, metrics=[NEWEST])
                    if answer.status_code == 200:
                        answers.append((asked, answer.json()["result"][0]["data"][0]["newest"]))
                    else:
                        errors.append(answer.status_code)

            threads = [threading.Thread(target=ask, args=[person]) for person in people]
            began = time.monotonic()
            for number in range(1, publications + 1):
                with duckdb.connect(str(home.warehouse)) as connection:
                    connection.execute("update marts.bi_child set due_days = ?", [number])
                publish(home, f"{number:04d}")
                in_service.append((time.monotonic(), number))
                if number == 1:
                    for thread in threads:
                        thread.start()
            seconds = time.monotonic() - began
            time.sleep(STALE_SECONDS + PAUSE_SECONDS)
            ended.set()
            for thread in threads:
                thread.join()
    stale = [
        answered
        for asked, answered in answers
        if answered < max((number for since, number in in_service if since <= asked - STALE_SECONDS), default=1)
    ]
    print(f"{publications} publications in {seconds:.0f} s, {users} users: {len(answers)} answers,")
    print(f"{len(errors)} errors, {len(stale)} answers older than {STALE_SECONDS:.0f} s,")
    print(f"{len({answered for _, answered in answers})} publications seen, the last one was {max(answers)[1]}")


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:3]))
