"""The time line: lanes, bars, marks, attendance."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET

from kodomo.child_sheet.timeline import draw, lanes, read_timeline
from kodomo.contract import load_contracts
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

SVG = "{http://www.w3.org/2000/svg}"
CHILD = {"birth_on": dt.date(2015, 5, 5), "as_of_on": dt.date(2026, 4, 1)}


def fact(code: str, source: str, holder: str, day: dt.date, **more: object) -> dict[str, object]:
    row = {
        "observation_code": code,
        "observation_label": code,
        "source_id": source,
        "holder": holder,
        "observed_on": day,
    }
    return {**row, "ended_on": None, "value_label": "該当", "age_then_label": "0歳", "source_label": source,
            "holder_label": holder, **more}  # fmt: skip


ROWS = [
    fact("vaccination", "vaccinations", "health", dt.date(2015, 8, 1)),
    fact("vaccination", "vaccinations", "health", dt.date(2015, 10, 1)),
    fact("pregnancy_smoking", "pregnancy_notifications", "health", dt.date(2014, 12, 1)),
    fact("nursery_enrolment", "nursery_enrolment", "child", dt.date(2017, 4, 1), ended_on=dt.date(2021, 3, 31)),
    fact("council_case", "council_cases", "child", dt.date(2020, 6, 1)),
    fact("household_move", "household_history", "citizens", dt.date(2018, 1, 1)),
]
MONTHS = [
    {"observation_label": "学校の欠席率（月）", "month_on": day, "absence_rate": rate}
    for day, rate in ((dt.date(2023, 4, 30), 0), (dt.date(2023, 5, 31), 20), (dt.date(2023, 7, 31), 5))
]


def test_each_fact_is_in_the_lane_of_its_kind() -> None:
    timeline = read_timeline(CHILD, ROWS, [])
    assert timeline.counts() == {"home": 1, "health": 3, "school": 1, "welfare": 0, "cases": 1}
    assert {event.code for event in timeline.of_lane("cases")} == {"council_case"}
    assert [event.observed_on for event in timeline.events] == sorted(
        (row["observed_on"] for row in ROWS), reverse=True
    )


def test_what_lasts_is_a_bar_and_what_happened_a_mark() -> None:
    picture = ET.fromstring(draw(read_timeline(CHILD, ROWS, [])))
    bars = [part for part in picture.iter(f"{SVG}rect") if part.find(f"{SVG}title") is not None]
    marks = list(picture.iter(f"{SVG}circle"))
    assert len(bars) == 2
    assert len(marks) == 4
    titles = {(part.findtext(f"{SVG}title") or "").strip() for part in bars}
    assert "nursery_enrolment  2017年4月1日から2021年3月31日まで" in titles
    # An open case reaches the as-of date.
    (case,) = [bar for bar in bars if "council_case" in (bar.findtext(f"{SVG}title") or "")]
    assert round(float(case.get("x")) + float(case.get("width"))) == 1200 - 12


def test_time_runs_from_left_to_right_and_begins_before_birth() -> None:
    picture = ET.fromstring(draw(read_timeline(CHILD, ROWS, [])))
    places = {part.findtext(f"{SVG}title"): float(part.get("cx")) for part in picture.iter(f"{SVG}circle")}
    ordered = sorted(places, key=places.__getitem__)
    assert [words.split()[0] for words in ordered] == [
        "pregnancy_smoking",
        "vaccination",
        "vaccination",
        "household_move",
    ]
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"出生", "10歳", "家庭", "福祉", "表示できる記録なし"} <= set(words)


def test_month_that_is_missing_breaks_the_line_of_attendance() -> None:
    timeline = read_timeline(CHILD, ROWS, MONTHS)
    picture = ET.fromstring(draw(timeline))
    (line,) = [path.get("d") for path in picture.iter(f"{SVG}path")]
    assert (line.count("M"), line.count("L")) == (2, 1)
    assert "最大 20%" in [text.text for text in picture.iter(f"{SVG}text")]


def test_child_before_birth_has_a_picture() -> None:
    timeline = read_timeline({"birth_on": None, "as_of_on": dt.date(2026, 4, 1)}, ROWS[2:3], [])
    ET.fromstring(draw(timeline))
    ET.fromstring(draw(read_timeline(CHILD, [], [])))


def test_lanes_know_every_source_and_code_that_they_name() -> None:
    codes = {row["observation_code"] for row in read_seed("observation_codes")}
    assert lanes().lasting <= codes
    assert set(lanes().sources) <= set(load_contracts())
    assert set(lanes().holders) == set(parameter("departments")) - {"community_partner"}
    assert {*lanes().holders.values(), *lanes().sources.values()} <= set(lanes().labels)


def test_text_of_a_fact_is_escaped() -> None:
    svg = draw(read_timeline(CHILD, [fact("x", "vaccinations", "health", dt.date(2020, 1, 1), value_label="<b>&")], []))
    assert "<b>" not in svg
