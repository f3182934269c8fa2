"""How many slips of whole columns are held with the column named, and how many clean deliveries are.

A synthetic city delivers every month; each delivery is judged against those before it. Then its last deliveries come
again, each with one column gone wrong (`kodomo synth --column-slips`), after all of the clean months and, in a home of
its own, after the last few of them. The goal is no clean delivery held, and nine of ten slips held.

    .venv/bin/python -m benchmarks.column_slips --residents 2000 --months 12 2
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from kodomo.contract import load_contracts
from kodomo.home import Home
from kodomo.ingest.decisions import decide, list_findings
from kodomo.ingest.deliveries import Delivery, ingest_landing

KODOMO = str(Path(sys.executable).with_name("kodomo"))
AS_OF = dt.date(2026, 1, 15)


def months_before(months: int) -> dt.date:
    """The as-of date so many months earlier."""
    number = 12 * AS_OF.year + AS_OF.month - 1 - months
    return dt.date(number // 12, number % 12 + 1, AS_OF.day)


def write_city(folder: Path, residents: int, seed: int, months: int) -> None:
    """Write a clean city with its monthly deliveries and the slips of the last."""
    earlier = [part for month in range(months, 0, -1) for part in ("--earlier", months_before(month).isoformat())]
    subprocess.run(
        [
            KODOMO, "synth", str(folder), "--residents", str(residents), "--seed", str(seed),
            "--as-of", AS_OF.isoformat(), "--clean", "--column-slips", *earlier,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


def held_columns(home: Home, delivery: Delivery) -> set[str]:
    """The headings for which a delivery is held."""
    contract = load_contracts()[delivery.source_id]
    return {contract.column(finding["column_name"]).heading for finding in list_findings(home, delivery.delivery_id)}


def measure(city: Path, home: Home, months: int) -> dict[str, Any]:
    """Deliver the last months of a city into a home, then each slip of its last delivery."""
    judged: Counter[str] = Counter()
    false_alarms = []
    for folder in [*sorted((city / "earlier").iterdir())[-months:], city / "landing"]:
        for delivery in ingest_landing(home, folder, folder.name, as_of_on=AS_OF):
            judged[delivery.status] += 1
            if delivery.status == "held":
                false_alarms.append(f"{delivery.delivery_id}: {delivery.reason}")
                decide(home, delivery.delivery_id, "release", "clean", "benchmark")
    slips = list(csv.DictReader((city / "truth" / "column_slips.csv").open(encoding="utf-8")))
    wrong = {(slip["folder"], slip["source_id"]): slip for slip in slips}
    made: Counter[str] = Counter()
    held: Counter[str] = Counter()
    named: Counter[str] = Counter()
    missed = []
    for folder in sorted((city / "column_slips").iterdir()):
        for delivery in ingest_landing(home, folder, f"slip-{folder.name}", as_of_on=AS_OF):
            slip = wrong[(folder.name, delivery.source_id)]
            kind = slip["kind"]
            made[kind] += 1
            if delivery.status == "held":
                held[kind] += 1
                named[kind] += slip["heading"] in held_columns(home, delivery)
            else:
                missed.append(f"{kind}: {delivery.source_id}: {slip['heading']} ({delivery.status})")
                # What is not held would be the past of the next.
                if delivery.status == "loaded":
                    decide(home, delivery.delivery_id, "withdraw", "a slip", "benchmark")
    return {
        "months_before": months,
        "clean_deliveries": dict(judged),
        "false_alarms": false_alarms,
        "slips": {kind: [made[kind], held[kind], named[kind]] for kind in sorted(made)},
        "slips_in_all": [made.total(), held.total(), named.total()],
        "missed": missed,
    }


def main() -> None:
    """Print one JSON line per number of months before; of slips: made, held, held with the column named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--residents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--months", type=int, nargs="+", default=[12, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        city = Path(name) / "city"
        write_city(city, arguments.residents, arguments.seed, max(arguments.months))
        for months in arguments.months:
            home = Home(Path(name) / f"home-{months}").ensure()
            print(json.dumps(measure(city, home, months), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
