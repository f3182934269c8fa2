"""Wall time and peak memory of ``kodomo run``, beside the bare engine doing the same work, in one run.

The bare engine reads the same extracts with its own CSV reader (as UTF-8: of their encodings the one it reads)
and executes the same compiled SQL in the same order; no accounting, no tests, no publication.

    .venv/bin/python -m benchmarks.batch --residents 51492 250000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import psutil

KODOMO = str(Path(sys.executable).with_name("kodomo"))
AS_OF = "2026-04-01"


def timed(command: list[str], home: Path) -> dict[str, Any]:
    """Seconds and peak resident MB of a command and its children."""
    started = time.perf_counter()
    process = psutil.Popen(command, env={**os.environ, "KODOMO_HOME": str(home)}, stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    output = process.stdout.read() if process.stdout else ""
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command[:2])} ended with {process.returncode}: {output[-2000:]}")
    return {"seconds": round(time.perf_counter() - started, 1), "peak_mb": round(peak / 2**20)}


def decoded(landing: Path, out: Path) -> None:
    """The extracts as UTF-8, outside the measured time."""
    for path in landing.glob("*/*.csv"):
        data = path.read_bytes()
        for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp932"):
            try:
                text = data.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
        else:
            text = data.decode("cp932", errors="replace")
        target = out / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def bare_engine(home: Path, folder: Path) -> dict[str, float]:
    """Seconds of the engine alone: reading the files, executing the compiled models."""
    manifest = json.loads((home / "dbt" / "target" / "manifest.json").read_text(encoding="utf-8"))
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    order = TopologicalSorter(
        {key: [parent for parent in node["depends_on"]["nodes"] if parent in nodes] for key, node in nodes.items()}
    ).static_order()
    warehouse = folder / "warehouse.duckdb"
    shutil.copy(home / "warehouse.duckdb", warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        started = time.perf_counter()
        connection.execute("create schema bare")
        for path in sorted((folder / "utf8").glob("*/*.csv")):
            relation = connection.read_csv(str(path), all_varchar=True, ignore_errors=True, strict_mode=False)
            relation.create(f"bare.{path.stem}")
        read = time.perf_counter() - started
        started = time.perf_counter()
        skipped = 0
        for key in order:
            node = nodes[key]
            if node["language"] != "sql" or not node.get("compiled_code"):
                skipped += 1
                continue
            connection.execute(f"create or replace table bare.{node['name']} as {node['compiled_code']}")
        built = time.perf_counter() - started
    return {"read_seconds": round(read, 1), "sql_seconds": round(built, 1), "models_not_sql": skipped}


def measure(residents: int) -> dict[str, Any]:
    """The figures for a city of that many residents."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "var"
        synth = timed(
            [KODOMO, "synth", str(folder / "city"), "--residents", str(residents), "--as-of", AS_OF, "--clean"], home
        )
        landing = folder / "city" / "landing"
        run = timed([KODOMO, "run", "--landing", str(landing), "--as-of", AS_OF, "--json"], home)
        decoded(landing, folder / "utf8")
        bare = bare_engine(home, folder)
        # Of the same files again, nothing is loaded and the monthly evaluation is not due.
        again = timed([KODOMO, "run", "--landing", str(landing), "--as-of", AS_OF, "--json"], home)
        return {
            "residents": residents,
            "synth": synth,
            "run": run,
            "second_run": again,
            "bare_engine": bare,
            "over_bare_seconds": round(run["seconds"] - bare["read_seconds"] - bare["sql_seconds"], 1),
        }


def main() -> None:
    """Print one JSON line per city size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=[51492])
    for residents in parser.parse_args().residents:
        print(json.dumps(measure(residents)), flush=True)


if __name__ == "__main__":
    main()
