"""What the same city delivered on earlier days: its extracts without what happened later.

The register and the household history are built again from the stays of that day; of every other extract the rows that
begin later are left out, and an end or a change that came later is not written yet.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from synthetic_city.calendar_days import day_of
from synthetic_city.extracts import City
from synthetic_city.extracts.citizens import household_history, resident_register, support_measures
from synthetic_city.parameters import Parameters
from synthetic_city.slips import Slips, read_day
from synthetic_city.standard_layout import in_standard_layout
from synthetic_city.tables import Table
from synthetic_city.writing import Extract, Writer

FOLDER = "earlier"
"""Beside ``landing``: a landing folder for each earlier day, named by its date."""
REBUILT: dict[str, Callable[[City], Extract]] = {
    "resident_register": resident_register,
    "household_history": household_history,
    "support_measures": support_measures,
}
DATES = ("年月日", "在籍開始", "在籍終了", "認定有効開始", "認定有効終了", "一時保護開始", "一時保護終了")
MONTH, YEAR, GRADE, LEFT_SCHOOL = "年月", "年度", "学年", "在籍終了"
PLANNED = ("分娩予定日", "生年月日")
"""Dates that are known before they come, or that are no event of the record."""
REASONS = ("退所理由", "退会理由", "廃止理由", "資格喪失事由")
"""Why something ended: not written before the end is."""
FAR = dt.date(2100, 1, 1).toordinal()
UNKNOWN = -1


class Earlier:
    """Writes what a city delivered on one earlier day under ``out/earlier/<date>``."""

    def __init__(self, out: Path, city: City, parameters: Parameters, on: dt.date) -> None:
        self.on, self.last_on, self.parameters = on, parameters.as_of, parameters
        self.city = _city_on(city, on)
        number = self.city.as_of
        given = np.minimum(city.people.registered, city.people.second_from)
        numbers = city.numbers
        late = np.flatnonzero((given > number) & (numbers.first > 0))
        again = np.flatnonzero((city.people.second_from > number) & (numbers.second > 0))
        self.not_given = {f"{value:015d}" for value in numbers.first[late].tolist()}
        self.not_given |= {f"{value:015d}" for value in numbers.second[again].tolist()}
        self.writer = Writer(out / FOLDER / on.isoformat(), on, parameters.seed, 0.0, Slips(parameters.seed, 0.0, on))

    def write(self, extract: Extract) -> None:
        """Write the extract as it was on that day; ``extract``: as it is at last."""
        source = extract.source
        known = REBUILT[source](self.city) if source in REBUILT else self._known(extract)
        if self.parameters.standard_register and source == "resident_register":
            known = in_standard_layout(known, self.parameters.seed)
        self.writer.write(known)

    def _known(self, extract: Extract) -> Extract:
        """The extract with the rows and values of that day."""
        columns = dict(extract.columns)
        on, last = self.on.toordinal(), self.last_on.toordinal()
        rows = np.ones(len(extract), dtype=bool)
        if extract.recent is not None:
            # A correction that comes with the next file is not there yet.
            rows &= extract.recent == 0
        days = {name: _ordinals(columns[name]) for name in columns if name.endswith(DATES)}
        events = [name for name in days if not name.endswith(PLANNED)]
        if events:
            rows &= ~((days[events[0]] > on) & (days[events[0]] < FAR))
        for name, day in days.items():
            if name.endswith("生年月日"):
                rows &= day <= on
        ended = np.zeros(len(extract), dtype=bool)
        for name in events[1:]:
            is_later = (days[name] > on) & (days[name] <= last)
            ended |= is_later
            columns[name] = np.where(is_later, _nothing(columns[name], days[name]), columns[name])
        for name in REASONS:
            if name in columns:
                columns[name] = np.where(ended, "", columns[name])
        for name, values in extract.columns.items():
            if name.endswith("宛名番号"):
                is_unknown = np.isin(np.char.zfill(values.astype(str), 15), [*self.not_given])
                if name in extract.required:
                    rows &= ~is_unknown
                else:
                    columns[name] = np.where(is_unknown, "", columns[name])
            elif name == MONTH:
                rows &= _ordinals(np.array([f"{text}.1" for text in _as_month(values)], dtype=object)) < on - 30
            elif name == YEAR:
                rows &= values.astype(int) <= _school_year(self.on)
            elif name == GRADE:
                passed = _school_year(self.last_on) - _school_year(self.on)
                has_left = (days[LEFT_SCHOOL] > UNKNOWN) & (days[LEFT_SCHOOL] <= on)
                before = [str(max(int(text) - passed, 1)) if text.isdigit() else text for text in values]
                columns[name] = np.where(has_left, values, np.array(before, dtype=object))
        return replace(
            extract,
            columns={name: values[rows].astype(object) for name, values in columns.items()},
            recent=None,
        )


def _city_on(city: City, on: dt.date) -> City:
    """The city with the stays and support measures of a day, for the builders that read these alone."""
    earlier = copy.copy(city)
    earlier.as_of = day_of(on)
    segments = city.segments
    rows = segments.start <= earlier.as_of
    earlier.segments = replace(segments, **{name: values[rows] for name, values in vars(segments).items()})
    earlier.rng = np.random.default_rng([city.parameters.seed, 5, on.toordinal()])
    earlier.population = copy.copy(city.population)
    earlier.population.protections = _begun(city.population.protections, earlier.as_of, "person", "start", "end")
    earlier.population.stays = _begun(city.population.stays, earlier.as_of, "person", "start", "why_in", "second")
    return earlier


def _begun(table: Table, on: int, *names: str) -> SimpleNamespace:
    """Columns of a table, of the rows that begin until a day."""
    rows = table.start <= on
    return SimpleNamespace(**{name: getattr(table, name)[rows] for name in names})


def _ordinals(values: np.ndarray) -> np.ndarray:
    """Days since the year 1 of dates as texts; ``UNKNOWN`` for what is no date."""
    known: dict[str, int] = {}
    for text in values:
        if text not in known:
            day = read_day(text)
            known[text] = day.toordinal() if day else UNKNOWN
    return np.array([known[text] for text in values], dtype=np.int64)


def _nothing(values: np.ndarray, days: np.ndarray) -> str:
    """What a system writes into a column of dates where there is none."""
    empty = values[(days == UNKNOWN) | (days >= FAR)]
    return str(empty[0]) if len(empty) else ""


def _as_month(values: np.ndarray) -> list[str]:
    return [text.rstrip("月") for text in values]


def _school_year(on: dt.date) -> int:
    return on.year - (on.month < 4)
