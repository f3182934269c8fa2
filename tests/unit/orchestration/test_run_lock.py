"""One run at a time: whatever the order of two runs' steps, a publication holds the rows of the run that it names."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kodomo import warehouse
from kodomo.errors import KodomoError, RunInProgressError
from kodomo.home import PROJECT, Home
from kodomo.run_lock import RunLock, writing
from orchestration.batch import Batch

INTERLEAVINGS = 10_000
STEPS = ("ingest", "build", "check", "publish")


@dataclass
class FakeEngine:
    """A warehouse in memory with one writer's rows, and the publications made of it."""

    run_id: str = ""
    as_of_on: dt.date | None = None
    scored_on: dt.date | None = None
    publications: list[tuple[str, dt.date, dt.date | None]] = field(default_factory=list)
    fails: Callable[[], bool] = lambda: False
    asked: dict[str, dt.date] = field(default_factory=dict)

    def step(self) -> None:
        if self.fails():
            raise KodomoError("The disk is full.")

    def parameters(self, _connection: Any, run_id: str, as_of_on: dt.date) -> None:
        self.run_id, self.as_of_on = run_id, as_of_on
        self.asked[run_id] = as_of_on

    def build(self, *_given: Any, **_named: Any) -> list[Any]:
        self.step()
        self.scored_on = self.as_of_on
        return []

    def check(self, *_given: Any) -> list[Any]:
        self.step()
        return []

    def publish(self, _home: Home, run_id: str) -> Path:
        self.step()
        assert self.scored_on is not None
        self.publications.append((run_id, self.scored_on, self.asked.get(run_id)))
        return Path(run_id)


class NoConnection:
    """What a step opens and does not use here."""

    def __init__(self, home: Home, **_named: Any) -> None:
        self._writing = writing(home, "test")

    def __enter__(self) -> NoConnection:
        self._writing.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._writing.__exit__(*details)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Every engine that a batch calls, in memory."""
    fake = FakeEngine()
    nothing = lambda *_given, **_named: []  # noqa: E731
    monkeypatch.setattr("orchestration.batch.connect", NoConnection)
    monkeypatch.setattr("orchestration.batch.write_run_parameters", fake.parameters)
    monkeypatch.setattr("orchestration.batch.require_run", nothing)
    monkeypatch.setattr("kodomo.ingest.deliveries.deliveries_of_run", nothing)
    monkeypatch.setattr("kodomo.ingest.deliveries.ingest_landing", nothing)
    monkeypatch.setattr("kodomo.data_subjects.person_requests.take_entries_and_requests", nothing)
    monkeypatch.setattr("kodomo.data_subjects.person_requests.forget_older_publications", nothing)
    monkeypatch.setattr("kodomo.entries.store.EntryStore", nothing)
    monkeypatch.setattr("kodomo.workshop.in_force.DefinitionStore", lambda _store: SimpleNamespace(folder_on=nothing))
    monkeypatch.setattr("kodomo.scoring.versions.record_run", lambda *_given: "definition")
    monkeypatch.setattr("kodomo.scoring.versions.is_evaluation_due", lambda *_given: False)
    monkeypatch.setattr("kodomo.dbt_runner.build", fake.build)
    monkeypatch.setattr("expectations.gate.check", fake.check)
    monkeypatch.setattr("kodomo.publication.publish", fake.publish)
    return fake


@pytest.mark.slow
def test_ten_thousand_interleavings_publish_what_they_say(engine: FakeEngine, tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    refused = published = killed = 0
    for seed in range(INTERLEAVINGS):
        dice = random.Random(seed)
        engine.fails = lambda dice=dice: dice.random() < 0.03
        waiting = []
        for number in range(dice.choice((2, 2, 3))):
            as_of_on = dt.date(2025 + number, 4, 1)
            batch = Batch(home, tmp_path, as_of_on, run_id=f"r{seed}-{number}", retries=dice.choice((0, 2)))
            waiting.append((batch, [*STEPS], batch.retries))
        while waiting:
            place = dice.randrange(len(waiting))
            batch, steps, retries = waiting[place]
            try:
                getattr(batch, steps[0])()
            except RunInProgressError:
                refused += 1
                if retries:
                    waiting[place] = (batch, steps, retries - 1)
                    continue
                waiting.pop(place)
            except KodomoError:
                waiting.pop(place)
            else:
                steps.pop(0)
                if not steps:
                    published += 1
                    waiting.pop(place)
                elif dice.random() < 0.02:
                    # A killed process lets the lock go with its files.
                    batch.lock._file.close()
                    batch.lock._file = None
                    killed += 1
                    waiting.pop(place)
        with writing(home, "the next run"):
            pass
    assert all(scored_on == asked_on for _, scored_on, asked_on in engine.publications)
    assert published == len(engine.publications)
    assert min(refused, published, killed) > 100


def test_without_the_lock_the_same_orders_publish_another_dates_rows(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunLock, "acquire", lambda self: None)
    monkeypatch.setattr("orchestration.batch.connect", lambda home, **_named: NoConnection(home))
    first = Batch(Home(tmp_path), tmp_path, dt.date(2025, 4, 1), run_id="first")
    second = Batch(Home(tmp_path), tmp_path, dt.date(2026, 4, 1), run_id="second")
    first.ingest()
    second.ingest()
    for step in STEPS[1:]:
        getattr(first, step)()
    assert engine.publications == [("first", dt.date(2026, 4, 1), dt.date(2025, 4, 1))]


def test_a_second_process_is_refused_and_names_the_run(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    lock = RunLock(home, "20260401T020000-abc")
    lock.acquire()
    program = (
        "from pathlib import Path; from kodomo.home import Home; from kodomo.run_lock import RunLock\n"
        f"RunLock(Home(Path({str(home.root)!r})), 'other').acquire()"
    )
    refused = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "20260401T020000-abc is running on this home" in refused.stderr
    lock.release()
    assert subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=False).returncode == 0


def test_a_writer_beside_a_run_is_refused_and_within_it_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    lock = RunLock(home, "the run")
    lock.acquire()
    with pytest.raises(RunInProgressError), warehouse.connect(home):
        pass
    with lock.used(), warehouse.connect(home) as connection:
        connection.execute("create table t (i int)")
    with warehouse.connect(home, read_only=True):
        pass
    lock.release()
    with warehouse.connect(home) as connection:
        connection.execute("drop table t")


def test_a_step_by_itself_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    with warehouse.connect(home) as connection:
        warehouse.write_run_parameters(connection, "one", dt.date(2026, 4, 1))
    warehouse.require_run(home, "one")
    with pytest.raises(KodomoError, match="another run"):
        Batch(home, tmp_path, dt.date(2026, 4, 1), run_id="two").build()
    with writing(home, "free again"):
        pass
