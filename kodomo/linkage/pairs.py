"""Pairs that wait for a person: a record and a person of the register, side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import duckdb

from kodomo.access.places import withheld_among
from kodomo.linkage.attributes import ATTRIBUTES
from kodomo.linkage.explain import ATTRIBUTE_LABELS, WITHHELD
from kodomo.warehouse import records

SIDES_JA = {
    "name": "氏名",
    "kana": "カナ",
    "birth_on": "生年月日",
    "sex": "性別",
    "address": "住所",
    "guardian": "保護者",
}
"""What is shown of a record and of the register, side by side."""
PLACE_SIDES = ("address", "guardian")
"""The comparisons that reveal where a person lives, and with whom."""
PAIRS_QUERY = """
    select
        predictions.source_id,
        predictions.source_key,
        predictions.person_id,
        predictions.match_weight,
        predictions.probability,
        records.full_name as record_name,
        records.full_name_kana as record_kana,
        records.birth_on as record_birth_on,
        records.sex as record_sex,
        records.address_match as record_address,
        records.guardian_name_match as record_guardian,
        versions.full_name as register_name,
        versions.full_name_kana as register_kana,
        versions.birth_on as register_birth_on,
        versions.sex as register_sex,
        versions.address_match as register_address,
        array_to_string(household_names.guardian_names, '・') as register_guardian,
        -- A person no longer on file counts as protected: nothing is shown of them.
        coalesce(persons.is_dv_protected, true) or coalesce(households.is_dv_protected, false) as is_dv_protected,
        columns('^(given_name|surname|birth_on|sex|household)_(level|weight)$')
    from intermediate.int_identity__predictions as predictions
    inner join intermediate.int_identity__external_records as records
        on predictions.source_id = records.source_id and predictions.source_key = records.source_key
    inner join marts.fct_link_decision as decisions
        on predictions.source_id = decisions.source_id and predictions.source_key = decisions.source_key
    left join intermediate.int_identity__register_versions as versions
        on predictions.person_id = versions.person_id and versions.version_no = 1
    left join intermediate.int_identity__household_names as household_names
        on predictions.person_id = household_names.person_id
    left join marts.dim_person as persons on predictions.person_id = persons.person_id
    left join marts.dim_household as households on persons.household_id = households.household_id
    where predictions.status = 'review' and decisions.status = 'review'
    order by predictions.source_id, predictions.source_key, predictions.match_weight desc
"""


def pairs_to_review(
    connection: duckdb.DuckDBPyConnection, *, show_protected: bool = False, entered: Collection[str] = ()
) -> list[dict[str, Any]]:
    """One dictionary per pair: both descriptions and the match weight per attribute.

    Where people under a support measure live is in it only if asked for. ``entered``: the people of measures that staff
    typed since the last build.
    """
    pairs = records(connection, PAIRS_QUERY)
    if show_protected:
        return pairs
    withheld = withheld_among(connection, {pair["person_id"] for pair in pairs}, entered)
    return without_places(pairs, lambda pair: pair["person_id"] in withheld)


def without_places(pairs: list[dict[str, Any]], hides: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The pairs without the places that the user may not see.

    A record with one hidden candidate shows no place beside its other candidates either.
    """
    hidden = {(pair["source_id"], pair["source_key"]) for pair in pairs if hides(pair)}
    withheld = {f"{whose}_{side}": WITHHELD for whose in ("record", "register") for side in PLACE_SIDES}
    return [{**pair, **withheld} if (pair["source_id"], pair["source_key"]) in hidden else pair for pair in pairs]


def describe_pairs(pairs: list[dict[str, Any]]) -> list[str]:
    """The pairs as lines of text."""
    lines = []
    for pair in pairs:
        lines.append(
            f"{pair['source_id']} {pair['source_key']} ＝？ {pair['person_id']}  "
            f"(p = {pair['probability']:.3f}, {pair['match_weight']:+.1f})"
        )
        lines += [
            f"  {label}: {pair[f'record_{side}'] or '—'}  |  {pair[f'register_{side}'] or '—'}"
            for side, label in SIDES_JA.items()
        ]
        lines += [
            f"  {ATTRIBUTE_LABELS[name]}: {pair[f'{name}_level']}  {pair[f'{name}_weight']:+.1f}"
            for name in ATTRIBUTES
            if pair[f"{name}_weight"] is not None
        ]
        lines.append("")
    return lines
