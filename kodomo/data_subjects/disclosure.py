"""The disclosure document (開示請求) of one person: every record held, with its source, in words."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import duckdb

from kodomo.contract import Contract, load_code_lists, load_contracts
from kodomo.data_subjects.person_records import Known, known_as, rejects_about, rows_about, rows_naming
from kodomo.determination.heard import observation_codes, source_label
from kodomo.determination.record import result_labels
from kodomo.determination.service import in_service
from kodomo.entries.forms import forms
from kodomo.entries.store import EntryStore, Version
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.linkage.explain import CHAINS_JA, WITHHELD
from kodomo.warehouse import connect, records
from kodomo.workshop.case_sets import CaseSet, CaseSetStore


@dataclass(frozen=True)
class Records:
    """The person's records of one source: headings, and rows beside their delivery and line."""

    label: str
    holder: str
    purpose: str
    legal_basis: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Held:
    """All of it. ``person``: as the register has them."""

    person: dict[str, Any]
    records: tuple[Records, ...]
    scores: tuple[dict[str, Any], ...]
    contributions: tuple[dict[str, Any], ...]
    entries: tuple[tuple[str, Any, list[tuple[str, str]]], ...]
    """Every version of the entries about the person: the form's label, the version, labels and values."""
    determinations: tuple[dict[str, Any], ...]
    facts: tuple[dict[str, Any], ...]
    priorities: tuple[dict[str, Any], ...] = ()
    chains: tuple[dict[str, Any], ...] = ()
    rejected: tuple[dict[str, Any], ...] = ()
    case_sets: tuple[CaseSet, ...] = ()
    """The versions of sets of known cases in which the person is."""


def held_on(home: Home, store: EntryStore, person_id: str, withheld: Collection[str] = ()) -> Held:
    """Everything held on a person: records as delivered, what was made of them, what was typed and determined.

    Other people are in it only by their numbers within a record about this person; who decides on the disclosure
    blacks them out. What a record that names one of ``withheld`` says is not in it: the school of a child in hiding
    stands in a record of the father, too. Raises KodomoError while a batch is writing the warehouse.
    """
    withheld = set(withheld)
    with connect(home, read_only=True) as connection:
        known = known_as(connection, person_id)
        delivered = [
            source_records
            for contract in load_contracts().values()
            if (source_records := _records(connection, contract, known, withheld)) is not None
        ]
        rejected = _rejected(connection, known)
        if withheld:
            # It could not be read: whom else it names is not known.
            rejected = [{**row, "record": WITHHELD} for row in rejected]
    with in_service(home) as (connection, _):
        person = records(connection, "select * from warehouse.marts.dim_person where person_id = ?", [person_id])
        scores = records(
            connection,
            """
            select scores.as_of_on, scores.model_version, versions.status,
                coalesce(difficulties.label_ja, scores.difficulty_type) as difficulty_label, scores.score,
                coalesce(tiers.label_ja, scores.tier) as tier_label
            from warehouse.marts.fct_risk_score as scores
            left join warehouse.seeds.risk_model_versions as versions using (model_version)
            left join warehouse.seeds.difficulty_types as difficulties using (difficulty_type)
            left join warehouse.seeds.risk_tiers as tiers
                on scores.model_version = tiers.model_version
                and scores.difficulty_type = tiers.difficulty_type
                and scores.tier = tiers.tier
            where scores.person_id = ?
            order by scores.as_of_on desc, scores.model_version, difficulties.sort_order
            """,
            [person_id],
        )
        contributions = records(
            connection,
            """
            select contributions.as_of_on,
                coalesce(difficulties.label_ja, contributions.difficulty_type) as difficulty_label,
                coalesce(items.label_ja, '上限による調整') as item_label, bands.label_ja as band_label,
                contributions.coefficient
            from warehouse.marts.fct_risk_contribution as contributions
            left join warehouse.seeds.difficulty_types as difficulties using (difficulty_type)
            left join warehouse.seeds.risk_items as items using (item_code)
            left join warehouse.seeds.risk_bands as bands
                on contributions.item_code = bands.item_code and contributions.band_no = bands.band_no
            where contributions.person_id = ? and contributions.is_counted
                and contributions.as_of_on = (select as_of_on from warehouse.raw.run_parameters)
            order by difficulties.sort_order, contributions.coefficient desc
            """,
            [person_id],
        )
        facts = records(
            connection,
            "select observation_code, observed_on, ended_on, value, text_value, source_id, delivery_id, line_number "
            "from warehouse.marts.fct_observation where person_id = ? order by observed_on, observation_code",
            [person_id],
        )
        priorities = records(
            connection,
            """
            select priorities.as_of_on, priorities.priority_class, priorities.priority_rank, priorities.due_days,
                list(distinct contents.content_ja order by contents.content_ja)
                    filter (where contents.content_ja is not null) as contents
            from warehouse.marts.fct_support_priority as priorities
            left join warehouse.marts.fct_support_content as contents using (as_of_on, person_id)
            where priorities.person_id = ?
            group by all
            order by priorities.as_of_on desc
            """,
            [person_id],
        )
        # Who is on the path is about other people.
        chains = records(
            connection,
            "select as_of_on, chain_type, steps, case_source_id, case_on from warehouse.marts.fct_chain "
            "where person_id = ? order by as_of_on desc, chain_type desc, steps, case_on",
            [person_id],
        )
        labels = result_labels(connection)
    for chain in chains:
        chain["chain_label"] = CHAINS_JA[chain["chain_type"]]
        chain["source_label"] = source_label(chain["case_source_id"])
    for fact in facts:
        code = observation_codes().get(fact["observation_code"], {})
        fact["label"] = code.get("label_ja", fact["observation_code"])
        fact["source_label"] = source_label(fact["source_id"])
    entries = [
        (
            forms()[version.form].label_ja,
            version,
            forms()[version.form].shown(version.content, with_words=_people_of(version).isdisjoint(withheld)),
        )
        for version in store.versions()
        if person_id in {version.person_id, version.content.get("person_id")} and version.form in forms()
    ]
    return Held(
        person[0] if person else {"person_id": person_id},
        tuple(delivered),
        tuple(scores),
        tuple(contributions),
        tuple(entries),
        tuple(
            _determined(row, person_id, labels, withheld) for row in store.determinations() if _concerns(row, person_id)
        ),
        tuple(facts),
        tuple(priorities),
        tuple(chains),
        tuple(rejected),
        tuple(CaseSetStore(store).with_person(person_id)),
    )


def _concerns(determination: dict[str, Any], person_id: str) -> bool:
    """Whether a determination is about a person, has a result for them, or contains a statement about them."""
    parts = [*determination["result"], *determination["heard"]]
    return person_id in {determination["person_id"], *(part["person_id"] for part in parts)}


def _people_of(version: Version) -> set[str | None]:
    """Whom an entry names: the person that it is about, and the child that it was typed for."""
    return {version.person_id, version.content.get("about_child_id"), version.content.get("person_id")}


def _determined(
    determination: dict[str, Any], person_id: str, labels: dict[str, dict[str, str]], withheld: set[str]
) -> dict[str, Any]:
    """A determination with what it says of one person, in words; what it says of others is left out.

    Of one about a person of ``withheld``, neither the purpose nor who made it is in it.
    """
    heard = [
        f"{observation_codes()[fact['observation_code']]['label_ja']} "
        f"{fact['value'] or fact['text_value'] or ''} {fact['observed_on']}".replace("  ", " ")
        for fact in determination["heard"]
        if fact["person_id"] == person_id
    ]
    results = [
        f"{labels['difficulties'].get(score['difficulty_type'], score['difficulty_type'])} {score['score']}点 "
        f"{labels['tiers'].get(score['tier'], score['tier'])}"
        for child in determination["result"]
        if child["person_id"] == person_id
        for score in child["scores"]
    ]
    fields = ("determination_id", "determined_at", "determined_by", "purpose", "as_of_on")
    kept = {name: determination[name] for name in fields}
    if determination["person_id"] in withheld:
        kept |= {"purpose": WITHHELD, "determined_by": WITHHELD}
    return {**kept, "heard": heard, "results": results}


def _rejected(connection: duckdb.DuckDBPyConnection, known: Known) -> list[dict[str, Any]]:
    """Rows that were not accepted and name the person: they are kept for the holder to mend."""
    about = rejects_about(known)
    if about is None:
        return []
    condition, values = about
    rejects = records(
        connection,
        f"select delivery_id, source_id, line_number, reason_code, record from raw.rejects where {condition} "
        "order by delivery_id, line_number",
        values,
    )
    return [{**row, "source_label": source_label(row["source_id"])} for row in rejects]


def _records(
    connection: duckdb.DuckDBPyConnection, contract: Contract, known: Known, withheld: set[str]
) -> Records | None:
    """The rows of one source in which the person is, as delivered; None where there are none.

    Columns that may not be used are held all the same, and so are rows of earlier deliveries: what is the same in
    several appears once, with the newest of them. Of a row that names one of ``withheld``, only where it is from.
    """
    about = rows_about(contract, known)
    if about is None:
        return None
    condition, values = about
    names = [column.name for column in contract.columns]
    rows = connection.execute(
        f"select max(delivery_id || ' ' || line_number || '行目') as place, {', '.join(names)} "
        f"from raw.{contract.source_id} where {condition} group by all order by place",
        values,
    ).fetchall()
    if not rows:
        return None
    lists = load_code_lists()
    hidden_rows = rows_naming(connection, contract, rows, withheld)
    shown_rows = []
    for place, *cells in rows:
        if place in hidden_rows:
            shown_rows.append((place, tuple(WITHHELD for _ in cells)))
            continue
        labels = [lists.get(column.code_list or "", {}) for column in contract.columns]
        shown = [known.get(_text(cell), _text(cell)) for known, cell in zip(labels, cells, strict=True)]
        shown_rows.append((place, tuple(shown)))
    register = contract.columns[0].register
    return Records(
        contract.title,
        contract.holder_ja,
        register.get("purpose") or "",
        register.get("legal_basis") or "",
        tuple(column.heading for column in contract.columns),
        tuple(shown_rows),
    )


def _text(cell: str | None) -> str:
    return cell or ""


def as_json(held: Held) -> str:
    """The same for machines. Raises nothing: what has no form of its own is written as text."""
    return json.dumps(held, default=lambda value: getattr(value, "__dict__", None) or str(value), ensure_ascii=False)


def require_person(held: Held) -> None:
    """Raise KodomoError when nothing at all is held."""
    if not (held.records or held.scores or held.entries or held.facts):
        raise KodomoError("Nothing is held on this person.")
