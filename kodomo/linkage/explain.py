"""Everything the warehouse holds on one person: identities, links with evidence, family, chains with paths."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

import duckdb

from kodomo.access.places import withheld_people
from kodomo.contract import load_contracts
from kodomo.errors import UsageError
from kodomo.linkage.attributes import ATTRIBUTES
from kodomo.linkage.contradictions import contradictions, describe_contradiction
from kodomo.parameters import labels, parameter
from kodomo.warehouse import records

ATTRIBUTE_LABELS = {
    "given_name": "名",
    "surname": "氏",
    "birth_on": "生年月日",
    "sex": "性別",
    "household": "住所・保護者",
}
LINK_LABELS = {"parent_of": "親子", "partner_of": "配偶", "shared_household": "同居"}
KIND_LABELS = {"adoptive": "養子縁組", "unregistered": "未届"}
"""Kinds of links that differ from what their type suggests."""
STATUS_LABELS = {"linked": "突合済み", "review": "確認待ち", "unlinked": "該当なし"}
METHOD_LABELS = {"number": "宛名番号", "splink": "自動", "review": "職員の判断", "none": "候補なし"}
CHAINS_JA = labels("chain_type")
WITHHELD = "（支援措置により非表示）"
NAMELESS = parameter("nameless")
# Of ``others``: whether the name is hidden, and whether the home is.
_IS_HIDDEN = "(not $is_shown and (others.is_dv_protected or list_contains($entered, others.person_id)))"
_IS_HOME_HIDDEN = "($is_home_hidden or list_contains($withheld, others.person_id))"
HOUSEMATE = "同居人・元同居人"
"""The relation of those who share, or shared, a household and nothing else, where it is hidden which of the two."""
ATENA_WIDTH = parameter("person_number_width")


def find_person(connection: duckdb.DuckDBPyConnection, given: str) -> str:
    """The person_id for a person_id, a 宛名番号 (padded or not), or ``source_id:source_key``.

    Raises UsageError when no person has it.
    """
    source_id, _, source_key = given.partition(":")
    padded = given.zfill(ATENA_WIDTH) if given.isdigit() else given
    matches = records(
        connection,
        """
        select person_id from marts.dim_person where person_id in (?, ?)
        union
        select person_id from intermediate.int_person__atena where atena_no = ?
        union
        select person_id from intermediate.int_person__identities where source_id = ? and source_key = ?
        """,
        [given, padded, padded, source_id, source_key],
    )
    if not matches:
        raise UsageError("No person has this id: give a person id, a 宛名番号, or source_id:source_key.")
    return matches[0]["person_id"]


def explain(
    connection: duckdb.DuckDBPyConnection, given: str, *, show_protected: bool = False, entered: Collection[str] = ()
) -> dict[str, Any]:
    """What is known of a person, as nested dictionaries.

    Names of protected relatives, and places of protected people and those who live with them, are included only with
    ``show_protected``. ``entered``: the people of measures that staff typed since the last build.
    """
    person_id = find_person(connection, given)
    withheld = set() if show_protected else withheld_people(connection, entered)
    person = records(
        connection,
        """
        select people.person_id, people.atena_no, people.display_name, people.kana, people.birth_on, people.sex,
            people.household_id, people.area_code, areas.area_name_ja, people.is_resident, people.due_on,
            people.is_dv_protected
        from marts.dim_person as people
        left join marts.dim_area as areas on people.area_code = areas.area_code
        where people.person_id = ?
        """,
        [person_id],
    )[0]
    identities = records(
        connection,
        """
        select 'resident_register' as source_id, atena_no as source_key from intermediate.int_person__atena
        where person_id = ?
        union all
        select source_id, source_key from intermediate.int_person__identities where person_id = ?
        order by source_id, source_key
        """,
        [person_id, person_id],
    )
    decisions = records(
        connection,
        """
        select decisions.source_id, decisions.source_key, decisions.status, decisions.method, decisions.probability,
            decisions.decided_by, decisions.decided_on, decisions.reason,
            predictions.* exclude (source_id, source_key, person_id, probability, status, method, record_hash,
                inputs_hash)
        from marts.fct_link_decision as decisions
        left join intermediate.int_identity__predictions as predictions
            on decisions.source_id = predictions.source_id
            and decisions.source_key = predictions.source_key
            and predictions.person_id = ?
        where decisions.person_id = ? or predictions.status in ('linked', 'review')
        order by decisions.source_id, decisions.source_key
        """,
        [person_id, person_id],
    )
    for row in decisions:
        row["evidence"] = [
            {
                "attribute": name,
                "label_ja": ATTRIBUTE_LABELS[name],
                "level": row.pop(f"{name}_level"),
                "match_weight": row.pop(f"{name}_weight"),
            }
            for name in ATTRIBUTES
        ]
    # A name is hidden of the protected, a home of those who live with them too.
    hidden = {
        "is_shown": show_protected,
        "entered": list(entered),
        "withheld": list(withheld),
        "is_home_hidden": person_id in withheld,
        "person": person_id,
    }
    relatives = records(
        connection,
        f"""
        select
            case
                when {_IS_HOME_HIDDEN} and relatives.relation_ja in ('同居人', '元同居人') then '{HOUSEMATE}'
                else relatives.relation_ja
            end as relation_ja,
            relatives.relative_id as person_id,
            case when {_IS_HIDDEN} then '{WITHHELD}' else others.display_name end as display_name,
            case when not {_IS_HOME_HIDDEN} then relatives.is_same_household end as is_same_household,
            case when not {_IS_HOME_HIDDEN} then relatives.lived_together_from end as lived_together_from,
            case when not {_IS_HOME_HIDDEN} then relatives.lived_together_until end as lived_together_until,
            relatives.case_count, relatives.last_case_on
        from intermediate.int_family__relatives as relatives
        inner join marts.dim_person as others on relatives.relative_id = others.person_id
        where relatives.person_id = $person
        order by relatives.relation_rank, others.birth_on, relatives.relative_id
        """,
        hidden,
    )
    edges = records(
        connection,
        f"""
        select links.link_type, links.link_kind, links.from_person_id, links.to_person_id,
            case when {_IS_HIDDEN} then '{WITHHELD}' else others.display_name end as display_name,
            links.valid_from, links.valid_to, links.origin, links.confidence
        from marts.fct_family_link as links
        inner join marts.dim_person as others
            on others.person_id
                = case when links.from_person_id = $person then links.to_person_id else links.from_person_id end
        where
            $person in (links.from_person_id, links.to_person_id)
            and not (links.link_type = 'shared_household' and {_IS_HOME_HIDDEN})
        order by links.link_type, links.valid_from, links.from_person_id, links.to_person_id
        """,
        hidden,
    )
    chains = records(
        connection,
        """
        select chain_type, end_person_id, steps, path, case_source_id, case_on from marts.fct_chain
        where person_id = ? and as_of_on = (select as_of_on from raw.run_parameters)
        order by chain_type desc, steps, path
        """,
        [person_id],
    )
    for chain in chains:
        path = chain["path"].split(">")
        chain["names"] = _names(connection, path, {name: hidden[name] for name in ("is_shown", "entered")})
        chain["edges"] = _path_edges(connection, path, withheld)
    if person_id in withheld:
        person |= {"household_id": WITHHELD, "area_code": WITHHELD, "area_name_ja": WITHHELD}
        # A steward's reason is free text.
        decisions = [{**row, "reason": WITHHELD if row["reason"] else None} for row in decisions]
    return {
        "person": person,
        "identities": identities,
        "links": decisions,
        "relatives": relatives,
        "edges": edges,
        "chains": chains,
        "contradictions": contradictions(connection, person_id),
    }


def _names(connection: duckdb.DuckDBPyConnection, path: list[str], hidden: dict[str, Any]) -> list[str]:
    """The names of the people on a path; hidden ones are replaced. ``hidden``: the values of ``_IS_HIDDEN``."""
    rows = records(
        connection,
        f"""
        select others.person_id,
            case when {_IS_HIDDEN} then '{WITHHELD}' else coalesce(others.display_name, '{NAMELESS}') end as name
        from marts.dim_person as others where list_contains($path, others.person_id)
        """,
        {**hidden, "path": path},
    )
    names = {row["person_id"]: row["name"] for row in rows}
    return [names[person_id] for person_id in path]


def _path_edges(connection: duckdb.DuckDBPyConnection, path: list[str], withheld: set[str]) -> list[dict[str, Any]]:
    """Each step of a path with the edge it goes over: the surest between the two people.

    Who shares a household with one of ``withheld`` is no edge.
    """
    steps = []
    for from_person, to_person in pairwise(path):
        edges = records(
            connection,
            """
            select link_type, link_kind, from_person_id, origin, valid_from, valid_to from marts.fct_family_link
            where
                ((from_person_id = ? and to_person_id = ?) or (from_person_id = ? and to_person_id = ?))
                and not (link_type = 'shared_household' and ?)
            order by link_type = 'shared_household', confidence desc, valid_from limit 1
            """,
            [from_person, to_person, to_person, from_person, not withheld.isdisjoint({from_person, to_person})],
        )
        edge = edges[0] if edges else {}
        steps.append({"from": from_person, "to": to_person, **edge})
    return steps


def _source(source_id: str) -> str:
    return load_contracts()[source_id].label


def _link(edge: dict[str, Any]) -> str:
    """The label of a link with its origin."""
    if "link_type" not in edge:
        return "—"
    kind = KIND_LABELS.get(edge["link_kind"])
    return LINK_LABELS[edge["link_type"]] + (f"（{kind}）" if kind else "") + f" {edge['origin']}"


def describe(explanation: dict[str, Any]) -> list[str]:
    """The same as lines of text."""
    person = explanation["person"]
    lines = [
        f"{person['display_name'] or NAMELESS}  {person['kana'] or ''}  "
        f"{person['birth_on'] or person['due_on'] or '生年月日不明'}  {person['sex']}",
        f"個人ID {person['person_id']}  世帯 {person['household_id'] or '—'}  地区 {person['area_name_ja'] or '—'}"
        + ("" if person["is_resident"] else "  住民登録なし")
        + ("  支援措置" if person["is_dv_protected"] else ""),
        "",
        "■ 番号",
        *(f"  {_source(row['source_id'])}: {row['source_key']}" for row in explanation["identities"]),
    ]
    if explanation["links"]:
        lines += ["", "■ 突合"]
    for row in explanation["links"]:
        by = f"  {row['decided_by']} {row['decided_on']} {row['reason']}" if row["decided_by"] else ""
        lines.append(
            f"  {_source(row['source_id'])} {row['source_key']}: {STATUS_LABELS[row['status']]}"
            f"（{METHOD_LABELS[row['method']]}、確からしさ {row['probability']:.1%}）{by}"
        )
        lines += [
            f"    {item['label_ja']}: {item['level']}  {item['match_weight']:+.1f}"
            for item in row["evidence"]
            if item["match_weight"] is not None
        ]
    lines += ["", "■ 家族"]
    for row in explanation["relatives"]:
        together = {True: "同居", False: "別居", None: "—"}[row["is_same_household"]]
        cases = f"  ケース {row['case_count']}件（最新 {row['last_case_on']}）" if row["case_count"] else ""
        lines.append(f"  {row['relation_ja']}: {row['display_name'] or NAMELESS} {row['person_id']} {together}{cases}")
    for row in explanation["edges"]:
        lines.append(
            f"  {_link(row)} {row['from_person_id']} → {row['to_person_id']} "
            f"{row['valid_from']}〜{row['valid_to'] or ''} 確信度 {row['confidence']}"
        )
    lines += ["", "■ 連鎖"]
    for chain in explanation["chains"]:
        lines.append(
            f"  {CHAINS_JA[chain['chain_type']]} {chain['steps']}: {' → '.join(chain['names'])}  "
            f"{_source(chain['case_source_id'])} {chain['case_on']}"
        )
        lines += [f"    {step['from']} → {step['to']}: {_link(step)}" for step in chain["edges"]]
    if explanation["contradictions"]:
        lines += [
            "",
            "■ 確認が必要な点",
            *(f"  {describe_contradiction(row)}" for row in explanation["contradictions"]),
        ]
    return lines
