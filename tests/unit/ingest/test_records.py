"""Records the engine splits and records that are read one by one come out the same."""

from __future__ import annotations

import codecs
import random

import numpy as np
import pytest

from kodomo.contract import load_contracts, load_heading_rules
from kodomo.ingest import files

CONTRACT = load_contracts()["marriages"]
HEADINGS = [column.heading for column in CONTRACT.columns]
VALUES = [
    "",
    " ",
    "　",
    "M0000001",
    "000000001728070",
    '"a,b"',
    '"a\nb"',
    '"stray',
    '="001"',
    '"=""001"""',
    '""',
    '"say ""a"""',
    '"closed" ',
    '"a=","b"',
    'in"side',
    '"髙,﨑"',
    "婚姻",
    "髙",
    "合計 3件",
    "S550114",
]


def some_file(seed: int) -> bytes:
    """Regular rows among quotes, blanks, trailers, headings again, wrong counts and bytes that are no text."""
    chance = random.Random(seed)
    encoding = chance.choice(["cp932", "utf-8"])
    end = chance.choice([b"\n", b"\r\n", b"\r"])
    lines = [",".join(HEADINGS).encode(encoding)]
    for number in range(60):
        kind = chance.random()
        if kind < 0.5:
            fields = [f"M{number:07}", "000000001728070", "000000001681636", "婚姻", f"S5501{number % 28 + 1:02}"]
        elif kind < 0.8:
            fields = chance.choices(VALUES, k=len(HEADINGS) + chance.choice([0, 0, 0, 1, -1]))
        elif kind < 0.85:
            fields = HEADINGS
        elif kind < 0.9:
            fields = [f"合計 {number}件"] + [""] * chance.choice([0, len(HEADINGS) - 1])
        else:
            fields = []
        line = ",".join(fields).encode(encoding)
        if chance.random() < 0.3:
            line = b",".join(b'"' + field + b'"' for field in line.split(b","))
        lines.append(line + b"\x81" if chance.random() < 0.05 else line)
    mark = codecs.BOM_UTF8 if encoding == "utf-8" else b""
    return mark + end.join(lines) + chance.choice([b"", end])


@pytest.mark.parametrize("seed", range(200))
def test_the_engine_splits_as_the_reader_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = some_file(seed)
    rules = load_heading_rules()
    together = files.parse(data, CONTRACT, rules)
    monkeypatch.setattr(files, "plain_lines", lambda lines, *_: np.zeros(len(lines), dtype=bool))
    one_by_one = files.parse(data, CONTRACT, rules)
    assert together.line_numbers.tolist() == one_by_one.line_numbers.tolist()
    assert {name: values.to_pylist() for name, values in together.columns.items()} == {
        name: values.to_pylist() for name, values in one_by_one.columns.items()
    }
    count = len(together.line_numbers)
    assert [together.raw_records(i) for i in range(count)] == [one_by_one.raw_records(i) for i in range(count)]
    assert together.rejects == one_by_one.rejects
    assert [*map(str, together.doubts)] == [*map(str, one_by_one.doubts)]
