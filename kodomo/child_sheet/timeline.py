"""What happened when, from before birth: lanes of bars and marks as an SVG picture, and as rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

from kodomo.japanese import japanese_date

LANES_FILE = Path(__file__).with_name("lanes.yml")
BEFORE_BIRTH = dt.timedelta(days=300)
"""How long before birth the picture begins at the latest."""


@dataclass(frozen=True)
class Lanes:
    """lanes.yml: label of each lane by code, the lane of a holder or source, and the observations that last."""

    labels: Mapping[str, str]
    holders: Mapping[str, str]
    sources: Mapping[str, str]
    lasting: frozenset[str]

    def lane_of(self, source_id: str, holder: str) -> str:
        """Code of the lane of a source."""
        return self.sources.get(source_id) or self.holders.get(holder) or next(iter(self.labels))


@cache
def lanes() -> Lanes:
    """lanes.yml as it is shipped."""
    content = yaml.safe_load(LANES_FILE.read_text(encoding="utf-8"))
    return Lanes(content["lanes"], content["holders"], content["sources"], frozenset(content["lasting"]))


@dataclass(frozen=True)
class Event:
    """One fact of the child. ``lasts`` says that it goes on until ``ended_on``, or still."""

    lane: str
    code: str
    label: str
    value: str
    age: str
    observed_on: dt.date
    ended_on: dt.date | None
    lasts: bool
    source: str
    holder: str


@dataclass(frozen=True)
class Month:
    """Days missed in one month, in percent."""

    month_on: dt.date
    absence_rate: float


@dataclass(frozen=True)
class Timeline:
    """Events, newest first, and months of attendance by label, oldest first. ``birth_on`` is empty before birth."""

    events: tuple[Event, ...]
    attendance: Mapping[str, tuple[Month, ...]]
    birth_on: dt.date | None
    as_of_on: dt.date

    def of_lane(self, lane: str | None) -> list[Event]:
        """The events of one lane; all of them for None."""
        return [event for event in self.events if lane is None or event.lane == lane]

    def counts(self) -> dict[str, int]:
        """Number of events by lane, in the order of the lanes."""
        return {code: len(self.of_lane(code)) for code in lanes().labels}


def read_timeline(
    child: Mapping[str, Any], observations: Iterable[Mapping[str, Any]], attendance: Iterable[Mapping[str, Any]]
) -> Timeline:
    """The time line of a child from rows of ``bi_observation`` and ``bi_attendance``."""
    events = [
        Event(
            lane=lanes().lane_of(row["source_id"], row["holder"]),
            code=row["observation_code"],
            label=row["observation_label"],
            value="" if row.get("value_label") in {None, "該当"} else row["value_label"],
            age=row["age_then_label"],
            observed_on=row["observed_on"],
            ended_on=row["ended_on"],
            lasts=row["ended_on"] is not None or row["observation_code"] in lanes().lasting,
            source=row["source_label"],
            holder=row["holder_label"],
        )
        for row in observations
        if row["observed_on"]
    ]
    months: dict[str, list[Month]] = defaultdict(list)
    for row in attendance:
        if row["absence_rate"] is not None:
            months[row["observation_label"]].append(Month(row["month_on"], float(row["absence_rate"])))
    return Timeline(
        tuple(sorted(events, key=lambda e: (-e.observed_on.toordinal(), e.label, e.value, e.source))),
        {label: tuple(sorted(attended, key=lambda m: m.month_on)) for label, attended in sorted(months.items())},
        child.get("birth_on"),
        child["as_of_on"],
    )


_COLOURS = {"home": "#6b4fa0", "health": "#1b6e3c", "school": "#1f5f8b", "welfare": "#8a5a00", "cases": "#a61b1b"}
_INK, _QUIET, _GRID = "#1f2933", "#4a5563", "#dfe5ec"
_LEFT, _WIDTH, _ROW, _HEAD, _CHART = 262.0, 1200.0, 15.0, 34.0, 34.0


def draw(timeline: Timeline) -> str:
    """The picture as SVG, the same for the same time line; a lane without events is a line that says so."""
    first = min((event.observed_on for event in timeline.events), default=timeline.as_of_on)
    if timeline.birth_on:
        first = min(first, timeline.birth_on)
        # What lies long before birth is of the pregnancy, or a slip: it stands at the edge.
        first = max(first, timeline.birth_on - BEFORE_BIRTH)
    last = max(timeline.as_of_on, first + dt.timedelta(days=30))
    days = (last - first).days

    def x(day: dt.date) -> float:
        share = (min(max(day, first), last) - first).days / days
        return _LEFT + share * (_WIDTH - _LEFT - 12)

    body, y = [], _HEAD
    for lane, label in lanes().labels.items():
        top = y
        by_code: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in timeline.of_lane(lane):
            if event.label not in timeline.attendance:
                by_code[event.code, event.label].append(event)
        for (_, name), events in sorted(by_code.items(), key=lambda entry: min(e.observed_on for e in entry[1])):
            body.append(_row(name, events, y, x, last, _COLOURS.get(lane, _INK)))
            y += _ROW
        if lane == "school":
            for name, months in timeline.attendance.items():
                body.append(_attendance(name, months, y, x))
                y += _CHART
        if y == top:
            body.append(_text(98, y + 11, "表示できる記録なし", 10.5, _QUIET))
            y += _ROW
        y += 5
        body.append(
            f'<rect x="0" y="{top - 1:.1f}" width="5" height="{y - top - 3:.1f}" fill="{_COLOURS.get(lane, _INK)}"/>'
            + _text(10, top + 11, label, 12, _INK, weight=700)
            + f'<line x1="0" x2="{_WIDTH:.0f}" y1="{y - 3:.1f}" y2="{y - 3:.1f}" stroke="{_GRID}"/>'
        )
    summary = "、".join(f"{lanes().labels[code]}{count}件" for code, count in timeline.counts().items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="timeline-title timeline-desc" '
        f'viewBox="0 0 {_WIDTH:.0f} {y:.0f}" width="{_WIDTH:.0f}" height="{y:.0f}" '
        f'font-family="Noto Sans CJK JP, sans-serif">'
        f'<title id="timeline-title">できごと（{japanese_date(first)}から{japanese_date(last)}まで）</title>'
        f'<desc id="timeline-desc">{escape(summary)}。内容は下の表にあります。</desc>'
        f"{_axis(timeline, first, last, y, x)}{''.join(body)}</svg>"
    )


def _row(name: str, events: list[Event], y: float, x: Any, last: dt.date, colour: str) -> str:
    middle = y + _ROW / 2
    parts = [_text(98, y + 11, name if len(name) < 15 else f"{name[:14]}…", 10.5, _INK)]
    for event in sorted(events, key=lambda e: (not e.lasts, e.observed_on)):
        words = f"{name} {event.value} {japanese_date(event.observed_on)}" + (
            f"から{japanese_date(event.ended_on)}まで" if event.ended_on else "から" if event.lasts else ""
        )
        title = f"<title>{escape(words)}</title>"
        if event.lasts:
            end = event.ended_on or last
            width = max(x(end) - x(event.observed_on), 3.0)
            parts.append(
                f'<rect x="{x(event.observed_on):.1f}" y="{middle - 4:.1f}" width="{width:.1f}" height="8" rx="2" '
                f'fill="{colour}" fill-opacity="0.55" stroke="{colour}">{title}</rect>'
            )
        else:
            parts.append(
                f'<circle cx="{x(event.observed_on):.1f}" cy="{middle:.1f}" r="3.6" fill="{colour}" '
                f'fill-opacity="0.85" stroke="#fff" stroke-width="0.8">{title}</circle>'
            )
    return "".join(parts)


def _attendance(name: str, months: tuple[Month, ...], y: float, x: Any) -> str:
    """A small line, 0 at its foot and the highest month at its head; a month that is missing breaks it."""
    highest = max((month.absence_rate for month in months), default=0.0)
    scale = (_CHART - 12) / max(highest, 10.0)
    foot = y + _CHART - 6
    path, before = "", None
    for month in months:
        is_next = before is not None and (month.month_on - before).days < 45
        path += f"{'L' if is_next else 'M'}{x(month.month_on):.1f} {foot - month.absence_rate * scale:.1f}"
        before = month.month_on
    return (
        _text(98, y + 14, name, 10.5, _INK)
        + _text(98, y + 27, f"最大 {highest:.0f}%", 10, _QUIET)
        + f'<line x1="{_LEFT:.0f}" x2="{_WIDTH - 12:.0f}" y1="{foot:.1f}" y2="{foot:.1f}" stroke="{_GRID}"/>'
        + f'<path d="{path}" fill="none" stroke="{_COLOURS["school"]}" stroke-width="1.4"/>'
    )


def _axis(timeline: Timeline, first: dt.date, last: dt.date, bottom: float, x: Any) -> str:
    """Years above, ages below them; a line at birth."""
    years = range(first.year, last.year + 1)
    every = 1 if len(years) <= 20 else 2
    parts = []
    for year in years:
        day = dt.date(year, 1, 1)
        if day < first or (year - years[0]) % every:
            continue
        parts.append(
            f'<line x1="{x(day):.1f}" x2="{x(day):.1f}" y1="14" y2="{bottom:.1f}" stroke="{_GRID}"/>'
            + _text(x(day) + 2, 11, f"{year}年" if len(years) <= 9 else f"{year}", 10, _QUIET)
        )
    birth = timeline.birth_on
    if birth:
        for age in range(0, last.year - birth.year + 1):
            day = dt.date(birth.year + age, birth.month, min(birth.day, 28))
            if day <= last:
                parts.append(_text(x(day), 25, "出生" if age == 0 else f"{age}歳", 10, _INK, anchor="middle"))
        parts.append(
            f'<line x1="{x(birth):.1f}" x2="{x(birth):.1f}" y1="28" y2="{bottom:.1f}" stroke="{_INK}" '
            'stroke-dasharray="4 3"/>'
        )
    return "".join(parts)


def _text(x: float, y: float, words: str, size: float, colour: str, anchor: str = "start", weight: int = 400) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{bold}>'
        f"{escape(words)}</text>"
    )
