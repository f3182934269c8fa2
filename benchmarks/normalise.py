"""Rows per second of the normalisation macros, one column at a time, on two threads.

Values are as a city delivers them: dates in six notations, kana with every fifth name in hiragana, names of which
every third has a variant kanji. The goals are 1,000,000 rows/s for kana and 500,000 for dates.

    .venv/bin/python -m benchmarks.normalise
"""

from __future__ import annotations

import argparse
import json
import os
import time

import duckdb

from kodomo.home import PROJECT
from kodomo.macros import load_macros

GOALS = {"parse_date": 500_000, "match_kana": 1_000_000}

VALUES = """
create table delivered as
select
    case i % 6
        when 0 then format('H{}.{}.{}', 1 + i % 30, 1 + i % 12, 1 + i % 28)
        when 1 then format('昭和{}年{}月{}日', 1 + i % 60, 1 + i % 12, 1 + i % 28)
        when 2 then strftime(date '1950-01-01' + cast(i % 25000 as integer), '%Y-%m-%d')
        when 3 then strftime(date '1950-01-01' + cast(i % 25000 as integer), '%Y%m%d')
        when 4 then format('R {}. {}. {}', 1 + i % 7, 1 + i % 12, 1 + i % 28)
        else '4270401'
    end as day,
    format('R{}.{}', 2 + i % 5, 1 + i % 12) as month,
    ['サトウ', 'タカハシ', 'ホンマ', 'わたなべ', 'ナカガワ'][1 + i % 5] || ' '
    || ['ハルト', 'ユウキ', 'エリ―ザ', 'サクラ'][1 + (i // 5) % 4] as kana,
    ['佐藤', '髙橋', '本間', '渡邊', '中川', '佐々木'][1 + i % 6] || ' '
    || ['陽翔', '結衣', '凛太朗', '千代'][1 + (i // 5) % 4] || (i % 50000) as name,
    format('新潟県佐渡市両津夷{}番地{}', i % 2000, i % 30) as address,
    format('{},{:03}g', 2 + i % 2, i % 1000) as weight,
    cast(i * 7 as varchar) as number,
    ['1', '0', '有', '無'][1 + i % 4] as flag
from range({rows}) as numbers (i)
"""

COLUMNS = [
    ("parse_date", "day", ()),
    ("date_status", "day", ()),
    ("parse_month", "month", ()),
    ("match_kana", "kana", ()),
    ("match_kanji", "name", ()),
    ("match_address", "address", ()),
    ("parse_integer", "weight", ()),
    ("parse_decimal", "weight", ()),
    ("normalise_id", "number", (15,)),
    ("parse_flag", "flag", ()),
]


def measure(rows: int, repeats: int) -> list[dict]:
    """The best of several runs for each macro, rows per second; the result is written to a table.

    The rate per second of processor time tells what a busy machine hides."""
    macros = load_macros()
    measured = []
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(VALUES.replace("{rows}", str(rows)))
        connection.execute(
            "create table kanji_variants as select * from read_csv(?, header = true)",
            [str(PROJECT / "seeds" / "kanji_variants.csv")],
        )
        for name, column, arguments in COLUMNS:
            value = macros[name](column, *arguments)
            statement = f"create or replace table normalised as select {value} as value from delivered"
            wall, cpu = [], []
            for _ in range(repeats):
                started, used = time.perf_counter(), time.process_time()
                connection.execute(statement)
                wall.append(time.perf_counter() - started)
                cpu.append(time.process_time() - used)
            measured.append(
                {
                    "macro": name,
                    "rows_per_second": round(rows / min(wall)),
                    "rows_per_cpu_second": round(rows / min(cpu)),
                    "goal": GOALS.get(name),
                }
            )
    return measured


def main() -> None:
    """Print the rates; with --json for machines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = measure(options.rows, options.repeats)
    if options.json:
        print(json.dumps({"rows": options.rows, "cores": os.cpu_count(), "macros": measured}, indent=2))
        return
    for entry in measured:
        goal = f"  (goal {entry['goal']:,})" if entry["goal"] else ""
        rates = f"{entry['rows_per_second']:>12,} rows/s, {entry['rows_per_cpu_second']:>11,} per second of one core"
        print(f"{entry['macro']:<15}{rates}{goal}")


if __name__ == "__main__":
    main()
