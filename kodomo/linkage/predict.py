"""Record linkage with Splink: external records against every description of the people of the register."""

from __future__ import annotations

import hashlib
import logging
import math
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.linkage.attributes import ATTRIBUTES
from kodomo.macros import load_macros

PARAMETERS = Path(__file__).with_name("parameters.yml")

# One shape for both sides. A name is split where its holder put a space; the folded form has the same characters.
_COMPARABLE = """
    select
        unique_id,
        source_id,
        source_key,
        full_kanji,
        full_kana,
        case when strpos(full_name, ' ') > 0 then left(full_kanji, strpos(full_name, ' ') - 1) end
            as surname_kanji,
        case when strpos(full_name, ' ') > 0 then substr(full_kanji, strpos(full_name, ' ')) end
            as given_kanji,
        case when strpos(kana, ' ') > 0 then split_part(kana, ' ', 1) end as surname_kana,
        case when strpos(kana, ' ') > 0 then replace(substr(kana, strpos(kana, ' ') + 1), ' ', '') end
            as given_kana,
        -- The given name before the surname.
        case
            when strpos(full_name, ' ') > 0
                then substr(full_kanji, strpos(full_name, ' ')) || left(full_kanji, strpos(full_name, ' ') - 1)
        end as exchanged_kanji,
        case
            when strpos(kana, ' ') > 0
                then replace(substr(kana, strpos(kana, ' ') + 1), ' ', '') || split_part(kana, ' ', 1)
        end as exchanged_kana,
        birth_on,
        known_on,
        known_years_ago,
        is_child,
        year(birth_on) as birth_year,
        strftime(birth_on, '%Y-%m') as birth_month,
        sex,
        address,
        nullif(regexp_extract(address, '^[^0-9]+'), '') as town,
        coalesce(guardian_names, []::varchar[]) as guardian_names,
        coalesce(guardian_given, []::varchar[]) as guardian_given,
        coalesce(household_surnames, []::varchar[]) as household_surnames,
        coalesce(family_surnames, []::varchar[]) as family_surnames,
        married_on,
        coalesce(household_addresses, []::varchar[]) as household_addresses
    from described
"""

_without_city = load_macros()["without_city"]

_RECORDS = f"""
    with described as (
        select
            source_id || '|' || source_key as unique_id,
            source_id,
            source_key,
            full_name,
            upper(full_name_match) as full_kanji,
            replace(full_name_kana, ' ', '') as full_kana,
            full_name_kana as kana,
            birth_on,
            sex,
            {_without_city("address_match")} as address,
            case when guardian_name_match is not null then [guardian_name_match] end as guardian_names,
            -- A guardian's name has no space: any ending of two characters or more may be the given name, and so may
            -- what follows the child's own surname.
            list_distinct(
                list_transform(
                    range(2, length(guardian_name_match)), lambda start: substr(guardian_name_match, start)
                )
                || case
                    when
                        strpos(full_name, ' ') > 1
                        and starts_with(guardian_name_match, left(full_name_match, strpos(full_name, ' ') - 1))
                        and length(guardian_name_match) >= strpos(full_name, ' ')
                        then [substr(guardian_name_match, strpos(full_name, ' '))]
                    else []
                end
            ) as guardian_given,
            -- So may any beginning be the surname where a name was written without a space.
            case
                when strpos(full_name, ' ') > 0 then [left(full_name_match, strpos(full_name, ' ') - 1)]
                else list_transform(
                    range(1, length(full_name_match)), lambda stop: left(full_name_match, stop)
                )
            end as household_surnames,
            null::varchar[] as family_surnames,
            null::date as married_on,
            case when address_match is not null then [{_without_city("address_match")}] end
                as household_addresses,
            known_on,
            known_years_ago,
            list_contains($child_sources, source_id) as is_child
        from pending_records
    )
"""

_REGISTER = f"""
    with surnames as (
        select person_id, left(full_name_match, strpos(full_name, ' ') - 1) as surname
        from linkage_versions
        where strpos(full_name, ' ') > 0
    ),

    common_surnames as (
        select coalesce(list(surname), []) as surnames
        from (
            select surname from surnames
            group by surname
            having count(distinct person_id) > $common_share * (select count(distinct person_id) from linkage_versions)
        )
    ),

    described as (
        select
            versions.person_id || '|' || versions.version_no as unique_id,
            'resident_register' as source_id,
            versions.person_id as source_key,
            versions.full_name,
            upper(versions.full_name_match) as full_kanji,
            replace(versions.full_name_kana, ' ', '') as full_kana,
            versions.full_name_kana as kana,
            versions.birth_on,
            versions.sex,
            {_without_city("versions.address_match")} as address,
            households.guardian_names,
            households.guardian_given,
            list_filter(
                households.household_surnames,
                lambda surname: not list_contains(common_surnames.surnames, surname)
            ) as household_surnames,
            households.household_surnames as family_surnames,
            households.married_on,
            households.household_addresses,
            null::date as known_on,
            null::integer as known_years_ago,
            null::boolean as is_child
        from linkage_versions as versions
        cross join common_surnames
        left join linkage_households as households on versions.person_id = households.person_id
    )
"""


@cache
def parameters() -> dict[str, Any]:
    """The linkage model as configured: thresholds, sources, comparisons, blocking."""
    from ruamel.yaml import YAML

    with PARAMETERS.open(encoding="utf-8") as file:
        return YAML(typ="safe").load(file)


def level(entry: dict[str, Any]) -> dict[str, Any]:
    """One comparison level in Splink's own words."""
    sql = entry["sql"].format(**parameters()["conditions"])
    if entry.get("is_null"):
        return {"sql_condition": sql, "label_for_charts": entry["label"], "is_null_level": True}
    return {
        "sql_condition": sql,
        "label_for_charts": entry["label"],
        "m_probability": entry["m"],
        "u_probability": entry["u"],
        "fix_m_probability": True,
        "fix_u_probability": True,
    }


def settings(register_size: int) -> dict[str, Any]:
    """Splink's settings for a register of so many people: a random pair is the same person once in that many.

    An extract of a register (a test, a first delivery) does not make its people easier to distinguish: the prior is
    that of a city of ``smallest_city`` people at least.
    """
    model = parameters()
    return {
        "link_type": "link_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": 1 / max(register_size, model["smallest_city"]),
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": ["source_id", "source_key"],
        "comparisons": [
            {"output_column_name": name, "comparison_levels": [level(entry) for entry in levels]}
            for name, levels in model["comparisons"].items()
        ],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in model["blocking"]
        ],
    }


def labels(name: str) -> list[str]:
    """The labels of a comparison's levels, for people to read, by Splink's value: -1 is missing, 0 is the last."""
    return [entry["label_ja"] for entry in parameters()["comparisons"][name]]


def score(records: pa.Table, versions: pa.Table, households: pa.Table) -> pa.Table:
    """Score external records against the register's descriptions: one row per record and person, the best of each.

    Columns: source_id, source_key, person_id, match_weight, and per attribute the level and its weight. Works in an
    in-memory database of its own, so that no table of Splink's stays behind in the warehouse.
    """
    from splink import DuckDBAPI, Linker

    connection = duckdb.connect(":memory:")
    connection.register("pending_records", records)
    connection.register("linkage_versions", versions)
    connection.register("linkage_households", households)
    size = connection.execute("select count(distinct person_id) from linkage_versions").fetchall()[0][0]
    model = parameters()
    child_sources = [source for source, rule in model["sources"].items() if rule["children"]]
    connection.execute(
        f"create table linkage_left as {_RECORDS} {_COMPARABLE}",  # constants
        {"child_sources": child_sources},
    )
    connection.execute(
        f"create table linkage_right as {_REGISTER} {_COMPARABLE}",  # constants
        {"common_share": model["common_surname"]},
    )
    api = DuckDBAPI(connection)
    left = api.register("linkage_left", dataset_display_name="a_records")
    right = api.register("linkage_right", dataset_display_name="b_register")
    # The settings are checked by the tests of this package: checking them costs a fifth of the whole.
    linker = Linker([left, right], settings(size), validate_settings=False)
    # The linker sets its own level when it is made; its messages are no news to a run.
    logging.getLogger("splink").setLevel(logging.ERROR)
    threshold = model["thresholds"]["review"]["match_weight"]
    predicted = linker.inference.predict(threshold_match_weight=threshold, warning_mode="never")
    evidence = ",\n".join(
        f"arg_max(gamma_{name}, match_weight)::int as {name}_level, arg_max(mw_{name}, match_weight) as {name}_weight"
        for name in ATTRIBUTES
    )
    pairs = connection.sql(
        f"""
        select
            source_id_l as source_id,
            source_key_l as source_key,
            source_key_r as person_id,
            max(match_weight) as match_weight,
            {evidence}
        from {predicted.physical_name}
        group by all
        order by match_weight desc, source_id, source_key, person_id
        """  # names of our own columns and of Splink's table
    ).to_arrow_table()
    connection.close()
    return pairs


def probability(match_weight: float) -> float:
    """The probability that a match weight (log2 of the odds) stands for."""
    return 1 / (1 + 2.0 ** -max(min(match_weight, 60.0), -60.0))


def _levels_for_review(model: dict[str, Any]) -> dict[str, set[int]]:
    """Comparison → Splink's values of its levels that no machine may link by, whatever the weight."""
    return {
        name: {len(levels) - 1 - place for place, entry in enumerate(levels) if entry.get("review_only")}
        for name, levels in model.get("comparisons", {}).items()
    }


def assign(
    pairs: list[dict[str, Any]],
    kept: dict[tuple[str, str], str],
    reviewed: dict[tuple[str, str], str | None],
    apart: set[tuple[str, str, str]],
    model: dict[str, Any] | None = None,
) -> dict[tuple[str, str, str], str]:
    """Status per (source_id, source_key, person_id): linked, review or rejected.

    ``pairs`` are ordered by weight, the best first. A person to whom a source with one number per person has already
    been linked (``kept`` links, ``reviewed`` decisions) is not linked twice; ``apart`` pairs are never proposed.
    A level marked ``review_only`` never links. ``model`` holds thresholds, sources and comparisons (default: as
    configured).
    """
    model = model or parameters()
    link_weight = model["thresholds"]["link"]["match_weight"]
    margin = model["thresholds"]["margin"]["match_weight"]
    review_only = _levels_for_review(model)
    one_to_one = {source for source, rule in model["sources"].items() if rule["one_to_one"]}
    status: dict[tuple[str, str, str], str] = {}
    taken: dict[tuple[str, str], str] = {}
    for decided in (kept, reviewed):
        for (source_id, source_key), person_id in decided.items():
            if person_id is not None and source_id in one_to_one:
                taken[source_id, person_id] = source_key
    done = set(reviewed)
    done.update(key for key in kept if key not in reviewed)

    open_pairs = [
        pair
        for pair in pairs
        if (pair["source_id"], pair["source_key"]) not in done
        and (pair["source_id"], pair["source_key"], pair["person_id"]) not in apart
        and (pair["source_id"], pair["person_id"]) not in taken
    ]
    by_record: dict[tuple[str, str], list[dict[str, Any]]] = {}
    by_person: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for pair in open_pairs:
        by_record.setdefault((pair["source_id"], pair["source_key"]), []).append(pair)
        by_person.setdefault((pair["source_id"], pair["person_id"]), []).append(pair)

    assigned: set[tuple[str, str]] = set()
    # The best pair first: the person it takes is no candidate for other records, such as a twin's.
    for pair in open_pairs:
        record = (pair["source_id"], pair["source_key"])
        person = (pair["source_id"], pair["person_id"])
        if record in assigned:
            continue
        is_unique = pair["source_id"] in one_to_one
        if is_unique and person in taken:
            continue
        rivals = [
            other["match_weight"]
            for other in by_record[record]
            if other is not pair and not (is_unique and (other["source_id"], other["person_id"]) in taken)
        ]
        if is_unique:
            rivals += [
                other["match_weight"]
                for other in by_person[person]
                if other is not pair and (other["source_id"], other["source_key"]) not in assigned
            ]
        clear = not rivals or pair["match_weight"] - max(rivals) >= margin
        key = (*record, pair["person_id"])
        is_doubtful = any(pair.get(f"{name}_level") in levels for name, levels in review_only.items())
        if pair["match_weight"] >= link_weight and clear and not is_doubtful:
            status[key] = "linked"
            if is_unique:
                taken[person] = pair["source_key"]
        else:
            status[key] = "review"
        assigned.add(record)
    # Beside the pair that leads, a person who decides sees every other one within the margin.
    leading = {
        key[:2]: pair
        for pair in open_pairs
        if status.get(key := (pair["source_id"], pair["source_key"], pair["person_id"])) == "review"
    }
    for pair in open_pairs:
        record = (pair["source_id"], pair["source_key"])
        key = (*record, pair["person_id"])
        if key not in status and record in leading and leading[record]["match_weight"] - pair["match_weight"] < margin:
            status[key] = "review"
    return status


_EMPTY = pa.schema(
    [
        ("source_id", pa.string()),
        ("source_key", pa.string()),
        ("person_id", pa.string()),
        ("match_weight", pa.float64()),
        ("probability", pa.float64()),
        ("status", pa.string()),
        ("method", pa.string()),
        ("record_hash", pa.string()),
        ("inputs_hash", pa.string()),
        *[field for name in ATTRIBUTES for field in ((f"{name}_level", pa.string()), (f"{name}_weight", pa.float64()))],
    ]
)


NUMBER = "number"
"""The method of a link that the person's own number makes."""
_NO_EVIDENCE: dict[str, Any] = {
    "match_weight": 0.0,
    "method": NUMBER,
    **{f"{name}_{what}": None for name in ATTRIBUTES for what in ("level", "weight")},
}


def _numbered(numbers: duckdb.DuckDBPyRelation | None) -> list[tuple[str, str, str, bool]]:
    if numbers is None:
        return []
    return numbers.project("source_id, source_key, person_id, is_contradicted").fetchall()


def _read_previous(connection: duckdb.DuckDBPyConnection, previous: str) -> list[dict[str, Any]]:
    """The pairs of the last build; none if there was no last build, or one of another shape."""
    schema, table = previous.replace('"', "").split(".")[-2:]
    columns = connection.execute(
        "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    if {name for (name,) in columns} != set(_EMPTY.names):
        return []
    return connection.sql(f"select * from {previous}").to_arrow_table().to_pylist()  # dbt's name


def _inputs_hash(*inputs: duckdb.DuckDBPyRelation) -> str:
    """One hash of the parameters and of everything that links are made from, whatever the order of its rows."""
    parts = [hashlib.md5(PARAMETERS.read_bytes(), usedforsecurity=False).hexdigest()]
    for relation in inputs:
        parts.append(str(relation.query("given", "select count(*), sum(hash(given)) from given").fetchall()[0]))
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()


def predict(
    connection: duckdb.DuckDBPyConnection,
    records: duckdb.DuckDBPyRelation,
    versions: duckdb.DuckDBPyRelation,
    households: duckdb.DuckDBPyRelation,
    reviews: duckdb.DuckDBPyRelation,
    previous: str,
    numbers: duckdb.DuckDBPyRelation | None = None,
) -> pa.Table:
    """Score and assign what is new or changed, and keep the links already made.

    ``numbers`` (int_identity__numbers) are records that carry the person's own number: they are linked by it, without
    Splink, and are for review where the record describes another person.
    ``previous`` is the relation of the last build: a record that was linked, that says the same as then, and whose
    person is still known keeps its link and its evidence. Where nothing at all is new, neither are the pairs, and
    Splink is not even loaded. Returns the pairs of int_identity__predictions.
    """
    inputs_hash = _inputs_hash(
        records.project("source_id, source_key, record_hash, known_on, known_years_ago >= 10 as is_of_long_ago"),
        versions,
        households,
        reviews.project("source_id, source_key, decision, person_id"),
        *([] if numbers is None else [numbers]),
    )
    made = _read_previous(connection, previous)
    if made and all(row["inputs_hash"] == inputs_hash for row in made):
        return pa.Table.from_pylist(made, schema=_EMPTY)
    hashes = {
        (source_id, source_key): record_hash
        for source_id, source_key, record_hash in records.project("source_id, source_key, record_hash").fetchall()
    }
    people = {person_id for (person_id,) in versions.project("person_id").distinct().fetchall()}
    decisions = reviews.project("source_id, source_key, decision, person_id").fetchall()
    reviewed = {
        (source_id, source_key): person_id if decision == "link" else None
        for source_id, source_key, decision, person_id in decisions
        if decision == "link" or person_id is None
    }
    apart = {
        (source_id, source_key, person_id)
        for source_id, source_key, decision, person_id in decisions
        if decision == "separate" and person_id is not None
    }
    numbered_rows = [
        {
            **_NO_EVIDENCE,
            "source_id": source_id,
            "source_key": source_key,
            "person_id": person_id,
            "probability": 0.5 if is_contradicted else 1.0,
            "status": "review" if is_contradicted else "linked",
            "record_hash": hashes[source_id, source_key],
            "inputs_hash": inputs_hash,
        }
        for source_id, source_key, person_id, is_contradicted in _numbered(numbers)
        if (source_id, source_key) not in reviewed and (source_id, source_key, person_id) not in apart
    ]
    numbered = {(row["source_id"], row["source_key"]): row for row in numbered_rows}
    kept_rows = [
        {**row, "inputs_hash": inputs_hash}
        for row in made
        if row["status"] == "linked"
        and row["method"] != NUMBER
        and (row["source_id"], row["source_key"]) not in numbered
        and hashes.get((row["source_id"], row["source_key"])) == row["record_hash"]
        and row["person_id"] in people
        and (row["source_id"], row["source_key"], row["person_id"]) not in apart
        and (row["source_id"], row["source_key"]) not in reviewed
    ]
    # A person linked by number is no candidate for other records of the source.
    given = {key: row["person_id"] for key, row in numbered.items() if row["status"] == "linked"}
    one_to_one = {source for source, rule in parameters()["sources"].items() if rule["one_to_one"]}
    taken = {(source_id, person_id) for (source_id, _), person_id in given.items() if source_id in one_to_one}
    kept_rows = [row for row in kept_rows if (row["source_id"], row["person_id"]) not in taken] + numbered_rows
    kept = {(row["source_id"], row["source_key"]): row["person_id"] for row in kept_rows}

    if not people or len(kept) == len(hashes):
        return pa.Table.from_pylist(kept_rows, schema=_EMPTY)
    described = records.to_arrow_table()
    keys = zip(described.column("source_id").to_pylist(), described.column("source_key").to_pylist(), strict=True)
    described = described.filter(pa.array([key not in kept for key in keys], pa.bool_()))
    pairs = score(described, versions.to_arrow_table(), households.to_arrow_table()).to_pylist()
    # A doubtful link by number does not exclude the person from other records.
    sure = {key: person_id for key, person_id in kept.items() if numbered.get(key, {}).get("status") != "review"}
    status = assign(pairs, sure, reviewed, apart)
    names = {name: labels(name) for name in ATTRIBUTES}
    rows = list(kept_rows)
    for pair in pairs:
        key = (pair["source_id"], pair["source_key"], pair["person_id"])
        row = {
            "source_id": key[0],
            "source_key": key[1],
            "person_id": key[2],
            "match_weight": round(pair["match_weight"], 6),
            "probability": round(probability(pair["match_weight"]), 6),
            "status": status.get(key, "rejected"),
            "method": "splink",
            "record_hash": hashes[key[:2]],
            "inputs_hash": inputs_hash,
        }
        for name in ATTRIBUTES:
            levels = names[name]
            value = pair[f"{name}_level"]
            row[f"{name}_level"] = levels[0] if value == -1 else levels[len(levels) - 1 - value]
            weight = pair[f"{name}_weight"]
            row[f"{name}_weight"] = round(weight, 6) if weight is not None and math.isfinite(weight) else None
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=_EMPTY)
