"""Slips of whole columns, as a change of a holder's program makes them: the last delivery of each source again, with
one column gone wrong, for a test of whether it is noticed.

Each folder under ``out/column_slips`` is a landing folder with at most one file of a source;
``truth/column_slips.csv`` says what is wrong in which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from synthetic_city.parameters import Parameters
from synthetic_city.slips import SPELLINGS, Slips, read_day
from synthetic_city.standard_layout import in_standard_layout
from synthetic_city.writing import Extract, Writer

FOLDER = "column_slips"
GROUPS = ("学校名", "施設名", "旧市町村")
NAMES = ("氏名", "住所", "町名", "施設名")
PERSON_NUMBER = "宛名番号"
FEWEST_ROWS = 60
"""A smaller extract has no columns to speak of."""
FEWEST_OF_A_GROUP = 20
MOST_CODES = 15
DAYS_OF_A_YEAR = 365
OTHER_SYSTEM = 500_000_000_000
CUT_TO = 2
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class ColumnSlip:
    """One column that has gone wrong in one file."""

    folder: str
    source: str
    file: str
    heading: str
    kind: str


class ColumnSlips:
    """Writes the slips of each extract, and remembers them."""

    def __init__(self, out: Path, parameters: Parameters, on: dt.date) -> None:
        """``on``: the day of the last delivery, which those with a slip stand for."""
        self.out, self.parameters, self.on = out / FOLDER, parameters, on
        self.made: list[ColumnSlip] = []

    def write(self, extract: Extract) -> None:
        """Write the extract once for each slip that its columns can have."""
        columns = {name: values.astype(object) for name, values in extract.columns.items()}
        if extract.recent is not None:
            columns = {name: values[extract.recent == 0] for name, values in columns.items()}
        if len(next(iter(columns.values()))) < FEWEST_ROWS:
            return
        for number, (kind, heading, wrong) in enumerate(_slips(extract, columns), 1):
            folder = self.out / f"{number:02d}"
            slipped = replace(extract, columns=wrong, recent=None)
            if self.parameters.standard_register and extract.source == "resident_register":
                slipped = in_standard_layout(slipped, self.parameters.seed)
            clean = Slips(self.parameters.seed, 0.0, self.on)
            writer = Writer(folder, self.on, self.parameters.seed, 0.0, clean)
            writer.write(slipped)
            (path,) = (folder / extract.source).iterdir()
            self.made.append(ColumnSlip(folder.name, extract.source, path.name, heading, kind))


def _slips(extract: Extract, columns: Columns) -> Iterator[tuple[str, str, Columns]]:
    """Kind, heading and columns of every slip that an extract can have."""
    for heading, values in columns.items():
        filled = values != ""
        if 2 * filled.sum() >= len(values):
            yield "emptied", heading, {**columns, heading: np.full(len(values), "", dtype=object)}
        if heading in extract.date_columns:
            yield from _changed("moved_by_a_year", heading, columns, _a_year_earlier)
        elif heading in GROUPS:
            if (kept := _without_half_of_a_group(values)) is not None:
                yield "half_a_group_missing", heading, {name: one[kept] for name, one in columns.items()}
        elif heading.endswith(PERSON_NUMBER):
            if heading != PERSON_NUMBER or extract.source != "resident_register":
                yield from _changed("numbers_of_another_system", heading, columns, _other_number)
        elif heading in NAMES:
            yield from _changed("cut_off", heading, columns, lambda text: text[:CUT_TO])
        elif heading not in extract.id_columns and (codes := _codes(heading, values)) is not None:
            yield from _changed("codes_flipped", heading, columns, lambda text, codes=codes: codes.get(text, text))


def _changed(
    kind: str, heading: str, columns: Columns, change: Callable[[str], str]
) -> Iterator[tuple[str, str, Columns]]:
    """The slip that changes each text of a column; none where that changes few of them."""
    values = columns[heading]
    texts = {text: change(text) for text in set(values.tolist())}
    wrong = np.array([texts[text] for text in values], dtype=object)
    if 2 * (wrong != values).sum() >= (values != "").sum() > 0 and (values != "").sum() >= FEWEST_ROWS // 2:
        yield kind, heading, {**columns, heading: wrong}


def _a_year_earlier(text: str) -> str:
    day = read_day(text)
    return (day - dt.timedelta(days=DAYS_OF_A_YEAR)).isoformat() if day and 1900 < day.year < 2100 else text


def _other_number(text: str) -> str:
    digits = text.strip('="')
    return str(int(digits) + OTHER_SYSTEM) if digits.isdigit() else text


def _codes(heading: str, values: np.ndarray) -> dict[str, str] | None:
    """The two most frequent codes of a column, each as the other; None for a column of something else."""
    texts, counts = np.unique(values[values != ""].astype(str), return_counts=True)
    if not 2 <= len(texts) <= MOST_CODES or any(read_day(text) for text in texts):
        return None
    if heading not in SPELLINGS and all(text.isdigit() for text in texts):
        # A count, such as days or a grade.
        return None
    second, first = texts[np.argsort(counts, kind="stable")[-2:]]
    return {str(first): str(second), str(second): str(first)}


def _without_half_of_a_group(values: np.ndarray) -> np.ndarray | None:
    """Which rows are left where every second row of a group is missing; None without a group that is large enough."""
    texts, counts = np.unique(values.astype(str), return_counts=True)
    usable = [at for at in np.argsort(counts)[::-1] if counts[at] < len(values) * 0.6 and texts[at]]
    if not usable or counts[usable[0]] < FEWEST_OF_A_GROUP:
        return None
    kept = np.ones(len(values), dtype=bool)
    kept[np.flatnonzero(values == texts[usable[0]])[::2]] = False
    return kept
