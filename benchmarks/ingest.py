"""Rows and megabytes per second of taking one delivery, beside the engine's own reader on the same content in UTF-8.

The delivery is the register of a synthetic city, its records repeated under other numbers to 1,000,000 of about
120 bytes, in CP932. Taking it is what `kodomo run` does with a file: kept by hash, split on bytes, decoded, judged by
its contract, loaded, every row accounted for. The bare engine reads the same records with its own reader into a table
of the same file. One in a thousand of them is damaged, so that there is something to reject; --quoted quotes the
fields of that share of the records. The goal is at most 4 times the bare read.

    .venv/bin/python -m benchmarks.ingest --quoted 0 1
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from kodomo.contract import load_contracts
from kodomo.home import Home
from kodomo.ingest.deliveries import take
from kodomo.ingest.tables import ensure_tables
from kodomo.warehouse import connect

KODOMO = str(Path(sys.executable).with_name("kodomo"))
SOURCE = "resident_register"
DELIVERED_ON = dt.date(2026, 4, 1)
LEFT_EMPTY = ("異動届出年月日", "郵便番号")
"""Without them a record has about the 120 bytes that the measure is said for."""
DAMAGED_EVERY = 1000
CITY_RESIDENTS = 5000
GOAL = 4.0


def registered(folder: Path) -> list[list[str]]:
    """Heading and whole records of the register of a small synthetic city."""
    command = [
        KODOMO,
        "synth",
        str(folder),
        "--residents",
        str(CITY_RESIDENTS),
        "--as-of",
        DELIVERED_ON.isoformat(),
        "--clean",
    ]
    subprocess.run(command, check=True, capture_output=True)
    path = next((folder / "landing" / SOURCE).glob("*.csv"))
    with path.open(encoding="cp932", newline="", errors="ignore") as file:
        heading, *records = csv.reader(file)
    return [heading, *(record for record in records if len(record) == len(heading))]


def delivery(records: list[list[str]], rows: int, quoted: float) -> str:
    """The text of a delivery of that many records, each under a number of its own."""
    heading, *people = records
    emptied = [heading.index(name) for name in LEFT_EMPTY]
    register = io.StringIO(newline="")
    plain = csv.writer(register, lineterminator="\r\n")
    in_quotes = csv.writer(register, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    plain.writerow(heading)
    for number in range(rows):
        record = [*people[number % len(people)]]
        record[0] = f"{number:015}"
        for position in emptied:
            record[position] = ""
        if number % DAMAGED_EVERY == DAMAGED_EVERY - 1:
            record[1] = "2.00E+10"
        (in_quotes if number % 100 < 100 * quoted else plain).writerow(record)
    return register.getvalue()


def measure(folder: Path, text: str) -> dict[str, Any]:
    """Seconds of taking the delivery and of the bare read; what was loaded and rejected."""
    home = Home(folder / "var").ensure()
    contract = load_contracts()[SOURCE]
    path = folder / f"{SOURCE}_{DELIVERED_ON:%Y%m%d}.csv"
    path.write_bytes(text.encode("cp932"))
    with connect(home) as connection:
        ensure_tables(connection, load_contracts())
        started = time.perf_counter()
        taken = take(connection, home, contract, SOURCE, path, DELIVERED_ON, "benchmark")
        seconds = time.perf_counter() - started
    if taken is None or taken.status != "loaded":
        raise SystemExit(f"The delivery was not loaded: {taken.reason if taken else 'taken before'}")
    utf8 = folder / "utf8.csv"
    utf8.write_text(text, encoding="utf-8", newline="")
    with duckdb.connect(str(folder / "bare.duckdb"), config={"threads": 2}) as connection:
        started = time.perf_counter()
        connection.execute("create table bare as select * from read_csv(?, all_varchar = true)", [str(utf8)])
        bare = time.perf_counter() - started
    megabytes = path.stat().st_size / 1e6
    return {
        "megabytes": round(megabytes),
        "rows_read": taken.rows_read,
        "rows_loaded": taken.rows_loaded,
        "rows_rejected": taken.rows_rejected,
        "seconds": round(seconds, 2),
        "rows_per_second": round((taken.rows_read or 0) / seconds),
        "megabytes_per_second": round(megabytes / seconds, 1),
        "bare_seconds": round(bare, 2),
        "times_bare": round(seconds / bare, 2),
        "goal_times_bare": GOAL,
    }


def main() -> None:
    """Print one JSON line per share of quoted records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quoted", type=float, nargs="+", default=[0.0], help="shares of quoted records, 0 to 1")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        records = registered(Path(name) / "city")
        for quoted in arguments.quoted:
            with tempfile.TemporaryDirectory() as run:
                text = delivery(records, arguments.rows, quoted)
                print(json.dumps({"quoted": quoted, **measure(Path(run), text)}), flush=True)


if __name__ == "__main__":
    main()
