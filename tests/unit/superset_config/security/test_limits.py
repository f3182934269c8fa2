"""Attempts to log in are counted once for all processes."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from superset_config.security.limits import SharedStorage

OTHER_PROCESS = """
import sys
from superset_config.security.limits import SharedStorage
print(SharedStorage(sys.argv[1]).incr("attempts of a name", 60))
"""


def test_two_processes_count_together(tmp_path: Path) -> None:
    uri = SharedStorage.uri(tmp_path / "a folder" / "attempts.db")
    (tmp_path / "a folder").mkdir()
    storage = storage_from_string(uri)
    assert isinstance(storage, SharedStorage)
    assert storage.incr("attempts of a name", 60) == 1
    other = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, uri], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert other.stdout.strip() == "2"
    assert storage.get("attempts of a name") == 2
    assert not stat.S_IMODE(storage.path.stat().st_mode) & 0o077


def test_a_count_ends_with_its_time(tmp_path: Path) -> None:
    storage = SharedStorage(SharedStorage.uri(tmp_path / "attempts.db"))
    storage.incr("name", -1)
    assert storage.get("name") == 0
    assert storage.incr("name", 60) == 1
    storage.clear("name")
    assert storage.get("name") == 0


def test_a_limit_per_second_touches_no_file(tmp_path: Path) -> None:
    storage = SharedStorage(SharedStorage.uri(tmp_path / "attempts.db"))
    limiter = FixedWindowRateLimiter(storage)
    assert limiter.hit(parse("1 per second"), "account")
    assert not limiter.hit(parse("1 per second"), "account")
    assert limiter.hit(parse("1 per minute"), "account")
    assert not limiter.hit(parse("1 per minute"), "account")
    assert storage.reset() >= 1
    storage.path.unlink()
    assert limiter.hit(parse("9 per second"), "another account")


def test_a_limit_per_second_is_counted_without_a_thread(tmp_path: Path) -> None:
    storage = SharedStorage(SharedStorage.uri(tmp_path / "attempts.db"))
    threads = threading.active_count()
    assert [storage.incr("LIMITER/a/200/1/second", 60) for _ in range(3)] == [1, 2, 3]
    assert storage.get("LIMITER/a/200/1/second") == 3
    assert threading.active_count() == threads
    storage.incr("LIMITER/b/200/1/second", -1)
    assert storage.get("LIMITER/b/200/1/second") == 0
    assert storage.incr("LIMITER/b/200/1/second", 60) == 1
    assert storage.reset() == 2
    assert storage.get("LIMITER/a/200/1/second") == 0
