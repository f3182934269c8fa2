"""The batch (一括検討), step by step: ingest, build, check, publish."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from kodomo import dbt_runner
from kodomo.disk import require_space
from kodomo.errors import ExitCode, KodomoError, WarehouseBusyError
from kodomo.home import Home
from kodomo.run_lock import RunLock
from kodomo.versions import record_version
from kodomo.warehouse import connect, require_run, write_run_parameters

Progress = Callable[[str, str], None]
"""Called with a step (ingest, build, check, publish) and what has just ended in it."""


def silent(step: str, item: str) -> None:
    """Report no progress."""


def new_run_id(now: dt.datetime | None = None) -> str:
    """An id that sorts by the time of the run (UTC) and is unique."""
    now = now or dt.datetime.now(dt.UTC)
    return f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


_Result = TypeVar("_Result")


def _step(method: Callable[[Batch], _Result]) -> Callable[[Batch], _Result]:
    """A step of a run: it takes the lock of the home if the run has it not yet, and keeps it for the next step.

    A step that fails gives it back, unless the run waits for the warehouse and tries again.
    """

    @wraps(method)
    def locked(self: Batch) -> _Result:
        with self.lock.used():
            try:
                return method(self)
            except WarehouseBusyError:
                if not self.retries:
                    self.lock.release()
                raise
            except KodomoError as error:
                self.raised = error
                self.lock.release()
                raise
            except BaseException:
                self.lock.release()
                raise

    return locked


@dataclass
class Batch:
    """One run over one landing folder for one as-of date, and what came of it so far.

    The lock of the home is held from the first step to the end of the last.
    """

    home: Home
    landing: Path
    as_of_on: dt.date
    strict: bool = False
    run_id: str = field(default_factory=new_run_id)
    progress: Progress = silent
    retries: int = 0
    """How often a step waits and tries again where another run has the warehouse."""
    settling: Any = None
    """Which files count as written (``kodomo.ingest.folder.Settling``); None: all."""
    deliveries: Sequence[Any] = ()
    left: list[Any] = field(default_factory=list)
    """Files that are left for the next run, each with its reason."""
    nodes: Sequence[dbt_runner.NodeResult] = ()
    expectations: Sequence[Any] = ()
    losses: Sequence[Any] = ()
    """Groups of children in service that lost more members in the build than chance explains."""
    publication: Path | None = None
    error: KodomoError | None = None
    raised: KodomoError | None = None
    """The error that ended a step, as it was raised: Dagster keeps its text only."""
    lock: RunLock = field(init=False)

    def __post_init__(self) -> None:
        self.lock = RunLock(self.home, self.run_id)

    @_step
    def ingest(self) -> Sequence[Any]:
        """Load the landing folder into raw; a refused delivery stops the run only if ``strict``.

        Tried again after it broke off, it takes what is left: each file is one transaction. Raises FaultError before
        anything is written where the disk has no room for the run.
        """
        from kodomo.data_subjects.person_requests import take_entries_and_requests
        from kodomo.ingest.deliveries import deliveries_of_run, ingest_landing
        from kodomo.ingest.uploads import Uploads

        require_space(self.home, self.landing)
        Uploads(self.home).forget_expired()
        with connect(self.home) as connection:
            write_run_parameters(connection, self.run_id, self.as_of_on)
        record_version(self.home)
        before = deliveries_of_run(self.home, self.run_id)
        self.left.clear()
        delivered = ingest_landing(
            self.home,
            self.landing,
            self.run_id,
            strict=self.strict,
            progress=lambda item: self.progress("ingest", item),
            as_of_on=self.as_of_on,
            settling=self.settling,
            left=self.left,
        )
        entered = take_entries_and_requests(self.home, self.run_id, lambda item: self.progress("ingest", item))
        self.deliveries = [*before, *delivered, *entered]
        return self.deliveries

    @_step
    def build(self) -> Sequence[dbt_runner.NodeResult]:
        """Build every dbt model and run its data tests; what failed is in the results.

        Raises KodomoError naming every mistake of the risk definition, before anything is built.
        """
        from kodomo.entries.store import EntryStore
        from kodomo.scoring.versions import is_evaluation_due, record_evaluation, record_run
        from kodomo.workshop.in_force import DefinitionStore

        require_run(self.home, self.run_id)
        in_force = DefinitionStore(EntryStore(self.home)).folder_on(self.as_of_on)
        definition = record_run(self.home, self.run_id, self.as_of_on, in_force)
        is_due = is_evaluation_due(self.home, self.as_of_on, definition)
        self.nodes = dbt_runner.build(
            self.home,
            lambda node, _status: self.progress("build", node),
            exclude=() if is_due else ("tag:evaluation",),
        )
        if is_due and any(node.name == "fct_model_performance" and node.status == "success" for node in self.nodes):
            record_evaluation(self.home, self.as_of_on, definition)
        return self.nodes

    @_step
    def check(self) -> Sequence[Any]:
        """Run the expectations over all layers, and compare the children built with those in service."""
        from expectations.gate import check
        from kodomo.publication.gate import unaccepted

        require_run(self.home, self.run_id)
        self.expectations = check(self.home, self.run_id)
        self.losses = unaccepted(self.home)
        self.progress("check", f"{len(self.expectations)} expectations")
        return self.expectations

    @_step
    def publish(self) -> Path:
        """Publish a file per scope, unless a gate holds the publication."""
        from kodomo.data_subjects.person_requests import forget_older_publications
        from kodomo.publication import publish
        from orchestration.operations.audit import anchor

        # Before: a log that cannot be read is no reason to fail once the link is switched.
        anchor(self.home, f"publication {self.run_id}")
        self.publication = publish(self.home, self.run_id)
        forget_older_publications(self.home, self.publication)
        self.lock.release()
        self.progress("publish", self.publication.name)
        return self.publication

    @property
    def build_errors(self) -> list[dbt_runner.NodeResult]:
        """The dbt nodes that could not be built."""
        return [node for node in self.nodes if node.is_error]

    @property
    def gate_failures(self) -> list[str]:
        """The reasons that hold the publication: data tests with rows, blocking expectations, missing children."""
        tests = [f"dbt: {node.name} ({node.failures} rows)" for node in self.nodes if node.is_failed_test]
        blocking = [
            f"expectation: {result.table}: {result.expectation} ({result.status})"
            for result in self.expectations
            if result.is_blocking
        ]
        missing = [
            f"children: {loss} in service are missing from what would be published "
            "(if that is right: kodomo publish --accept --reason TEXT, and run again)"
            for loss in self.losses
        ]
        return tests + blocking + missing

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command."""
        if self.error is not None:
            return self.error.exit_code
        if self.build_errors:
            return ExitCode.FAILED
        if self.publication is None:
            return ExitCode.HELD if self.gate_failures else ExitCode.FAILED
        return ExitCode.DONE
