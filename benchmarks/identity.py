"""Links, parent edges and chains against the truth of a synthetic city, and how long they take.

.venv/bin/python -m benchmarks.identity --city OUT --home HOME

OUT is a folder of `kodomo synth`, HOME the home of a run over its landing folder. One JSON line per figure: linkage
per source and by hard case, with an exact join on kana and birth date beside it; parent edges by origin and by what
they are in truth; both chains, those apart of which no extract shows every edge or whose case waits for a person;
and with --times the seconds that each model of people and families takes when built again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb

from kodomo.warehouse import records

TRUTH = ("identities", "parents", "partners", "people", "chains_vertical", "chains_horizontal")

# A number that a person had before is that person's as far as the register still has it.
PREPARE = """
    create temp table numbers as
    select atena_no, truth_person_id from people where atena_no is not null
    union all
    select former_atena_no, truth_person_id from people where former_atena_no is not null;

    create temp table persons as
    select distinct atena.person_id, numbers.truth_person_id
    from w.intermediate.int_person__atena as atena
    inner join numbers on atena.atena_no = numbers.atena_no;

    create temp table registered as
    select distinct person_id from w.intermediate.int_identity__register_versions;

    -- Whose earlier number the register no longer explains: nothing on file ties the two numbers together.
    create temp table split_people as
    select truth_person_id from persons group by truth_person_id having count(*) > 1;

    -- Two numbers that nothing ties together are both the person's: a link to either is right.
    create temp table records as
    select
        identities.source_id,
        identities.source_key,
        coalesce(identities.hard_case, 'plain') as hard_case,
        records.full_name_kana_match as kana,
        records.birth_on,
        max(known.truth_person_id) as true_person_id
    from identities
    inner join w.intermediate.int_identity__external_records as records
        on identities.source_id = records.source_id and identities.source_key = records.source_key
    left join (
        select persons.truth_person_id from persons
        semi join registered on persons.person_id = registered.person_id
    ) as known
        on identities.truth_person_id = known.truth_person_id
    group by all;

    create temp table kodomo_links as
    select source_id, source_key, person_id, status from w.marts.fct_link_decision where status <> 'unlinked';

    -- What most would do: the same kana and birth date; of several the first.
    create temp table join_links as
    select records.source_id, records.source_key, min(residents.person_id) as person_id, 'linked' as status
    from records
    inner join w.intermediate.int_person__residents as residents
        on records.kana = residents.full_name_kana_match and records.birth_on = residents.birth_on
    group by records.source_id, records.source_key;
"""

LINKS = """
    select
        {group},
        count(*) as records,
        count(true_person_id) as in_register,
        count(*) filter (where links.status = 'linked' and persons.truth_person_id = true_person_id) as linked_right,
        count(*) filter (
            where links.status = 'linked' and persons.truth_person_id is distinct from true_person_id
        ) as linked_wrong,
        count(*) filter (where links.status = 'review') as to_review,
        count(*) filter (where true_person_id is not null and links.status is null) as missed,
        round(linked_right / nullif(linked_right + linked_wrong, 0), 4) as precision,
        round(linked_right / nullif(in_register, 0), 4) as recall,
        round(
            2.0 * linked_right / nullif(linked_right + linked_wrong + in_register, 0), 4
        ) as f1
    from records
    left join {method}_links as links
        on records.source_id = links.source_id and records.source_key = links.source_key
    left join persons on links.person_id = persons.person_id
    group by all
    order by all
"""

PARENTS = """
    with derived as (
        select
            parents.truth_person_id as parent,
            children.truth_person_id as child,
            arg_min(edges.origin, edges.evidence_rank) as origin
        from w.intermediate.int_family__parents as edges
        inner join persons as parents on edges.parent_id = parents.person_id
        inner join persons as children on edges.child_id = children.person_id
        group by all
    ),
    stated as (select distinct parent, child, stated_in is not null as is_stated from parents)
    select
        coalesce(derived.origin, 'not derived') as origin,
        count(*) filter (where derived.parent is not null) as derived_edges,
        count(*) filter (where stated.parent is null) as false_edges,
        count(*) filter (where stated.is_stated) as stated_by_an_extract
    from derived
    full join stated on derived.parent = stated.parent and derived.child = stated.child
    where derived.parent is not null or stated.is_stated
    group by all
    order by all
"""

# What an edge is in truth, and what a false one took for a parent: confused only where no extract states the parents.
PARENT_CASES = """
    with derived as (
        select distinct parents.truth_person_id as parent, children.truth_person_id as child
        from w.intermediate.int_family__parents as edges
        inner join persons as parents on edges.parent_id = parents.person_id
        inner join persons as children on edges.child_id = children.person_id
    ),
    stated as (
        select parent, child, min(type) as type, bool_or(stated_in is not null) as is_stated
        from parents group by parent, child
    ),
    couples as (
        select husband as one, wife as other from partners
        union
        select wife as one, husband as other from partners
    ),
    step_parents as (
        select distinct couples.one as parent, stated.child
        from stated
        inner join couples on stated.parent = couples.other
    ),
    grandparents as (
        select distinct elders.parent, stated.child
        from stated
        inner join stated as elders on stated.parent = elders.child
    )
    select
        case
            when stated.parent is not null then stated.type
            when step_parents.parent is not null then 'a partner of a parent'
            when grandparents.parent is not null then 'a grandparent'
            else 'another person'
        end as hard_case,
        count(*) filter (where stated.is_stated) as stated_by_an_extract,
        count(*) filter (where stated.is_stated and derived.parent is not null) as stated_and_derived,
        count(*) filter (where derived.parent is not null and stated.parent is not null) as true_edges,
        count(*) filter (where stated.parent is null) as false_edges
    from derived
    full join stated on derived.parent = stated.parent and derived.child = stated.child
    left join step_parents on derived.parent = step_parents.parent and derived.child = step_parents.child
    left join grandparents on derived.parent = grandparents.parent and derived.child = grandparents.child
    group by all
    order by all
"""

CHAINS = """
    with made as (
        select distinct
            children.truth_person_id as child,
            ends.truth_person_id as end_person,
            chains.steps
        from w.marts.fct_chain as chains
        inner join persons as children on chains.person_id = children.person_id
        inner join persons as ends on chains.end_person_id = ends.person_id
        where chains.chain_type = '{kind}'
    ),
    -- An extract shows the chain, and no person in it has two numbers that no record connects.
    truth as (
        select
            chains.*,
            coalesce(try_cast(is_known as boolean), false)
            and not exists (
                select 1 from split_people
                where contains('>' || chains.path || '>', '>' || split_people.truth_person_id || '>')
            ) as is_shown,
            -- A case of a source without numbers counts from the day its record is linked.
            end_person in (
                select persons.truth_person_id
                from persons
                semi join w.intermediate.int_family__cases as cases on persons.person_id = cases.person_id
            ) as is_case_linked,
            -- The machine leaves it to a person.
            end_person in (
                select records.true_person_id
                from records
                inner join kodomo_links
                    on records.source_id = kodomo_links.source_id and records.source_key = kodomo_links.source_key
                where kodomo_links.status = 'review' and records.source_id = case_source_id
            ) as is_case_in_review
        from chains_{kind} as chains
        where child in (select truth_person_id from persons)
    )
    select
        count(truth.child) as in_truth,
        count(*) filter (where not truth.is_shown) as edges_not_known,
        count(*) filter (where truth.is_shown) as shown_by_extracts,
        count(*) filter (where truth.is_shown and made.child is not null) as derived_chains,
        count(*) filter (where truth.is_shown and not truth.is_case_linked) as case_not_linked,
        count(*) filter (where truth.is_shown and not truth.is_case_linked and truth.is_case_in_review)
            as case_in_review,
        count(*) filter (where truth.is_shown and made.steps = truth.steps::integer) as same_length,
        count(*) filter (where truth.child is null) as false_chains,
        round(derived_chains / nullif(shown_by_extracts, 0), 4) as recall,
        round(derived_chains / nullif(shown_by_extracts - case_not_linked, 0), 4) as recall_where_linked,
        round(1 - false_chains / nullif(count(made.child), 0), 4) as precision
    from made
    full join truth on made.child = truth.child and made.end_person = truth.end_person
"""


def against_truth(city: Path, home: Path) -> list[dict[str, Any]]:
    """All comparisons, one dictionary per line."""
    connection = duckdb.connect()
    connection.execute(f"attach '{home / 'warehouse.duckdb'}' as w (read_only)")
    for name in TRUTH:
        connection.execute(f"create view {name} as from read_csv('{city / 'truth' / name}.csv', all_varchar = true)")
    connection.execute(PREPARE)
    measures: list[dict[str, Any]] = []
    for method in ("kodomo", "join"):
        for group, measure in (
            ("'all' as source_id", "linkage"),
            ("records.source_id", "linkage by source"),
            ("records.source_id, records.hard_case", "linkage by hard case"),
        ):
            query = LINKS.format(group=group, method=method)
            measures += [{"measure": measure, "method": method, **row} for row in records(connection, query)]
    measures += [{"measure": "parent edges", **row} for row in records(connection, PARENTS)]
    measures += [{"measure": "parent edges by hard case", **row} for row in records(connection, PARENT_CASES)]
    for kind in ("vertical", "horizontal"):
        measures += [{"measure": f"{kind} chains", **row} for row in records(connection, CHAINS.format(kind=kind))]
    return measures


FOLDERS = ("identity", "family", "linkage", "chains")


def times(home: Path) -> list[dict[str, Any]]:
    """Seconds per model of people and families, built again in the home."""
    from kodomo import dbt_runner
    from kodomo.home import Home

    nodes = dbt_runner.invoke(
        Home(home.resolve()),
        ["run", "--select", *(f"path:models/intermediate/{folder}" for folder in FOLDERS)],
    ).result
    lines = [
        {"measure": "seconds", "model": node.node.name, "seconds": round(node.execution_time, 2)} for node in nodes
    ]
    family = sum(
        node.execution_time
        for node in nodes
        if "/family/" in node.node.original_file_path and not node.node.name.startswith("int_chain")
    )
    total = sum(node.execution_time for node in nodes)
    return [
        *lines,
        {"measure": "seconds", "model": "the genogram", "seconds": round(family, 2)},
        {"measure": "seconds", "model": "all", "seconds": round(total, 2)},
    ]


def main() -> None:
    """Print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--times", action="store_true")
    arguments = parser.parse_args()
    lines = against_truth(arguments.city, arguments.home)
    if arguments.times:
        lines += times(arguments.home)
    for line in lines:
        print(json.dumps(line, ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()
