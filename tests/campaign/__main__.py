"""A campaign against a whole installation: `make campaign` (CAMPAIGN_MINUTES, SEED).

Rounds of every kind, in turn, until the time is over: kills, races and a full disk while publishing; odd files and
hostile values in every column of every source; requests with hostile values as every account of the staff list; every
field of every form; users beside machines that attack. It ends with counts of tried and failed, and with 1 if any
failed. The same seed tries the same things in the same order; how many depends on the machine.
"""

from __future__ import annotations

import argparse
import copy
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from kodomo.access.staff import DEMO_STAFF, read_staff
from kodomo.contract import load_contracts
from kodomo.entries.forms import forms
from kodomo.home import PROJECT, Home
from kodomo.ingest.deliveries import ingest_landing
from kodomo.publication import check_in_service, current, publish
from tests.security.attacks import Attack, attacks, floods
from tests.security.scratch import CHILDREN, write_warehouse
from tests.security.servers import Server, build_home, serve
from tests.security.test_attacks import ACCESS, STAFF, answers_to, findings, own_table
from tests.security.test_availability import attack, endless_lines, halves, users, visitors, work
from tests.security.test_entry_pages import ACCOUNTS, MAY, post
from tests.unit.ingest.test_properties import check, encode, line

HOSTILE: list[Any] = [
    "", " ", "\0", "\u202e", "\ue000", "😀" * 50, "x" * 3000, "'", '"', "'; drop table bi_child; --", "{{ 7 * 7 }}",
    "${7*7}", "%s%n", "../../../etc/passwd", "file:///etc/passwd", "<script>alert(1)</script>", "=1+1", "-1", "0",
    "1e309", "NaN", "9" * 40, "0001-01-01", "9999-12-31", "2026-02-30", "令和99年1月1日", "null", "[]", "{}",
    "\r\nSet-Cookie: a=b",
]  # fmt: skip
NO_TEXTS: list[Any] = [None, True, -1, 2**63, 1e308, [], {}, [[[[]]]], {"a": {"b": "c"}}]
AT_A_TIME = 24
"""Requests of one round."""
KILLED = """
import sys
from pathlib import Path
from kodomo.home import Home
from kodomo.publication import publish, rollback
from kodomo.errors import KodomoError
home, name = Home(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
try:
    rollback(home) if name == "back" else publish(home, name)
except (KodomoError, OSError) as error:
    print(type(error).__name__)
"""
SMALL_DISK = "import resource, sys; n = int(sys.argv.pop(3)); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))\n"

Thing = TypeVar("Thing")
Outcome = Iterator[str | None]
"""Of each thing tried: what failed, or None."""


@dataclass
class Campaign:
    """An installation under attack, and the chance that chooses."""

    folder: Path
    server: Server
    chance: random.Random
    tried: dict[str, int] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0
    waiting: list[str] = field(default_factory=list)
    listed: dict[str, list[Attack]] = field(default_factory=dict)
    """The attacks on a table: to write down all of them takes as long as to send forty."""

    def deal(self, things: Iterable[Thing]) -> Iterator[tuple[str, list[Thing]]]:
        """Deal things to the accounts of the staff list in turn: every account has one before any has two."""
        dealt: dict[str, list[Thing]] = {}
        for thing in things:
            if not self.waiting:
                self.waiting = self.chance.sample(sorted(STAFF), len(STAFF))
            dealt.setdefault(self.waiting.pop(), []).append(thing)
        yield from dealt.items()

    def run(self, kind: Callable[[Campaign], Outcome]) -> None:
        """One round of a kind; an error of the round itself is a failure."""
        name = kind.__name__
        self.number += 1
        try:
            for failure in kind(self):
                self.tried[name] = self.tried.get(name, 0) + 1
                if failure:
                    self.failed.setdefault(name, []).append(failure)
                    print(f"FAILED {name}: {failure}", flush=True)
        except Exception:
            self.tried[name] = self.tried.get(name, 0) + 1
            self.failed.setdefault(name, []).append(traceback.format_exc(limit=-3))


@contextmanager
def scratch(campaign: Campaign) -> Iterator[Home]:
    """A home of its own with one publication."""
    home = Home(campaign.folder / f"round-{campaign.number}").ensure()
    write_warehouse(home.warehouse)
    shutil.copy(DEMO_STAFF, home.staff)
    publish(home, "first")
    try:
        yield home
    finally:
        shutil.rmtree(home.root, ignore_errors=True)


def what_is_wrong(home: Home, names: set[str]) -> str | None:
    """The fault of what is in service, or None: one of ``names``, whole, with the label of its rows."""
    folder = current(home)
    if folder is None or folder.name not in names:
        return f"in service is {folder and folder.name}"
    check_in_service(home)
    for member in read_staff(home.staff, ACCESS):
        if not member.scope.is_empty:
            with duckdb.connect(str(folder / f"{member.scope.key}.duckdb"), read_only=True) as connection:
                connection.execute("select count(*) from duckdb_tables()").fetchall()
    return None


def start(home: Home, name: str, prefix: str = "", *more: str) -> subprocess.Popen[str]:
    """A process that publishes ``name``, or rolls back (``back``), once it has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", prefix + KILLED, str(home.root), name, *more],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def kills(campaign: Campaign) -> Outcome:
    """A publication that is killed leaves what is in service, or is there whole."""
    with scratch(campaign) as home:
        for number in range(4):
            process = start(home, f"killed{number}")
            time.sleep(campaign.chance.uniform(0, 2.5))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            yield what_is_wrong(home, {"first", *(f"killed{n}" for n in range(number + 1))})
        publish(home, "after")
        yield what_is_wrong(home, {"after"}) or (
            "something unfinished is left" if list(home.published.glob(".unfinished*")) else None
        )


def races(campaign: Campaign) -> Outcome:
    """Publications and rollbacks at once leave one that is whole and says what it is."""
    with scratch(campaign) as home:
        names = campaign.chance.choices(["a", "b", "c", "back"], k=3)
        processes = [start(home, name) for name in names]
        said = [process.communicate(timeout=300)[0] for process in processes]
        yield what_is_wrong(home, {"first", "a", "b", "c", *(f"{n}-{k}" for n in "abc" for k in (2, 3))})
        yield "".join(said) if any("Traceback" in text for text in said) else None


def full_disk(campaign: Campaign) -> Outcome:
    """A disk that is full at any byte of a publication leaves what is in service."""
    with scratch(campaign) as home:
        for _ in range(3):
            size = str(campaign.chance.choice([0, 4096, 100_000, 300_000, 800_000, 1_500_000, 3_000_000]))
            process = start(home, "full", SMALL_DISK, size)
            process.communicate(timeout=300)
            yield what_is_wrong(home, {"first", "full", "full-2", "full-3"})
        publish(home, "after")
        yield what_is_wrong(home, {"after"})


def odd_files(campaign: Campaign) -> Outcome:
    """Files of every kind, and the property tests of the ingest with another seed."""
    tests = PROJECT / "tests" / "unit" / "ingest"
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider",
         f"--hypothesis-seed={campaign.chance.randrange(2**32)}", str(tests / "test_properties.py")],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    yield None if result.returncode == 0 else result.stdout[-2000:]


def columns(campaign: Campaign) -> Outcome:
    """A hostile value in every column of every source: counted, and no other file is stopped."""
    folder = campaign.folder / f"round-{campaign.number}"
    contracts = load_contracts()
    for contract in contracts.values():
        path = folder / "landing" / contract.source_id / f"{contract.source_id}_20260301.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        headings = [column.heading for column in contract.columns]
        records = []
        for place in range(len(headings)):
            record = [f"1{place:04}"] * len(headings)
            record[place] = campaign.chance.choice([value for value in HOSTILE if value])
            records.append(line(record, quoted=True))
        path.write_bytes(
            encode("\r\n".join([line(headings), *records, ""]), campaign.chance.choice(["utf-8", "cp932"]))
        )
    home = Home(folder / "var")
    deliveries = ingest_landing(home, folder / "landing", "run")
    check(deliveries, home)
    for delivery in deliveries:
        unexpected = "could not be read (" in (delivery.reason or "")
        yield f"{delivery.source_id}: {delivery.reason}" if unexpected else None
    yield None if len(deliveries) == len(contracts) else f"{len(deliveries)} of {len(contracts)} files were taken"
    shutil.rmtree(folder, ignore_errors=True)


def mutated(attack: Attack, chance: random.Random) -> Attack:
    """The attack with a hostile value in one place of its body, its form or its address."""
    if attack.form:
        name = chance.choice(sorted(attack.form))
        return replace(attack, form={**attack.form, name: str(chance.choice(HOSTILE))})
    if attack.body is None:
        mark = "&" if "?" in attack.path else "?"
        value = chance.choice([text for text in HOSTILE if text.isascii() and text.isprintable()])
        return replace(attack, path=f"{attack.path}{mark}q={value}".replace(" ", "%20").replace("#", "%23"))
    body = copy.deepcopy(attack.body)
    places = list(_places(body))
    if places:
        holder, name = chance.choice(places)
        holder[name] = chance.choice([*HOSTILE, *NO_TEXTS])
    return replace(attack, body=body)


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(content, dict | list):
        for name, value in list(content.items() if isinstance(content, dict) else enumerate(content)):
            yield content, name
            yield from _places(value)


def requests(campaign: Campaign) -> Outcome:
    """The list of attacks, as they are and with hostile values in them, as every account of the staff list in turn."""
    for username, are_mutated in campaign.deal([False, True] * AT_A_TIME):
        table = own_table(username)
        if table not in campaign.listed:
            campaign.listed[table] = list(attacks(campaign.server, table))
        every = campaign.listed[table]
        chosen = [
            mutated(one, campaign.chance) if is_mutated else one
            for one, is_mutated in zip(campaign.chance.sample(every, len(are_mutated)), are_mutated, strict=True)
        ]
        for attack_of, answer in answers_to(campaign.server, username, chosen):
            found = findings(campaign.server, username, [(attack_of, answer)])
            yield f"{username}: {found[0]}" if found else None


def floods_at_once(campaign: Campaign) -> Outcome:
    """Questions that would keep the server busy are refused, whoever of the staff list asks them."""
    for username, numbers in campaign.deal(range(4)):
        person = campaign.server.person(username)
        questions = list(floods(campaign.server.datasets()[own_table(username)]))
        for flood in campaign.chance.sample(questions, len(numbers)):
            answer = flood.send(person)
            yield None if 400 <= answer.status_code < 500 else f"{username}: {flood.name}: {answer.status_code}"


def every_form(campaign: Campaign) -> Outcome:
    """Hostile values in every field of a form, as one account after the other."""
    username = ACCOUNTS[campaign.number % len(ACCOUNTS)]
    person = campaign.server.person(username)
    for page, form in forms().items():
        values = {entry.name: str(campaign.chance.choice(HOSTILE)) for entry in form.fields}
        child = campaign.chance.choice(CHILDREN).name
        about = {"about_child_id": child, "person_id": child, "record_id": str(uuid.uuid4()), "reason": "x"}
        answer = post(person, f"/entry/{page}/save", **{**about, **values})
        if answer.status_code >= 500:
            yield f"{username} {page}: {answer.status_code}"
        elif "<script>alert" in answer.text:
            yield f"{username} {page}: markup is not shown as text"
        elif answer.status_code < 400 and page not in MAY.get(username, set()) and "Location" not in answer.headers:
            yield f"{username} {page}: sent by an account that may not"
        else:
            yield None


def users_beside_attackers(campaign: Campaign) -> Outcome:
    """Users get every answer while half requests, endless lines and visitors come."""
    people = users(campaign.server)
    with attack(campaign.server, halves, endless_lines, visitors), ThreadPoolExecutor(len(people)) as pool:
        until = time.monotonic() + 20
        for statuses in pool.map(lambda person: work(person, until), people):
            for status in statuses:
                yield None if status == 200 else f"status {status}"


KINDS_OF_ROUNDS = [
    requests, kills, columns, every_form, requests, races, odd_files, requests, full_disk, users_beside_attackers,
    floods_at_once,
]  # fmt: skip


def main() -> int:
    """Run the campaign; the exit code is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kodomo-campaign-")))
        server = stack.enter_context(serve(build_home(folder / "var")))
        campaign = Campaign(folder, server, random.Random(arguments.seed))
        until = time.monotonic() + arguments.minutes * 60
        while time.monotonic() < until:
            kind = KINDS_OF_ROUNDS[campaign.number % len(KINDS_OF_ROUNDS)]
            began = time.monotonic()
            campaign.run(kind)
            failures = sum(map(len, campaign.failed.values()))
            print(
                f"{campaign.number:4} {kind.__name__:24} {time.monotonic() - began:6.1f} s  failed: {failures}",
                flush=True,
            )
        return report(campaign, arguments.seed)


def report(campaign: Campaign, seed: int) -> int:
    """Print what failed and the counts."""
    for name, failures in campaign.failed.items():
        for failure in failures[:20]:
            print(f"FAILED {name}: {failure}")
    print(f"\nseed {seed}\n{'':24} tried  failed")
    for name, tried in campaign.tried.items():
        print(f"{name:24} {tried:5}  {len(campaign.failed.get(name, []))}")
    failed = sum(map(len, campaign.failed.values()))
    print(f"{'all':24} {sum(campaign.tried.values()):5}  {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
