"""Everything the warehouse says of one person: identities, links with evidence, family, chains with paths."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import duckdb

from orchestration.errors import UsageError
from orchestration.linkage.predict import ATTRIBUTES
from orchestration.warehouse import records

ATTRIBUTE_LABELS = {
    "given_name": "名",
    "surname": "氏",
    "birth_on": "生年月日",
    "sex": "性別",
    "household": "住所・保護者",
}
LINK_LABELS = {"parent_of": "親子", "partner_of": "配偶", "shared_household": "同居"}
CHAINS_JA = {"vertical": "縦の連鎖", "horizontal": "横の連鎖"}
WITHHELD = "（支援措置により非表示）"
ATENA_WIDTH = 15


def find_person(connection: duckdb.DuckDBPyConnection, given: str) -> str:
    """The person_id for a person_id, a 宛名番号 (padded or not), or ``source_id:source_key``.

    Raises UsageError when nobody has it.
    """
    source_id, _, source_key = given.partition(":")
    padded = given.zfill(ATENA_WIDTH) if given.isdigit() else given
    found = records(
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
    if not found:
        raise UsageError("Nobody has this id: give a person id, a 宛名番号, or source_id:source_key.")
    return found[0]["person_id"]


def explain(connection: duckdb.DuckDBPyConnection, given: str, *, show_protected: bool = False) -> dict[str, Any]:
    """What is known of a person, as nested dictionaries; names of protected other people only if asked for."""
    person_id = find_person(connection, given)
    person = records(
        connection,
        """
        select person_id, atena_no, display_name, kana, birth_on, sex, household_id, area_code, is_resident,
            due_on, is_dv_protected
        from marts.dim_person where person_id = ?
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
    name = (
        "others.display_name"
        if show_protected
        else f"case when others.is_dv_protected then '{WITHHELD}' else others.display_name end"
    )
    relatives = records(
        connection,
        f"""
        select relatives.relation_ja, relatives.relative_id as person_id, {name} as display_name,
            relatives.is_same_household, relatives.lived_together_from, relatives.lived_together_until,
            relatives.case_count, relatives.last_case_on
        from intermediate.int_family__relatives as relatives
        inner join marts.dim_person as others on relatives.relative_id = others.person_id
        where relatives.person_id = ?
        order by relatives.relation_rank, others.birth_on, relatives.relative_id
        """,
        [person_id],
    )
    edges = records(
        connection,
        f"""
        select links.link_type, links.link_kind, links.from_person_id, links.to_person_id, {name} as display_name,
            links.valid_from, links.valid_to, links.origin, links.confidence
        from marts.fct_family_link as links
        inner join marts.dim_person as others
            on others.person_id
                = case when links.from_person_id = ? then links.to_person_id else links.from_person_id end
        where links.from_person_id = ? or links.to_person_id = ?
        order by links.link_type, links.valid_from, links.from_person_id, links.to_person_id
        """,
        [person_id, person_id, person_id],
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
        chain["edges"] = _path_edges(connection, chain["path"].split(">"))
    contradictions = records(
        connection,
        """
        select kind, kind_label_ja, person_id, other_person_id, third_person_id, origin
        from intermediate.int_family__contradictions
        where ? in (person_id, other_person_id, third_person_id)
        order by kind, person_id
        """,
        [person_id],
    )
    return {
        "person": person,
        "identities": identities,
        "links": decisions,
        "relatives": relatives,
        "edges": edges,
        "chains": chains,
        "contradictions": contradictions,
    }


def _path_edges(connection: duckdb.DuckDBPyConnection, path: list[str]) -> list[dict[str, Any]]:
    """Each step of a path with the edge it goes over: the surest between the two people."""
    steps = []
    for here, there in pairwise(path):
        found = records(
            connection,
            """
            select link_type, link_kind, from_person_id, origin, valid_from, valid_to from marts.fct_family_link
            where (from_person_id = ? and to_person_id = ?) or (from_person_id = ? and to_person_id = ?)
            order by link_type = 'shared_household', confidence desc, valid_from limit 1
            """,
            [here, there, there, here],
        )
        edge = found[0] if found else {}
        steps.append({"from": here, "to": there, **edge})
    return steps


def describe(found: dict[str, Any]) -> list[str]:
    """The same as lines of text."""
    person = found["person"]
    lines = [
        f"{person['display_name'] or '（氏名なし）'}  {person['kana'] or ''}  "
        f"{person['birth_on'] or person['due_on'] or '生年月日不明'}  {person['sex']}",
        f"個人ID {person['person_id']}  世帯 {person['household_id'] or '—'}  地区 {person['area_code'] or '—'}"
        + ("  支援措置" if person["is_dv_protected"] else ""),
        "",
        "■ 番号",
        *(f"  {row['source_id']}: {row['source_key']}" for row in found["identities"]),
    ]
    if found["links"]:
        lines += ["", "■ 突合"]
    for row in found["links"]:
        by = f"  {row['decided_by']} {row['decided_on']} {row['reason']}" if row["decided_by"] else ""
        lines.append(
            f"  {row['source_id']} {row['source_key']}: {row['status']} ({row['method']}, p = {row['probability']}){by}"
        )
        lines += [
            f"    {item['label_ja']}: {item['level']}  {item['match_weight']:+.1f}"
            for item in row["evidence"]
            if item["match_weight"] is not None
        ]
    lines += ["", "■ 家族"]
    for row in found["relatives"]:
        together = "同居" if row["is_same_household"] else "別居"
        cases = f"  ケース {row['case_count']}件（最新 {row['last_case_on']}）" if row["case_count"] else ""
        lines.append(
            f"  {row['relation_ja']}: {row['display_name'] or '（氏名なし）'} {row['person_id']} {together}{cases}"
        )
    for row in found["edges"]:
        lines.append(
            f"  {LINK_LABELS[row['link_type']]} {row['from_person_id']} → {row['to_person_id']} "
            f"{row['valid_from']}〜{row['valid_to'] or ''} {row['origin']} {row['confidence']}"
        )
    lines += ["", "■ 連鎖"]
    for chain in found["chains"]:
        lines.append(
            f"  {CHAINS_JA[chain['chain_type']]} {chain['steps']}: {chain['path']}  "
            f"{chain['case_source_id']} {chain['case_on']}"
        )
        lines += [
            f"    {step['from']} → {step['to']}: {LINK_LABELS.get(step.get('link_type', ''), '—')}"
            f"（{step.get('origin', '—')}）"
            for step in chain["edges"]
        ]
    if found["contradictions"]:
        lines += ["", "■ 確認が必要な点"]
        for row in found["contradictions"]:
            people = (row["person_id"], row["other_person_id"], row["third_person_id"])
            lines.append(f"  {row['kind_label_ja']}: {' / '.join(filter(None, people))}（{row['origin']}）")
    return lines
