"""What moves a child: a hand-made town, two batches apart, in which each kind of change occurs once and once nearly."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from kodomo.home import Home
from kodomo.scoring.engine import Bundle, load_bundle, memory_warehouse
from kodomo.seeds import SEEDS

LONG_AGO, BEFORE, NOW = dt.date(2026, 3, 1), dt.date(2026, 4, 1), dt.date(2026, 5, 1)
FAR = dt.date(2020, 1, 1)
MODELS = ("int_child__separations", "fct_change_fact", "fct_change_fact_history", "fct_change")
GIVEN = """
create table warehouse.seeds.risk_model_versions as
select * from (values ('v1', 'retired'), ('v2', 'active')) as t(model_version, status);
create table warehouse.seeds.risk_tiers as
from (values ('v1'), ('v2')) as versions(model_version), (values ('abuse'), ('poverty')) as types(difficulty_type),
    (values ('low', 1, '低'), ('latent', 2, '中'), ('high', 3, '高')) as tiers(tier, tier_rank, label_ja);
create table warehouse.intermediate.int_observations__barred as
select 'determination' as purpose, 'barred_move' as observation_code;
"""
CHILDREN: dict[str, tuple[Any, Any, Any]] = {
    # Score in 虐待 at each of the three dates; None: not scored.
    "tier_rise": (9, 9, 10), "tier_fall": (10, 10, 9),
    "score_rise": (1, 1, 3.5), "nearly_score_rise": (1, 1, 3),
    "score_fall": (8, 8, 5.5), "nearly_score_fall": (8, 8, 6),
    # In two steps, neither of which counts by itself.
    "slow_rise": (1, 2.5, 4), "decided_now": (1, 1, 4), "decided_before": (1, 1, 4),
    "new": (None, None, 10), "old_version": (4, 4, 4), "ages_out": (12, 12, None),
    "born": (None, None, 6),
    **dict.fromkeys(
        ("case", "old_case", "late_case", "absent", "nearly_absent", "late_absent", "too_late_absent", "missed",
         "attended", "moved", "household_changed", "left_by_father", "moved_together", "fatherless", "divorced",
         "chained", "long_chained", "decided_case"),
        (1, 1, 1),
    ),
}  # fmt: skip
DECISIONS = (
    ("slow_rise", dt.date(2026, 3, 8), LONG_AGO, "2026-03-08 10:00"),
    # Typed on what the batch at hand is about to replace, and before it: the last of them counts.
    ("decided_now", dt.date(2026, 4, 8), BEFORE, "2026-04-08 10:00"),
    ("decided_now", dt.date(2026, 5, 2), NOW, "2026-05-02 10:00"),
    ("decided_before", dt.date(2026, 4, 8), BEFORE, "2026-04-08 10:00"),
    # Of a time before its basis was kept.
    ("decided_case", dt.date(2026, 3, 20), None, "2026-03-20 10:00"),
)  # fmt: skip
OBSERVATIONS = {
    # Code, day, value, from when on it is on file.
    "case": ("council_case", dt.date(2026, 4, 20), None, NOW),
    "decided_case": ("guidance_case", dt.date(2026, 3, 25), None, BEFORE),
    "old_case": ("council_case", dt.date(2026, 3, 20), None, LONG_AGO),
    "late_case": ("abuse_consultation", dt.date(2020, 5, 5), None, NOW),
    "absent": ("school_absence_rate", dt.date(2026, 4, 30), 100, NOW),
    "nearly_absent": ("school_absence_rate", dt.date(2026, 4, 30), 99.9, NOW),
    "late_absent": ("nursery_absence_rate", dt.date(2026, 1, 31), 100, NOW),
    # More than three months before the date compared with.
    "too_late_absent": ("school_absence_rate", dt.date(2026, 1, 1), 100, NOW),
    "missed": ("checkup_missed", dt.date(2026, 4, 10), None, NOW),
    "attended": ("checkup_attended", dt.date(2026, 4, 10), None, NOW),
    "moved": ("household_move", dt.date(2026, 4, 15), None, NOW),
    "household_changed": ("household_change", dt.date(2026, 4, 15), None, NOW),
    "new": ("council_case", dt.date(2026, 4, 20), None, NOW),
    "old_version": ("council_case", dt.date(2026, 4, 20), None, NOW),
}
"""What is on file of each child; later records are of a later delivery, whatever their own date."""
LIVED = [
    # The father of the one leaves, of the other dies; the third family moves on one day.
    ("h1", "left_by_father", FAR, None), ("h1", "father_1", FAR, dt.date(2026, 4, 12)),
    ("h2", "moved_together", FAR, dt.date(2026, 4, 12)), ("h2", "father_2", FAR, dt.date(2026, 4, 12)),
    ("h3", "moved_together", dt.date(2026, 4, 12), None), ("h3", "father_2", dt.date(2026, 4, 12), None),
    ("h4", "fatherless", FAR, None), ("h4", "father_3", FAR, dt.date(2026, 4, 12)),
]  # fmt: skip
FATHERS = {"left_by_father": "father_1", "moved_together": "father_2", "fatherless": "father_3", "divorced": "father_4"}
CHAINS = {"long_chained": LONG_AGO, "chained": NOW, "born": LONG_AGO}
"""Whose chain is known from when on."""
EXPECTED = {
    # Child, kind, date compared with.
    ("tier_rise", "tier_rise", BEFORE), ("tier_fall", "tier_fall", BEFORE),
    ("score_rise", "score_rise", BEFORE), ("score_fall", "score_fall", BEFORE),
    ("slow_rise", "score_rise", LONG_AGO),
    ("decided_now", "score_rise", BEFORE), ("decided_before", "score_rise", BEFORE),
    ("ages_out", "tier_fall", BEFORE),
    ("case", "new_case", BEFORE), ("late_case", "new_case", BEFORE), ("old_version", "new_case", BEFORE),
    ("decided_case", "new_case", dt.date(2026, 3, 20)),
    ("absent", "absent_month", BEFORE), ("late_absent", "absent_month", BEFORE),
    ("missed", "missed_checkup", BEFORE), ("moved", "move", BEFORE),
    ("left_by_father", "parent_separation", BEFORE), ("divorced", "parent_separation", BEFORE),
    ("chained", "new_chain", BEFORE),
}  # fmt: skip


def tier_of(score: float) -> str:
    """The gravest tier that a score reaches."""
    return "high" if score >= 10 else "latent" if score >= 5 else "low"


def put(connection: duckdb.DuckDBPyConnection, relation: str, types: str, rows: list[tuple[Any, ...]]) -> None:
    """A relation of the warehouse with rows."""
    connection.execute(f"create or replace table warehouse.{relation} ({types})")
    if rows:
        names = [column[0] for column in connection.execute(f"from warehouse.{relation}").description]
        connection.register("given", pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows]))
        connection.execute(f"insert into warehouse.{relation} from given")


def score_rows(date: dt.date, place: int) -> list[tuple[Any, ...]]:
    """Scores of a batch: of the child that was born since under the id of the pregnancy."""
    rows = []
    for child, scores in CHILDREN.items():
        score = scores[place]
        version = "v1" if child == "old_version" and date != NOW else "v2"
        if score is not None:
            rows.append((date, version, "abuse", child, score, tier_of(score)))
            # A second type that stays as it is, so that a child scored no more in one is still a subject.
        if child not in ("new", "born") or date == NOW:
            rows.append((date, version, "poverty", child, 1, "low"))
    if date != NOW:
        rows += [(date, "v2", "abuse", "preg-1", 6, "latent"), (date, "v2", "poverty", "preg-1", 1, "low")]
    return rows


def batch(connection: duckdb.DuckDBPyConnection, bundle: Bundle, date: dt.date, place: int) -> None:
    """One batch of the town: what is on file at its date, then the models; history is appended as dbt does."""
    put(connection, "raw.run_parameters", "as_of_on date", [(date,)])
    people = [child for child in CHILDREN if date == NOW or child != "born"] + ["preg-1"] * (date != NOW)
    people = [child for child in people if child != "new" or date == NOW]
    put(connection, "marts.dim_child", "person_id varchar", [(child,) for child in people])
    known = [(child, child) for child in people] + [("preg-1", "born")] * (date == NOW)
    put(connection, "intermediate.int_person__known_ids", "known_id varchar, person_id varchar", known)
    observed = [
        (child, code, day, value, None, f"source of {code}", f"{known_on}", 2)
        for child, (code, day, value, known_on) in OBSERVATIONS.items()
        if known_on <= date
    ]
    if date == NOW:
        observed += [
            ("father_4", "divorce", dt.date(2026, 4, 20), None, "離婚", "marriages", "d", 3),
            ("mother_4", "divorce", dt.date(2026, 4, 20), None, "離婚", "marriages", "d", 3),
            ("case", "barred_move", dt.date(2026, 4, 20), None, None, "s", "d", 4),
            # Of the next month, though on file.
            ("attended", "household_move", dt.date(2026, 5, 2), None, None, "s", "d", 5),
        ]
    put(
        connection, "marts.fct_observation",
        "person_id varchar, observation_code varchar, observed_on date, value decimal(18, 6), text_value varchar, "
        "source_id varchar, delivery_id varchar, line_number bigint",
        observed,
    )  # fmt: skip
    members = [(child, "self", child) for child in people]
    members += [("divorced", "parents", "father_4"), ("divorced", "parents", "mother_4")]
    put(connection, "intermediate.int_risk__scope_members", "person_id varchar, scope varchar, member_id varchar",
        members)  # fmt: skip
    put(
        connection, "intermediate.int_family__parents_as_of", "person_id varchar, mother_id varchar, father_id varchar",
        [(child, None, father) for child, father in FATHERS.items()],
    )  # fmt: skip
    put(connection, "intermediate.int_household__members",
        "household_id varchar, person_id varchar, valid_from date, valid_to date", LIVED)  # fmt: skip
    put(
        connection, "intermediate.int_person__residents", "person_id varchar, is_deceased boolean",
        [(father, father == "father_3") for father in FATHERS.values()],
    )  # fmt: skip
    chains = [
        (date, "preg-1" if child == "born" and date != NOW else child, "horizontal", f"end of {child}", FAR)
        for child, known_on in CHAINS.items()
        if known_on <= date
    ]
    put(
        connection,
        "marts.fct_chain",
        "as_of_on date, person_id varchar, chain_type varchar, end_person_id varchar, case_on date",
        chains,
    )
    put(
        connection, "intermediate.int_risk__scores",
        "as_of_on date, model_version varchar, difficulty_type varchar, person_id varchar, score decimal(18, 3), "
        "tier varchar",
        score_rows(date, place),
    )  # fmt: skip
    history = None
    if place:
        history = connection.sql("from warehouse.marts.fct_change_fact_history").to_arrow_table()
    for relation, sql in bundle.statements:
        connection.execute(f"create or replace table {relation} as {sql}")
        if history is not None and "fct_change_fact_history" in relation:
            connection.register("kept", history)
            connection.execute(
                f"create or replace table {relation} as from kept union all by name (from {relation} as now "
                "anti join kept using (person_id, change_kind, fact_key))"
            )
    connection.execute("insert into warehouse.marts.fct_risk_score from warehouse.intermediate.int_risk__scores")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The town after its three batches."""
    connection = memory_warehouse()
    connection.execute(GIVEN)
    described = yaml.safe_load((SEEDS / "_changes__seeds.yml").read_text(encoding="utf-8"))["seeds"]
    types = {seed["name"]: seed["config"]["column_types"] for seed in described}
    for seed, columns in types.items():
        connection.execute(
            f"create table warehouse.seeds.{seed} as "
            f"from read_csv('{SEEDS / seed}.csv', header = true, columns = {columns})"
        )
    for seed in ("difficulty_types", "observation_codes"):
        connection.execute(f"create table warehouse.seeds.{seed} as from read_csv('{SEEDS / seed}.csv', header = true)")
    connection.execute("insert into warehouse.seeds.change_observations values ('barred_move', 'move', 'self', null)")
    put(
        connection, "marts.fct_decision",
        "decision_id varchar, person_id varchar, meeting_on date, decided_on date, entered_at timestamp, "
        "as_of_then date",
        [
            (f"{number}", child, meeting_on, meeting_on, dt.datetime.fromisoformat(entered_at), basis)
            for number, (child, meeting_on, basis, entered_at) in enumerate(DECISIONS)
        ],
    )  # fmt: skip
    put(
        connection, "marts.fct_risk_score",
        "as_of_on date, model_version varchar, difficulty_type varchar, person_id varchar, score decimal(18, 3), "
        "tier varchar",
        [],
    )  # fmt: skip
    bundle = load_bundle(Home(tmp_path_factory.mktemp("home") / "var").ensure(), MODELS)
    for place, date in enumerate((LONG_AGO, BEFORE, NOW)):
        batch(connection, bundle, date, place)
        if not place:
            assert connection.execute("select count(*) from warehouse.marts.fct_change").fetchall() == [(0,)]
    return connection


def test_each_kind_of_change_is_one_and_nearly_is_none(town: duckdb.DuckDBPyConnection) -> None:
    rows = town.execute("select person_id, change_kind, compared_on from warehouse.marts.fct_change").fetchall()
    assert set(rows) == EXPECTED
    assert len(rows) == len(EXPECTED)


def test_what_is_compared_with_is_said(town: duckdb.DuckDBPyConnection) -> None:
    bases = town.execute(
        "select person_id, compared_on, is_since_batch, is_since_decision from warehouse.marts.fct_change "
        "where person_id in ('slow_rise', 'decided_now', 'decided_before', 'decided_case', 'moved') order by 1"
    ).fetchall()
    assert bases == [
        ("decided_before", BEFORE, True, True),
        ("decided_case", dt.date(2026, 3, 20), False, True),
        # Its last decision rests on this very batch.
        ("decided_now", BEFORE, True, False),
        ("moved", BEFORE, True, False),
        ("slow_rise", LONG_AGO, False, True),
    ]


def test_a_change_says_from_what_to_what_and_why(town: duckdb.DuckDBPyConnection) -> None:
    rows = town.execute(
        "select person_id, from_value, to_value, from_label, to_label, subject_label, direction, happened_on "
        "from warehouse.marts.fct_change where person_id in ('tier_fall', 'score_rise', 'ages_out', 'case', "
        "'left_by_father', 'divorced') order by 1"
    ).fetchall()
    assert rows == [
        ("ages_out", "high", None, "高", "対象外", "虐待", "fall", None),
        ("case", None, None, None, None, "要対協のケース", "rise", dt.date(2026, 4, 20)),
        ("divorced", None, "離婚", None, None, "離婚", "rise", dt.date(2026, 4, 20)),
        ("left_by_father", None, None, None, None, "父と別居", "rise", dt.date(2026, 4, 12)),
        ("score_rise", "1.000", "3.500", "1点", "3.5点", "虐待", "rise", None),
        ("tier_fall", "high", "latent", "高", "中", "虐待", "fall", None),
    ]
    [(without_reason,)] = town.execute(
        "select count(*) from warehouse.marts.fct_change where why is null or kind_label is null"
    ).fetchall()
    assert without_reason == 0
