"""Individual determination (個別検討): the batch's own SQL over the publication in service and what was just heard."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import duckdb

from kodomo.contract import load_contracts
from kodomo.determination.nearby import near
from kodomo.determination.service import Reader, in_service, reading
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.linkage.explain import CHAINS_JA, NAMELESS, find_person
from kodomo.publication.inputs import TARGETS
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE, open_scratch
from kodomo.seeds import Row, read_seed
from kodomo.warehouse import records

HEARD = "heard"
"""Delivery id of what was just heard: it sorts after every delivery, so that it counts as the latest of its day."""
HEARD_LABEL = "今回聞いたこと"
SCOPES = ("person", "household", "family")
"""Whose children: each one's are at most one genogram step further away than the one's before."""
SCOPES_JA = {"person": "本人", "household": "世帯", "family": "家族"}
# What the scores are made from, once the children are chosen.
CHOSEN = (
    "intermediate.int_risk__subjects",
    "intermediate.int_risk__scope_members",
    "intermediate.int_chain__values",
    "marts.dim_child",
    "marts.fct_chain",
    "marts.fct_observation",
    "marts.fct_known_by",
)
# Whose rows of them count, where it is not the children themselves.
_KEPT = {"marts.fct_observation": f"select member_id from {SCRATCH}.intermediate.int_risk__scope_members"}
_HEARD = re.compile(r"(?:(?P<person>[^:=@]+):)?(?P<code>[a-z][a-z0-9_]*)(?:=(?P<value>[^@]*))?@(?P<date>[0-9-]{10})")


class AssessError(UsageError):
    """What was asked for cannot be determined; ``ja`` says so to staff."""

    def __init__(self, message: str, ja: str) -> None:
        super().__init__(message)
        self.ja = ja


@dataclass(frozen=True)
class Observation:
    """Something that was just heard of a person. ``value``: a number, where the code has one; ``text_value``: else."""

    person_id: str
    observation_code: str
    observed_on: dt.date
    value: Decimal | None = None
    text_value: str | None = None
    ended_on: dt.date | None = None


@dataclass(frozen=True)
class Determination:
    """What came of it: one entry of ``children`` per child, without a value for anything that is not known."""

    as_of_on: dt.date
    built_on: dt.date
    publication: str
    scope: str
    heard: tuple[Observation, ...]
    children: tuple[dict[str, Any], ...]
    milliseconds: int = field(default=0, compare=False)


@cache
def observation_codes() -> dict[str, Row]:
    """The seed observation_codes by code."""
    return {row["observation_code"]: row for row in read_seed("observation_codes")}


def source_label(source_id: str | None) -> str:
    """A source's name for people."""
    if source_id == HEARD:
        return HEARD_LABEL
    contract = load_contracts().get(source_id or "")
    return contract.label if contract else (source_id or "")


def parse_heard(text: str, person_id: str, relatives: dict[str, str | None]) -> Observation:
    """``[PERSON:]CODE[=VALUE]@DATE``; PERSON is ``mother``, ``father`` or a person id, by default the person itself.

    Raises UsageError saying what to write.
    """
    match = _HEARD.fullmatch(text.strip())
    if match is None:
        raise UsageError("--observe takes CODE=VALUE@DATE, such as school_absence_days=12@2026-03-31.")
    who = match["person"]
    subject: str | None = person_id
    if who in {"mother", "father"}:
        subject = relatives.get(who)
        if subject is None:
            raise UsageError("--observe: the {who} of this person is not known: give the person id.", who=who)
    elif who:
        subject = who
    return heard_observation(subject, match["code"], match["date"], match["value"])


def heard_observation(
    person_id: str, code: str, observed_on: str, value: str | None, ended_on: str | None = None
) -> Observation:
    """An observation of the register from texts as they are typed. Raises UsageError saying what to correct."""
    known = observation_codes().get(code)
    if known is None:
        raise AssessError(
            f"There is no observation {code}: see seeds/observation_codes.csv.", "聞いたことを一覧から選んでください。"
        )
    first, last = _date(observed_on), _date(ended_on) if ended_on else None
    if last is not None and last < first:
        raise AssessError(f"The end of {code} lies before its beginning.", "終了日が開始日より前です。")
    text = (value or "").strip()
    kind = known["value_type"]
    if kind in {"integer", "decimal"}:
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a number, such as {code}=3@{first}.",
                f"「{known['label_ja']}」の値を数字で入れてください。",
            ) from error
        if not number.is_finite() or abs(number) >= Decimal(10) ** 12:
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a number of at most 12 digits.",
                f"「{known['label_ja']}」の値は12桁までの数字です。",
            )
        if kind == "integer" and number != number.to_integral_value():
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a whole number.",
                f"「{known['label_ja']}」の値は整数で入れてください。",
            )
        return Observation(person_id, code, first, number, None, last)
    if kind == "text":
        if not text:
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a value.", f"「{known['label_ja']}」の値を入れてください。"
            )
        return Observation(person_id, code, first, None, text, last)
    # That it happened once is what a fact without a value says.
    if text not in {"", "1"}:
        raise AssessError(
            f"{code} ({known['label_ja']}) takes no value: write {code}@{first}.",
            f"「{known['label_ja']}」に値は要りません。空にしてください。",
        )
    return Observation(person_id, code, first, None, None, last)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise AssessError("A date is written as 2026-04-01.", "日付を 2026-04-01 のように入れてください。") from error


def find(home: Home, given: str) -> tuple[str, dict[str, str | None]]:
    """The person_id for a person id, a 宛名番号 or ``source:key``, and mother and father if it is a child.

    Raises UsageError when no person has the id.
    """
    with in_service(home) as (connection, _):
        connection.execute(f"use {WAREHOUSE}")
        person_id = find_person(connection, given)
        parents = connection.execute(
            "select mother_id, father_id from marts.dim_child where person_id = ?", [person_id]
        ).fetchall()
    mother, father = parents[0] if parents else (None, None)
    return person_id, {"mother": mother, "father": father}


def determine(
    home: Home,
    person_id: str,
    *,
    scope: str = "person",
    heard: Sequence[Observation] = (),
    as_of_on: dt.date | None = None,
) -> Determination:
    """Score one child, or the children of one household or family, for a date (default: that of the publication).

    The statements are those of the batch that was published. Raises UsageError when there is no child to score, or
    when what was heard cannot be used.
    """
    import time

    started = time.perf_counter()
    with reading(home) as (connection, reader):
        built_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        date = as_of_on or built_on
        _refuse_unusable(heard, date)
        children = evaluate(connection, reader, person_id, scope, heard, date, is_built=date == built_on)
        elapsed = int((time.perf_counter() - started) * 1000)
        return Determination(date, built_on, reader.folder.name, scope, tuple(heard), tuple(children), elapsed)


def evaluate(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    person_id: str,
    scope: str,
    heard: Sequence[Observation],
    as_of_on: dt.date,
    *,
    is_built: bool,
) -> list[dict[str, Any]]:
    """Everything that a determination executes, from an empty ``scratch`` to the rows of each child.

    ``is_built``: whether the date is that of the publication. Raises AssessError when there is no child to score.
    """
    open_scratch(connection, as_of_on)
    _choose(connection, reader, person_id, scope, None if is_built else as_of_on)
    _add(connection, heard)
    changed = [*CHOSEN, *([] if is_built else [PARAMETERS])]
    reader.models.execute(connection, changed, [target for target in TARGETS if target not in CHOSEN])
    return _describe(connection, as_of_on)


def rows(connection: duckdb.DuckDBPyConnection, model: str) -> list[tuple[Any, ...]]:
    """The rows of a scoring model as determined, for comparison with the batch's."""
    return connection.execute(f"select * from {SCRATCH}.{model} order by all").fetchall()


def _refuse_unusable(heard: Sequence[Observation], as_of_on: dt.date) -> None:
    obstacles = observation_obstacles(as_of_on) if heard else {}
    for observation in heard:
        label = observation_codes()[observation.observation_code]["label_ja"]
        if obstacles[observation.observation_code]:
            raise AssessError(
                f"{label} may not be used: the register of data items does not approve it.",
                f"「{label}」は、データ項目の台帳で承認されていないため使えません。",
            )
        if observation.observed_on > as_of_on:
            raise AssessError(
                f"{label}: the date lies after the as-of date {as_of_on}, so that it would not count.",
                f"「{label}」の日付が基準日より後です。基準日を変えるか、日付を直してください。",
            )


def _choose(
    connection: duckdb.DuckDBPyConnection, reader: Reader, person_id: str, scope: str, other: dt.date | None
) -> None:
    """Make the relations of CHOSEN in ``scratch`` for the chosen children only."""
    if other is not None:
        wanted = [*CHOSEN, "intermediate.int_person__identities"]
        changed = near(connection, reader, wanted, person_id, SCOPES.index(scope))
        reader.models.execute(connection, changed, wanted)
    source = WAREHOUSE if other is None else SCRATCH
    subject = person_id if other is None else _id_on_that_date(connection, person_id)
    connection.execute("create or replace temp table chosen (person_id varchar)")
    connection.execute(f"insert into chosen {_SUBJECTS[scope].format(source=source)}", {"person": subject})
    if not connection.execute("select count(*) from chosen").fetchall()[0][0]:
        if scope == "person":
            raise AssessError(
                "This person is no child on that date (before birth to 18, registered in the city): "
                "--household or --family chooses the children around it.",
                "その日には判定の対象ではありません（対象は出生前から18歳未満の住民です）。",
            )
        raise AssessError(
            f"There is no child to score on that date: neither is the person one, nor has the {scope} any.",
            "その日に判定の対象となる子どもがいません。",
        )
    # A publication of an earlier kodomo does not have them all.
    for relation in (relation for relation in CHOSEN if relation in reader.columns):
        kept = f"person_id in ({_KEPT.get(relation, 'select person_id from chosen')})"
        if relation == "marts.fct_chain":
            kept += f" and as_of_on = (select as_of_on from {source}.{PARAMETERS})"
        if other is None:
            connection.execute(
                f"create table {SCRATCH}.{relation} as select * from {WAREHOUSE}.{relation} where {kept}"
            )
        else:
            connection.execute(f"delete from {SCRATCH}.{relation} where not ({kept})")


# Who is scored. `source` is the database of the date in question.
_SUBJECTS = {
    "person": "select person_id from {source}.intermediate.int_risk__subjects where person_id = $person",
    "household": """
        select person_id from {source}.marts.dim_child
        where
            household_id in (
                select household_id from {source}.marts.dim_child where person_id = $person
                union all
                select dim_child.household_id
                from {source}.marts.dim_child as dim_child
                inner join {source}.intermediate.int_risk__scope_members as members
                    on dim_child.person_id = members.person_id and members.scope = 'household'
                where members.member_id = $person
            )
            or person_id = $person
    """,
    "family": """
        select person_id from {source}.intermediate.int_risk__scope_members
        where scope = 'family' and member_id = $person
        union
        select member_id from {source}.intermediate.int_risk__scope_members
        semi join (select person_id as member_id from {source}.intermediate.int_risk__subjects) using (member_id)
        where scope = 'family' and person_id = $person
        union
        select person_id from {source}.intermediate.int_risk__subjects where person_id = $person
    """,
}


def _id_on_that_date(connection: duckdb.DuckDBPyConnection, person_id: str) -> str:
    """The id on that date: before birth a child is identified by its mother's notification, and the other way round."""
    matches = connection.execute(
        f"""
        select there.person_id
        from {WAREHOUSE}.intermediate.int_person__identities as here
        inner join {SCRATCH}.intermediate.int_person__identities as there using (source_id, source_key)
        semi join {SCRATCH}.intermediate.int_risk__subjects as subjects on there.person_id = subjects.person_id
        where here.source_id = 'pregnancy_notifications' and here.person_id = ?
        order by there.person_id limit 1
        """,
        [person_id],
    ).fetchall()
    return matches[0][0] if matches else person_id


def _add(connection: duckdb.DuckDBPyConnection, heard: Sequence[Observation]) -> None:
    if not heard:
        return
    members = {
        row[0]
        for row in connection.execute(
            f"select distinct member_id from {SCRATCH}.intermediate.int_risk__scope_members"
        ).fetchall()
    }
    for number, observation in enumerate(heard, start=1):
        if observation.person_id not in members:
            raise AssessError(
                "What was heard is about somebody who counts for none of these children.",
                "聞いたことの対象者は、この子どもの判定に関わる家族ではありません。",
            )
        connection.execute(
            f"insert into {SCRATCH}.marts.fct_observation by name select ? as person_id, ? as observation_code, "
            "? as observed_on, ? as ended_on, ? as value, ? as text_value, ? as source_id, ? as delivery_id, "
            "? as line_number",
            [
                observation.person_id,
                observation.observation_code,
                observation.observed_on,
                observation.ended_on,
                observation.value,
                observation.text_value,
                HEARD,
                HEARD,
                number,
            ],
        )


def _by_child(child_rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in child_rows:
        groups.setdefault(row.pop("person_id"), []).append(row)
    return groups


def _describe(connection: duckdb.DuckDBPyConnection, as_of_on: dt.date) -> list[dict[str, Any]]:
    children = records(connection, _CHILDREN)
    scores, contributions = _by_child(records(connection, _SCORES)), _by_child(records(connection, _CONTRIBUTIONS))
    missing, contents = _by_child(records(connection, _MISSING)), _by_child(records(connection, _CONTENTS))
    # A publication of an earlier kodomo lists neither.
    tables = {
        row[0]
        for row in connection.execute(
            "select table_name from duckdb_tables() where database_name = ? and schema_name = 'marts'", [SCRATCH]
        ).fetchall()
    }
    unanswered = _by_child(records(connection, _UNANSWERED)) if "fct_unanswered" in tables else {}
    known_by = _by_child(records(connection, _KNOWN_BY)) if "fct_known_by" in tables else {}
    priorities, chains = _by_child(records(connection, _PRIORITIES)), _by_child(records(connection, _CHAINS))
    deliveries = records(connection, f"select delivery_id, source_id, delivered_on from {WAREHOUSE}.raw.deliveries")
    received = {row["delivery_id"]: row for row in deliveries}
    for child in children:
        person_id = child["person_id"]
        child["due_by_on"] = None
        child["known_by"] = known_by.get(person_id, [])
        child["scores"] = scores.get(person_id, [])
        child["contributions"] = contributions.get(person_id, [])
        for row in child["contributions"]:
            row["sources"] = _sources(row["evidence"], received)
        child["chains"] = chains.get(person_id, [])
        for row in child["chains"]:
            row["chain_label"] = CHAINS_JA[row["chain_type"]]
            row["case_source_label"] = source_label(row["case_source_id"])
        child["priority"] = next(iter(priorities.get(person_id, [])), None)
        if child["priority"] is not None:
            child["due_by_on"] = as_of_on + dt.timedelta(days=child["priority"]["due_days"])
        child["support_contents"] = contents.get(person_id, [])
        child["missing"] = missing.get(person_id, [])
        child["unanswered"] = unanswered.get(person_id, [])
        for row in child["missing"]:
            row["source_label"] = source_label(row["source_id"])
    return children


def _sources(evidence: str | None, received: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Where a contribution comes from, one entry per delivery: what, when delivered, which lines.

    ``received``: the deliveries by id; what was just heard is in none of them.
    """
    lines_by_delivery: dict[str, list[str]] = {}
    for place in filter(None, (evidence or "").split("|")):
        delivery_id, _, line = place.rpartition(":")
        lines = lines_by_delivery.setdefault(delivery_id, [])
        if line not in lines:
            lines.append(line)
    return [
        {
            "label": source_label(HEARD if delivery_id == HEARD else received[delivery_id]["source_id"]),
            "delivery_id": None if delivery_id == HEARD else delivery_id,
            "delivered_on": None if delivery_id == HEARD else received[delivery_id]["delivered_on"],
            "lines": lines,
        }
        for delivery_id, lines in lines_by_delivery.items()
    ]


_CHILDREN = f"""
    select
        children.person_id,
        coalesce(
            nullif(persons.display_name, ''), case when children.is_unborn then '（出生前）' end, '{NAMELESS}'
        ) as display_name,
        persons.kana,
        children.birth_on,
        children.due_on as expected_birth_on,
        children.sex,
        children.is_unborn,
        children.age_months,
        children.area_code,
        areas.area_name_ja as area_name,
        children.household_id,
        children.is_known_to_services,
        children.is_dv_protected
    from {SCRATCH}.marts.dim_child as children
    left join {WAREHOUSE}.marts.dim_person as persons on children.person_id = persons.person_id
    left join {WAREHOUSE}.marts.dim_area as areas on children.area_code = areas.area_code
    order by children.birth_on desc nulls first, children.person_id
"""

_SCORES = f"""
    select
        scores.person_id,
        scores.model_version,
        versions.status,
        scores.difficulty_type,
        coalesce(difficulties.label_ja, scores.difficulty_type) as difficulty_label,
        scores.score,
        scores.tier,
        coalesce(tiers.label_ja, scores.tier) as tier_label,
        scores.is_override,
        scores.completeness,
        before.score as score_before,
        before.tier as tier_before,
        tiers_before.label_ja as tier_label_before,
        before.score is distinct from scores.score or before.tier is distinct from scores.tier as is_changed
    from {SCRATCH}.intermediate.int_risk__scores as scores
    left join {WAREHOUSE}.seeds.risk_model_versions as versions using (model_version)
    left join {WAREHOUSE}.seeds.difficulty_types as difficulties using (difficulty_type)
    left join {WAREHOUSE}.seeds.risk_tiers as tiers
        on scores.model_version = tiers.model_version
        and scores.difficulty_type = tiers.difficulty_type
        and scores.tier = tiers.tier
    left join {WAREHOUSE}.marts.fct_risk_score as before
        on before.as_of_on = (select as_of_on from {WAREHOUSE}.{PARAMETERS})
        and scores.model_version = before.model_version
        and scores.difficulty_type = before.difficulty_type
        and scores.person_id = before.person_id
    left join {WAREHOUSE}.seeds.risk_tiers as tiers_before
        on before.model_version = tiers_before.model_version
        and before.difficulty_type = tiers_before.difficulty_type
        and before.tier = tiers_before.tier
    order by
        scores.person_id, versions.status <> 'active', scores.model_version, difficulties.sort_order,
        scores.difficulty_type
"""

# Those of the batch that are no longer there come too, with `change` = gone.
_CONTRIBUTIONS = f"""
    with

    before as (
        select contributions.*
        from {WAREHOUSE}.marts.fct_risk_contribution as contributions
        semi join chosen using (person_id)
        where as_of_on = (select as_of_on from {WAREHOUSE}.{PARAMETERS})
    ),

    joined as (
        select
            coalesce(here.person_id, before.person_id) as person_id,
            coalesce(here.model_version, before.model_version) as model_version,
            coalesce(here.difficulty_type, before.difficulty_type) as difficulty_type,
            coalesce(here.item_code, before.item_code) as item_code,
            coalesce(here.band_no, before.band_no) as band_no,
            here.raw_value,
            coalesce(here.coefficient, before.coefficient) as coefficient,
            coalesce(here.is_counted, false) as is_counted,
            here.evidence,
            case
                when here.person_id is null then 'gone'
                when before.person_id is null then 'new'
                when here.coefficient <> before.coefficient or here.is_counted <> before.is_counted then 'changed'
                else 'same'
            end as change
        from {SCRATCH}.intermediate.int_risk__contributions as here
        full join before
            on here.person_id = before.person_id
            and here.model_version = before.model_version
            and here.difficulty_type = before.difficulty_type
            and here.item_code = before.item_code
            and here.band_no is not distinct from before.band_no
    )

    select
        joined.*,
        coalesce(difficulties.label_ja, joined.difficulty_type) as difficulty_label,
        -- A row without an item is what a cap of a group cuts off.
        coalesce(items.label_ja, '上限による調整') as item_label,
        items.category,
        bands.label_ja as band_label
    from joined
    left join {WAREHOUSE}.seeds.difficulty_types as difficulties using (difficulty_type)
    left join {WAREHOUSE}.seeds.risk_items as items using (item_code)
    left join {WAREHOUSE}.seeds.risk_bands as bands
        on joined.item_code = bands.item_code and joined.band_no = bands.band_no
    left join {WAREHOUSE}.seeds.risk_model_versions as versions using (model_version)
    order by
        joined.person_id, versions.status <> 'active', joined.model_version, difficulties.sort_order,
        joined.change = 'gone', joined.is_counted desc, joined.coefficient desc, joined.item_code
"""

# Items that apply at this age and for which nothing was observed.
_MISSING = f"""
    select
        subjects.person_id,
        items.item_code,
        items.label_ja as item_label,
        items.category,
        codes.source_id,
        string_agg(distinct difficulties.label_ja, '・' order by difficulties.label_ja) as difficulty_labels
    from {SCRATCH}.intermediate.int_risk__subjects as subjects
    inner join {SCRATCH}.intermediate.int_risk__scores as scores on subjects.person_id = scores.person_id
    inner join {WAREHOUSE}.intermediate.int_risk__used_items as used
        on used.kind = 'observation'
        and scores.model_version = used.model_version
        and scores.difficulty_type = used.difficulty_type
        and coalesce(subjects.age_months >= used.age_from_months, true)
        and coalesce(subjects.age_months < used.age_to_months, true)
    inner join {WAREHOUSE}.seeds.risk_items as items on used.item_code = items.item_code
    left join {WAREHOUSE}.seeds.observation_codes as codes on items.observation_code = codes.observation_code
    left join {WAREHOUSE}.seeds.difficulty_types as difficulties on used.difficulty_type = difficulties.difficulty_type
    anti join {SCRATCH}.intermediate.int_risk__values as observed
        on subjects.person_id = observed.person_id and items.item_code = observed.item_code
    group by all
    order by items.category, items.item_code
"""

# Which of them no source can answer, by source and reason, over all versions and types that concern the child.
_UNANSWERED = f"""
    with

    listed as (
        select distinct
            person_id,
            source_id,
            reason,
            unnest(string_split(item_codes, '|')) as item_code
        from {SCRATCH}.marts.fct_unanswered
    )

    select
        listed.person_id,
        listed.source_id,
        listed.reason,
        count(*) as items,
        string_agg(items.label_ja, '・' order by items.label_ja) as item_labels
    from listed
    left join {WAREHOUSE}.seeds.risk_items as items using (item_code)
    group by listed.person_id, listed.source_id, listed.reason
    order by listed.source_id, listed.reason
"""

_KNOWN_BY = f"""
    select person_id, way, way_label, holder_label, known_on
    from {SCRATCH}.marts.fct_known_by
    order by sort_order
"""

_CONTENTS = f"""
    select contents.person_id, contents.support_code, contents.content_ja,
        string_agg(distinct difficulties.label_ja, '・' order by difficulties.label_ja) as difficulty_labels
    from {SCRATCH}.marts.fct_support_content as contents
    left join {WAREHOUSE}.seeds.difficulty_types as difficulties using (difficulty_type)
    group by all
    order by contents.content_ja
"""

# The place among all children of the last batch, as the batch orders them.
_PRIORITIES = f"""
    with

    own as (
        select
            priorities.*,
            (priorities.priority_class, -priorities.total_score, children.age_months, priorities.person_id) as place
        from {SCRATCH}.marts.fct_support_priority as priorities
        inner join {SCRATCH}.marts.dim_child as children using (person_id)
    ),

    before as (
        select *
        from {WAREHOUSE}.marts.fct_support_priority
        where as_of_on = (select as_of_on from {WAREHOUSE}.{PARAMETERS})
    ),

    others as (
        select (before.priority_class, -before.total_score, children.age_months, before.person_id) as place
        from before
        left join {WAREHOUSE}.marts.dim_child as children using (person_id)
        anti join chosen using (person_id)
        union all
        select place from own
    ),

    ranked as (
        select own.person_id, count(*) as priority_rank
        from own
        inner join others on others.place <= own.place
        group by own.person_id
    )

    select
        own.person_id,
        own.tier,
        tiers.label_ja as tier_label,
        own.total_score,
        own.priority_class,
        own.due_days,
        ranked.priority_rank,
        before.priority_class as priority_class_before,
        before.priority_rank as priority_rank_before
    from own
    inner join ranked using (person_id)
    left join (
        select tier, any_value(label_ja) as label_ja from {WAREHOUSE}.seeds.risk_tiers group by tier
    ) as tiers using (tier)
    left join before on own.person_id = before.person_id
"""

_CHAINS = f"""
    select
        chains.person_id,
        chains.chain_type,
        chains.steps,
        string_split(chains.path, '>') as path_ids,
        (
            select list(coalesce(nullif(persons.display_name, ''), '{NAMELESS}') order by steps.place)
            from (
                select
                    unnest(string_split(chains.path, '>')) as person_id,
                    generate_subscripts(string_split(chains.path, '>'), 1) as place
            ) as steps
            left join {WAREHOUSE}.marts.dim_person as persons on steps.person_id = persons.person_id
        ) as path,
        exists(
            select 1 from {WAREHOUSE}.marts.dim_person as persons
            where list_contains(string_split(chains.path, '>'), persons.person_id) and persons.is_dv_protected
        ) as is_dv_protected,
        chains.end_person_id,
        chains.case_source_id,
        chains.case_on
    from {SCRATCH}.marts.fct_chain as chains
    order by chains.chain_type desc, chains.steps, chains.path
"""
