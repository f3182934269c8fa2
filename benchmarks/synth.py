"""CPU time, wall time and peak memory of ``kodomo synth`` for some numbers of residents.

.venv/bin/python -m benchmarks.synth --residents 2000 51492 1000000
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
from pathlib import Path

KODOMO = str(Path(sys.executable).with_name("kodomo"))


def measure(residents: int, folder: Path) -> dict[str, float]:
    """Make one city; returns residents, rows, wall and CPU seconds, peak MB, and MB written."""
    out = folder / str(residents)
    started = time.perf_counter()
    with (folder / "summary.json").open("w", encoding="utf-8") as summary:
        process = subprocess.Popen([KODOMO, "synth", str(out), "--residents", str(residents), "--json"], stdout=summary)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"kodomo synth --residents {residents} failed.")
    figures = json.loads((folder / "summary.json").read_text("utf-8"))
    written = sum(path.stat().st_size for path in out.rglob("*.csv"))
    shutil.rmtree(out)
    return {
        "residents": residents,
        "rows": sum(figures["rows"].values()),
        "wall_s": round(wall, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "written_mb": round(written / 2**20),
    }


def main() -> None:
    """Print one JSON line per city."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=[2_000, 51_492])
    with tempfile.TemporaryDirectory() as folder:
        for residents in parser.parse_args().residents:
            print(json.dumps(measure(residents, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
