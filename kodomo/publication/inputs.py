"""What an individual determination reads: copied into each publication, so that it works while a batch is running."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from kodomo.errors import KodomoError
from kodomo.evaluation import relations as past
from kodomo.home import Home
from kodomo.linkage.pairs import PAIRS_QUERY
from kodomo.publication.tables import columns_of
from kodomo.scoring.replay import DEFINITION, PARAMETERS, SCORES, VERSIONS, CompiledModels

STATEMENTS = "compiled.json"
"""The compiled SQL of the build that was published, beside its data."""
JUDGING_STATEMENTS = "judging.json"
"""The compiled SQL that scores all children of a past date and judges the scores, for drafts of the model."""
TARGETS = (
    *(f"intermediate.{name}" for name in SCORES),
    "marts.fct_chain",
    "marts.fct_support_priority",
    "marts.fct_support_content",
    "marts.fct_unanswered",
    "marts.fct_known_by",
    "marts.fct_change",
)
VIEWS = tuple(
    f"marts.determination_{name}"
    for name in (
        "child",
        "score",
        "contribution",
        "missing",
        "unanswered",
        "known_by",
        "support_content",
        "priority",
        "chain",
        "change",
    )
)
"""What a determination shows. They are executed for each one, and never copied into a publication."""
SHOWN_BY = {
    "marts.dim_child": "intermediate.int_child__profiles",
    "marts.fct_observation": "intermediate.int_observations__all",
}
"""Marts that are views, and the relation whose rows each shows: a publication keeps those rows once."""
AT_BUILD_DATE = (
    *SHOWN_BY.values(),
    "intermediate.int_risk__subjects",
    "intermediate.int_risk__scope_members",
    "intermediate.int_chain__values",
    "intermediate.int_risk__used_items",
    "intermediate.int_risk__item_sources",
    "intermediate.int_risk__roster_members",
    "intermediate.int_person__atena",
    "intermediate.int_observations__barred",
    "intermediate.int_person__identities",
    "intermediate.int_quality__unknown_codes",
    "intermediate.int_child__separations",
    "intermediate.int_person__known_ids",
    # By which a comparison of versions names areas.
    "seeds.areas",
)
AS_BUILT = (
    "intermediate.int_person__bodies",
    "intermediate.int_person__pupil_numbers",
    "marts.fct_risk_score",
    "marts.fct_change_fact_history",
)
"""Who is no person, and whose a pupil's number is, show from the records of all people: neither is computed again from
those of a few. Scores and facts of earlier batches are those that were kept."""
EXTERNAL_KEYS = {
    "school_person_no": "school_enrolment",
    "centre_case_no": "guidance_centre_cases",
    "service_no": "social_council_services",
}
"""Columns in which an outside source has its own number of a person, and whose number it is."""
PROFILES = ("column_profiles", "finding_acceptances")
"""Of schema raw: what the columns of earlier deliveries held, and what stewards have accepted."""
NEARNESS = ("intermediate.near_people", "intermediate.near_lived", "intermediate.near_links")
"""The relations of nearness at any time: people with numbers, household memberships, edges of the family graph."""
# A household that ever had more members than this is an institution on any date, and makes no edge.
FAMILY_AT_MOST = 30
# Integers are looked up in a fraction of the time that texts take.
_PEOPLE = """
    select row_number() over (order by person_id)::integer as number, person_id
    from (
        select person_id from {source}.marts.dim_person
        union
        select person_id from {source}.intermediate.int_person__atena
    )
"""
# Who ever lived in which household; whether it is a family.
_LIVED = """
    with

    lived as (
        select household_no, atena_no from {source}.staging.stg_citizens__household_history
        union
        select household_no, atena_no from {source}.staging.stg_citizens__resident_register
    ),

    households as (
        select household_no, row_number() over ()::integer as household, count(*) <= {family_at_most} as is_family
        from lived
        group by household_no
    )

    select households.household, households.is_family, people.number
    from lived
    inner join households using (household_no)
    inner join {source}.intermediate.int_person__atena as atena using (atena_no)
    inner join {target}.intermediate.near_people as people using (person_id)
    order by people.number
"""
# Edges of the family graph that ever were, in both directions.
_LINKS = """
    with

    links as (
        select here.number, there.number as other
        from {source}.marts.fct_family_link as links
        inner join {target}.intermediate.near_people as here on links.from_person_id = here.person_id
        inner join {target}.intermediate.near_people as there on links.to_person_id = there.person_id
    )

    select number, other from links
    union all
    select other as number, number as other from links
    order by number
"""


TRIED = [*DEFINITION, VERSIONS]
"""What another definition changes: the rest of the scores is computed from it."""
JUDGED = "marts.bi_model_performance"
"""How versions did on a past date, as the dashboards show it."""
AT_CAPACITY = "marts.fct_model_capacity"
"""The same by group, of the children whom a meeting can see."""
EVALUATED = (past.COHORT, past.REFUSED)
"""Who became a case after a past date, and what may not be evidence for it."""


def computed_again(models: CompiledModels) -> CompiledModels:
    """The models without those that a determination takes as they were built."""
    return CompiledModels({name: sql for name, sql in models.statements.items() if name not in AS_BUILT})


def needed(models: CompiledModels) -> list[str]:
    """The relations outside the marts that a determination for the build's date, or for another one, reads.

    ``models``: without those that are taken as built.
    """
    again = set(models.again(TARGETS, [PARAMETERS]))
    read = {parent for relation in again | set(VIEWS) for parent in models.parents[relation]} - again
    read |= {*AT_BUILD_DATE, *AS_BUILT}
    return sorted(relation for relation in read if not relation.startswith("marts."))


def judging(models: CompiledModels) -> list[str]:
    """The relations that are computed again to judge a definition on a past date.

    ``models``: all of a build. Unlike a determination, which is about a few people, this one computes all of them.
    """
    frozen_again = models.again(past.FREEZING, [PARAMETERS, *TRIED])
    return list(dict.fromkeys([*frozen_again, *models.again([JUDGED, AT_CAPACITY, *EVALUATED], [past.FROZEN, *TRIED])]))


def people_columns(columns: Iterable[str]) -> list[str]:
    """The columns by which a relation is looked up for people: ids, else 宛名番号 and the numbers of outside sources.

    A row that carries both kinds of numbers may leave either empty. Records that linkage reads are looked up by
    neither: whom they are about is what it decides.
    """
    names = list(columns)
    if ids := [name for name in names if name in {"person_id", "husband_id", "wife_id"}]:
        return ids
    if "source_key" in names:
        return []
    return [name for name in names if name.endswith("atena_no") or name in EXTERNAL_KEYS]


def copy_relation(
    connection: duckdb.DuckDBPyConnection, source: str, target: str, relation: str, columns: Iterable[str]
) -> None:
    """Copy ``schema.name`` between attached databases, one person's rows together.

    The rows of a few people can then be read without a scan of all rows.
    """
    names = people_columns(columns)
    order = f" order by {names[0]}" if names else ""
    connection.execute(f"create table {target}.{relation} as from {source}.{relation}{order}")


def copy_inputs(
    connection: duckdb.DuckDBPyConnection, home: Home, source: str, target: str
) -> dict[str, dict[str, str]]:
    """Copy the inputs from one attached database to another, within the caller's transaction.

    Returns the compiled statements that go with them, by the file that they belong in; nothing where the warehouse
    holds no build of the scores.
    """
    try:
        built = CompiledModels.of_last_build(home)
    except KodomoError:
        return {}
    models = computed_again(built)
    if not models.statements.keys() >= set(VIEWS):
        return {}
    columns_by_relation: dict[str, list[str]] = {}
    for relation, column in connection.execute(
        "select schema_name || '.' || table_name, column_name from duckdb_columns() where database_name = ?", [source]
    ).fetchall():
        columns_by_relation.setdefault(relation, []).append(column)
    relations = needed(models)
    judged = judging(built)
    read = {parent for relation in judged for parent in built.parents[relation]} - {*judged, *TRIED, past.FROZEN}
    read |= {*past.AS_BUILT}
    # What a build of the scores alone lacks is not judged by.
    if is_judged := columns_by_relation.keys() >= read:
        relations = sorted({*relations, *(relation for relation in read if not relation.startswith("marts."))})
    if not columns_by_relation.keys() >= set(relations):
        return {}
    for schema in sorted({relation.partition(".")[0] for relation in relations}):
        connection.execute(f"create schema {target}.{schema}")
    for relation in relations:
        copy_relation(connection, source, target, relation, columns_by_relation[relation])
    copy_pairs(connection, source, target)
    for relation, query in zip(NEARNESS, (_PEOPLE, _LIVED, _LINKS), strict=True):
        select = query.format(source=source, target=target, family_at_most=FAMILY_AT_MOST)
        connection.execute(f"create table {target}.{relation} as {select}")
    tried = models.again([f"intermediate.{name}" for name in SCORES], TRIED)
    executed = [*models.again(TARGETS, [PARAMETERS]), *tried, *VIEWS]
    statements = {STATEMENTS: {relation: models.statements[relation] for relation in executed}}
    if is_judged:
        statements[JUDGING_STATEMENTS] = {relation: built.statements[relation] for relation in judged}
    return statements


def copy_pairs(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Copy the pairs of records that wait for a person, as ``intermediate.link_pairs``."""
    before = connection.execute("select current_database()").fetchall()[0][0]
    connection.execute(f"use {source}")
    try:
        connection.execute(f"create table {target}.intermediate.link_pairs as {PAIRS_QUERY}")
    finally:
        connection.execute(f"use {before}")


def copy_profiles(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Copy what a file is compared with before it is delivered: figures of the columns of earlier deliveries.

    ``target`` has a schema raw. A warehouse that no run of this version made has none.
    """
    kept = columns_of(connection, source, "raw")
    for name in PROFILES:
        if name in kept:
            connection.execute(f"create table {target}.raw.{name} as from {source}.raw.{name}")


def write_statements(folder: Path, statements: Mapping[str, Mapping[str, str]]) -> None:
    """Keep the compiled SQL in a publication's folder, by file; none where there is none."""
    for name, of_file in statements.items():
        path = folder / name
        path.write_text(json.dumps(of_file, ensure_ascii=False), encoding="utf-8")
        path.chmod(0o400)


def read_statements(folder: Path) -> CompiledModels:
    """The compiled SQL of a publication. Raises KodomoError when it was published without, or by an earlier kodomo."""
    path = folder / STATEMENTS
    if not path.exists():
        raise KodomoError("What is in service was published without scores: run `kodomo run` to publish again.")
    statements = json.loads(path.read_text(encoding="utf-8"))
    if not statements.keys() >= set(VIEWS):
        raise _published_by_an_earlier_one()
    return CompiledModels(statements)


def read_judging_statements(folder: Path) -> CompiledModels:
    """The compiled SQL by which a publication judges a definition on a past date. Raises as ``read_statements``."""
    path = folder / JUDGING_STATEMENTS
    if not path.exists():
        raise _published_by_an_earlier_one()
    return CompiledModels(json.loads(path.read_text(encoding="utf-8")))


def _published_by_an_earlier_one() -> KodomoError:
    return KodomoError("An earlier kodomo published what is in service: run `kodomo run` to publish again.")
