"""dbt in this process: a subprocess and a second adapter start would cost every run ten seconds."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.errors import KodomoError, without_values
from kodomo.home import PROJECT, Home

DBT_PROJECT = PROJECT / "dbt_project"
PARSED = DBT_PROJECT / "target"
"""The parsed project: the same for every home, so that only what has changed is parsed again."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node. ``status``: success, pass, warn, fail, error or skipped."""

    unique_id: str
    resource_type: str
    name: str
    status: str
    seconds: float
    failures: int | None
    message: str

    @property
    def is_failed_test(self) -> bool:
        """A data test that returned rows: the data are at fault, not the code."""
        return self.resource_type == "test" and self.status == "fail"

    @property
    def is_error(self) -> bool:
        """A node that could not be run."""
        return self.status in {"error", "runtime error"}


@contextmanager
def _environment(home: Home | None) -> Iterator[None]:
    """dbt reads the place of the warehouse and of its target from KODOMO_HOME; without a home it has its default."""
    before = os.environ.pop("KODOMO_HOME", None)
    if home is not None:
        os.environ["KODOMO_HOME"] = str(home.root)
    try:
        yield
    finally:
        os.environ.pop("KODOMO_HOME", None)
        if before is not None:
            os.environ["KODOMO_HOME"] = before


def invoke(home: Home, arguments: Sequence[str], on_node: Callable[[str, str], None] | None = None) -> Any:
    """Run a dbt command against the city's warehouse and return dbt's own result.

    ``on_node`` is called with the unique id and the status of each node that ends.
    Raises KodomoError when dbt itself cannot start (a project that does not parse).
    """

    def listen(event: Any) -> None:
        if on_node is not None and event.info.name == "NodeFinished":
            on_node(event.data.node_info.unique_id, event.data.node_info.node_status)

    result = _run_dbt(home, [*arguments, "--log-path", str(home.dbt / "logs")], parse(), [listen])
    _close_connections()
    return result


def parse() -> Any:
    """dbt's manifest of the project; what was parsed before, in whatever home, is not parsed again.

    Raises KodomoError for a project that does not parse.
    """
    with _parsed_folder() as folder:
        return _parse(folder)


def _parse(folder: Path) -> Any:
    """The manifest from ``folder``, whose lock the caller holds; manifest.json is written where it is out of date."""
    arguments = ["parse", "--target-path", str(folder), "--log-path", str(folder)]
    return _run_dbt(None, [*arguments, "--no-write-json"] if _is_fresh(folder) else arguments).result


def _is_fresh(folder: Path) -> bool:
    written = folder / "manifest.json"
    return written.exists() and written.stat().st_mtime > _newest_change()


@contextmanager
def _parsed_folder() -> Iterator[Path]:
    folder = PARSED
    if not os.access(DBT_PROJECT, os.W_OK):
        folder = Path(tempfile.gettempdir()) / f"kodomo-dbt-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _run_dbt(home: Home | None, arguments: Sequence[str], manifest: Any = None, callbacks: Sequence[Any] = ()) -> Any:
    from dbt.cli.main import dbtRunner

    # Neither console nor log file: an engine's message may quote a value of a person. What is worth saying
    # is in the results, and goes through `without_values` there.
    quiet = ["--log-level", "none", "--log-level-file", "none"]
    with _environment(home):
        result = dbtRunner(manifest=manifest, callbacks=[*callbacks]).invoke(
            [*quiet, *arguments, "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        )
    if result.exception is not None:
        raise KodomoError("dbt cannot run: {without_values}", without_values=without_values(str(result.exception)))
    return result


def _close_connections() -> None:
    """dbt keeps its connection for a next command; the steps after it open the warehouse in their own way."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def build(
    home: Home, on_node: Callable[[str, str], None] | None = None, exclude: Sequence[str] = ()
) -> list[NodeResult]:
    """``dbt build`` of everything but unit tests (those test the code, not a delivery) and what ``exclude`` selects."""
    without = ["--exclude", *exclude] if exclude else []
    result = invoke(home, ["build", "--exclude-resource-type", "unit_test", *without], on_node)
    _scrub_run_results(home)
    return [
        NodeResult(
            unique_id=run.node.unique_id,
            resource_type=str(run.node.resource_type),
            name=run.node.name,
            status=str(run.status),
            seconds=run.execution_time,
            failures=run.failures,
            message=without_values(run.message or ""),
        )
        for run in result.result.results
    ]


def _scrub_run_results(home: Home) -> None:
    path = home.dbt / "target" / "run_results.json"
    if path.exists():
        run_results = json.loads(path.read_text(encoding="utf-8"))
        for run in run_results["results"]:
            run["message"] = without_values(run["message"] or "")
        path.write_text(json.dumps(run_results, ensure_ascii=False), encoding="utf-8")


def unbuilt(results: Sequence[NodeResult]) -> list[str]:
    """The nodes that could not be run, each with the engine's message without values."""
    return [f"{result.name}: {result.message}" for result in results if result.is_error]


def load_manifest() -> dict[str, Any]:
    """dbt's manifest as a dictionary, parsed first where the project has changed since."""
    with _parsed_folder() as folder:
        if not _is_fresh(folder):
            _parse(folder)
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def _newest_change() -> float:
    folders = ("models", "seeds", "macros", "tests/dbt", "dbt_project")
    suffixes = {".sql", ".yml", ".csv", ".py", ".md"}
    return max(
        path.stat().st_mtime for folder in folders for path in (PROJECT / folder).rglob("*") if path.suffix in suffixes
    )
