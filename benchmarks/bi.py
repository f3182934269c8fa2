"""Chart data of the overview and the list: p50 and p95 with 1, 5 and 20 users, uncached and cached, beside a stock
Superset and the bare engine on the same queries and the same file.

.venv/bin/python -m benchmarks.bi HOME [account] [requests per measurement]

HOME has been published and applied (`kodomo run`, `kodomo superset apply`); Superset is started as `kodomo serve` does,
on a free port, and stopped; the stock one likewise, over a copy of the metadata (benchmarks/stock_superset.py). Users
and servers share this machine's cores; the two are asked in turn. GUNICORN_CMD_ARGS (``--threads 4``) goes for both.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb

from kodomo.access.access import read_access
from kodomo.access.staff import read_staff
from kodomo.home import Home
from kodomo.publication import scope_file
from superset_config.asset_audiences import for_audiences
from superset_config.asset_files import query, read_assets
from superset_config.security.files import CONNECTION_CONFIG
from tests.security.servers import Person, Server, serve

DASHBOARDS = ("overview", "list")
USERS = (1, 5, 20)
STOCK = Path(__file__).with_name("stock_superset.py")
GOAL = 1.25
"""The most that an uncached answer may take, as a multiple of the stock one."""


def questions(server: Server, slug: str) -> list[dict]:
    """The body of the request of every chart of a dashboard, as the browser sends it."""
    assets = for_audiences(read_assets(), read_access())
    numbers = server.datasets()
    bodies = []
    for key in assets.dashboards[slug].charts():
        chart = assets.charts[key]
        asked = query(chart)
        if chart.params.get("server_pagination"):
            asked["row_limit"] = chart.params["server_page_length"]
        bodies.append(
            {
                "datasource": {"id": numbers[chart.dataset], "type": "table"},
                "queries": [asked],
                "result_format": "json",
                "result_type": "full",
            }
        )
    return bodies


def measure(users: int, requests: int, ask: Callable[[int, int], None]) -> list[float]:
    """Seconds of each of ``requests`` questions, asked by so many users at once, each one after another."""
    numbers, seconds, failures = itertools.count(), [], []

    def one_user(user: int) -> None:
        while (number := next(numbers)) < requests:
            began = time.perf_counter()
            try:
                ask(user, number)
            except Exception as error:
                failures.append(repr(error)[:200])
                return
            seconds.append(time.perf_counter() - began)

    threads = [threading.Thread(target=one_user, args=[user]) for user in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} questions failed: {failures[0]}")
    return seconds


def percentiles_text(seconds: list[float]) -> str:
    """p50 and p95 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"{cuts[9] * 1000:8.0f} {cuts[18] * 1000:8.0f}"


def ask_server(people: list[Person], bodies: list[dict], force: bool) -> Callable[[int, int], None]:
    """One question to Superset."""
    texts = [json.dumps({**body, "force": force}) for body in bodies]

    def ask(user: int, number: int) -> None:
        answer = people[user].send(
            "POST", "/api/v1/chart/data", data=texts[number % len(texts)], headers={"Content-Type": "application/json"}
        )
        if answer.status_code != 200:
            raise RuntimeError(answer.text[:200])

    return ask


def ask_engine(file: Path, statements: list[str]) -> Callable[[int, int], None]:
    """One question to the engine alone: the file is open, as in a process of Superset, and everything is fetched."""
    opened = duckdb.connect(str(file), read_only=True, config=dict(CONNECTION_CONFIG))

    def ask(_user: int, number: int) -> None:
        with opened.cursor() as cursor:
            cursor.execute(statements[number % len(statements)]).fetchall()

    return ask


def stock_home(home: Home, file: Path, folder: Path) -> Home:
    """A copy of Superset's metadata in which the database is the scope's file itself."""
    copy = Home(folder / "var").ensure()
    shutil.copytree(home.superset, copy.superset, dirs_exist_ok=True, ignore=shutil.ignore_patterns("sessions"))
    shutil.copy(home.staff, copy.staff)
    shutil.copy(home.demo_accounts, copy.demo_accounts)
    options = {"engine_params": {"connect_args": {"read_only": True, "config": dict(CONNECTION_CONFIG)}}}
    with closing(sqlite3.connect(copy.superset / "superset.db")) as connection, connection:
        connection.execute("update dbs set sqlalchemy_uri = ?, extra = ?", [f"duckdb:///{file}", json.dumps(options)])
    return copy


def ratios(ours: list[float], stock: list[float]) -> str:
    """p50 and p95 of ours as multiples of the stock ones."""
    cuts = [statistics.quantiles(seconds, n=20, method="inclusive") for seconds in (ours, stock)]
    return " ".join(f"{cuts[0][place] / cuts[1][place]:8.2f}" for place in (9, 18))


def main(root: str, account: str = "child_all_nodv", requests: int = 240) -> None:
    """Print one line for each dashboard and number of users."""
    home = Home(Path(root))
    os.environ["KODOMO_HOME"] = str(home.root)
    scope = next(member.scope for member in read_staff(home.staff, read_access()) if member.username == account)
    file = scope_file(home, scope).resolve()
    with duckdb.connect(str(file), read_only=True, config=dict(CONNECTION_CONFIG)) as connection:
        children = connection.execute("select count(*) from bi_child").fetchone()[0]
    print(f"{children:,} children in the scope of {account}; {os.cpu_count()} cores; {requests} questions each; ms")
    print(f"{'':28}{'uncached':>17} {'stock':>17} {f'times (goal {GOAL})':>17} {'cached':>17} {'engine alone':>17}")
    print(f"{'dashboard':20}{'users':>8}" + f"{'p50':>9}{'p95':>9}" * 5)
    many = {"KODOMO_LOGIN_LIMIT": "1000 per minute"}
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(home, **many) as server,
        serve(stock_home(home, file, Path(folder)), STOCK, **many) as stock,
    ):
        people, others = ([one.log_in(account) for _ in range(max(USERS))] for one in (server, stock))
        me = measure(1, requests, lambda user, number: people[user].get("/api/v1/me/").raise_for_status())
        for slug in DASHBOARDS:
            bodies = questions(server, slug)
            statements = []
            for body in bodies:
                # kodomo's own answers hold no SQL.
                answer = others[0].send("POST", "/api/v1/chart/data", json=body)
                statements.append(answer.json()["result"][0]["query"])
            for who in (people, others):
                measure(2, 4 * len(bodies), ask_server(who, bodies, True))
            for users in USERS:
                uncached, bare_superset = in_turn(users, requests, people, others, bodies)
                measure(users, 4 * len(bodies), ask_server(people, bodies, False))
                cached = measure(users, requests, ask_server(people, bodies, False))
                bare = measure(users, requests, ask_engine(file, statements))
                print(
                    f"{slug:20}{users:8} {percentiles_text(uncached)} {percentiles_text(bare_superset)} "
                    f"{ratios(uncached, bare_superset)} "
                    f"{percentiles_text(cached)} {percentiles_text(bare)}",
                    flush=True,
                )
    print(f"{'an answer without data':20}{1:6} {percentiles_text(me)}")


def in_turn(
    users: int, requests: int, people: list[Person], others: list[Person], bodies: list[dict]
) -> tuple[list[float], list[float]]:
    """Seconds of uncached questions to this project's Superset and to the stock one, in four stretches each.

    What else the machine does meanwhile falls on both.
    """
    ours: list[float] = []
    stock: list[float] = []
    for _ in range(4):
        ours += measure(users, requests // 4, ask_server(people, bodies, True))
        stock += measure(users, requests // 4, ask_server(others, bodies, True))
    return ours, stock


if __name__ == "__main__":
    main(sys.argv[1], *sys.argv[2:3], *(int(number) for number in sys.argv[3:4]))
