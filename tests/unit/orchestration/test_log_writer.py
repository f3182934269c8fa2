"""Logs of the servers rotate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kodomo.home import PROJECT
from orchestration.operations.log_writer import handler_of


def test_a_full_log_is_set_aside_and_only_so_many_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "superset.log"
    lines = b"".join(b"line %04d \xff\n" % number for number in range(1000))
    subprocess.run(
        [sys.executable, "-m", "orchestration.operations.log_writer", str(file)],
        input=lines,
        env={"KODOMO_LOG_MB": "0.004", "KODOMO_LOG_FILES": "2"},
        cwd=PROJECT,
        check=True,
    )
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["superset.log", "superset.log.1", "superset.log.2"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
    assert all(path.stat().st_size <= 0.004 * 2**20 for path in kept)
    written = "".join(path.read_text(encoding="utf-8") for path in reversed(kept)).splitlines()
    assert written[-1] == r"line 0999 \xff"
    assert written == [rf"line {number:04} \xff" for number in range(1000 - len(written), 1000)]


def test_a_log_holds_nothing_that_is_quoted(tmp_path: Path) -> None:
    file = tmp_path / "dagster-code.log"
    lines = """Could not convert string '山田 花子' to INT32
  File "/srv/kodomo/x.py", line 3, in load
the row is "佐渡, 『x
"""
    program = [sys.executable, "-m", "orchestration.operations.log_writer", str(file)]
    subprocess.run(program, input=lines.encode(), cwd=PROJECT, check=True)
    assert file.read_text(encoding="utf-8") == (
        'Could not convert string … to INT32\n  File "/srv/kodomo/x.py", line 3, in load\nthe row is …\n'
    )


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("before\n", encoding="utf-8")
    handler_of(str(file), 1, 1).close()
    assert file.read_text(encoding="utf-8") == "before\n"
