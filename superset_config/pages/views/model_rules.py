"""The rules of priority and support of a draft, as a table of fields that is written as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from kodomo.scoring.definition import CHAINS, PRIORITY_CLASSES, PRIORITY_RULES, SUPPORT_RULES
from kodomo.workshop.drafts import Draft
from kodomo.workshop.rows import Place, Texts, rules_of
from superset_config.pages.base import typed

NEW_RULES = 3
"""How many empty lines the page has for further rules."""
YES_NO_JA = {"true": "はい", "false": "いいえ"}
CHAINS_JA = {"vertical": "縦の連鎖", "horizontal": "横の連鎖"}
RULES_JA = {PRIORITY_RULES: "支援の優先度の規則", SUPPORT_RULES: "支援内容の規則"}
RULE_COLUMNS_JA = {
    PRIORITY_RULES: {
        "rule_no": "順", "min_tier": "段階（以上）", "max_tier": "段階（以下）",
        "min_difficulties": "種類の数（以上）", "vertical": "縦の連鎖", "horizontal": "横の連鎖",
        "age_from_months": "年齢の下限", "age_to_months": "年齢の上限",
        "is_known": "把握されている", "priority_class": "優先度", "due_days": "期限（日）", "reason_ja": "理由",
    },
    SUPPORT_RULES: {
        "difficulty_type": "困難の種類", "tier": "段階", "chain": "連鎖", "age_from_months": "年齢の下限",
        "age_to_months": "年齢の上限", "support_code": "記号", "content_ja": "支援内容",
    },
}  # fmt: skip
_LONGEST = {"reason_ja": 200, "content_ja": 200, "support_code": 40}
_ALL_JA = "すべて"


def rule_fields(draft: Draft, table: str, types: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows of a table of rules: its lines with their texts, and what each column takes."""
    ranked = sorted(draft.own("risk_tiers"), key=lambda row: -int(row.get("tier_rank", "0")))
    tiers = {row["tier"]: row.get("label_ja", row["tier"]) for row in ranked}
    options = {
        **dict.fromkeys(("min_tier", "max_tier", "tier"), tiers),
        **dict.fromkeys(("vertical", "horizontal", "is_known"), YES_NO_JA),
        "priority_class": {name: name for name in PRIORITY_CLASSES},
        "chain": {name: CHAINS_JA[name] for name in CHAINS},
        "difficulty_type": types,
    }
    return {
        "table": table,
        "title": RULES_JA[table],
        "columns": [
            (name, label, options.get(name), "" if name == "priority_class" else _ALL_JA, _LONGEST.get(name, 6))
            for name, label in RULE_COLUMNS_JA[table].items()
        ],
        "lines": [*rules_of(draft.texts, table, draft.model_version), *({} for _ in range(NEW_RULES))],
        "is_own": bool(draft.own(table)),
    }


def typed_rules(draft: Draft, table: str) -> tuple[dict[Place, Texts | None], dict[str, tuple[Place, str]]]:
    """The changes that the form makes to the draft's own rules, and the row and column of each field.

    A line that is empty or ticked is left out. A draft that says nothing else than all versions gets no rules of its
    own. Rules of priority are numbered anew where a number is no whole one or is there twice.
    """
    known = rules_of(draft.texts, table, draft.model_version)
    old = {Place.of(table, row): row for row in draft.own(table)}
    if typed("shared"):
        return dict.fromkeys(old), {}
    lines: list[tuple[int, dict[str, str]]] = []
    for line in range(1, len(known) + NEW_RULES + 1):
        row = {name: typed(f"{name}|{line}").strip() for name in RULE_COLUMNS_JA[table]}
        if any(row.values()) and not typed(f"out|{line}"):
            lines.append((line, row))
    numbered = _numbered(lines, [row["rule_no"] for row in known]) if table == SUPPORT_RULES else _ordered(lines)
    written: dict[Place, Texts | None] = {}
    fields: dict[str, tuple[Place, str]] = {}
    for number, line, row in numbered:
        own = {"model_version": draft.model_version, **row, "rule_no": str(number)}
        texts = {name: text for name, text in own.items() if text}
        place = Place.of(table, texts)
        written[place] = texts
        fields |= {f"{name}|{line}": (place, name) for name in row}
    nameless = [{**row, "model_version": draft.model_version} for row in known]
    if not old and list(written.values()) == nameless:
        return {}, fields
    changes = {place: row for place, row in written.items() if draft.texts.get(place) != row}
    return {**dict.fromkeys(old.keys() - written.keys()), **changes}, fields


def _numbered(lines: list[tuple[int, dict[str, str]]], known: list[str]) -> list[tuple[int, int, dict[str, str]]]:
    """Lines with the numbers that they have; further ones go on from the last."""
    last = max(map(int, known), default=0)
    return [
        (int(known[line - 1]) if line <= len(known) else last + line - len(known), line, row) for line, row in lines
    ]


def _ordered(lines: list[tuple[int, dict[str, str]]]) -> list[tuple[int, int, dict[str, str]]]:
    """Lines in the order of the numbers that were typed; one without a number stands before the last."""
    numbers = [_number(row["rule_no"]) for _, row in lines]
    greatest = max((number for number in numbers if number is not None), default=Decimal(1))
    given = [greatest - Decimal("0.5") if number is None else number for number in numbers]
    if all(number == int(number) > 0 for number in given) and len(set(given)) == len(given):
        return sorted((int(number), line, row) for number, (line, row) in zip(given, lines, strict=True))
    ordered = sorted(zip(given, lines, strict=True), key=lambda one: one[0])
    return [(place, line, row) for place, (_, (line, row)) in enumerate(ordered, start=1)]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**6 else None
