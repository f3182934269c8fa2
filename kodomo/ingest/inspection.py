"""Inspects a file before it is taken: encoding, layout or nearest source, headings, values that do not fit.

Nothing is kept and nothing is written. No value leaves this module: examples are masked character by character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import duckdb

from kodomo.contract import (
    CONTRACT_LAYOUT,
    SEEDS,
    Column,
    Contract,
    HeadingRules,
    Layout,
    Origin,
    heading_key,
    load_contracts,
    load_heading_rules,
)
from kodomo.errors import KodomoError
from kodomo.ingest.files import MAX_TITLE_LINES, ParsedFile, RefusedError, parse
from kodomo.ingest.layouts import recognise, spelled
from kodomo.ingest.load import load, normalised
from kodomo.ingest.records import detect_encoding, physical_lines, split_fields, to_byte_text
from kodomo.ingest.tables import ensure_tables
from kodomo.macros import load_macros
from kodomo.messages import JAPANESE, Sentence, sentence_of

EXAMPLES = 10
LONGEST_EXAMPLE = 30
NEW_BELOW = 0.5
"""A file of which less than this share of the headings is known is of a new source."""
NO_SOURCE = "no_source"
SCRATCH_ID = "inspection"
"""The id of the file's rows in the scratch database."""
FITS = 0.95
"""The share of values that must be of a type for it to be proposed."""
ENCODINGS_JA = {
    "utf-8": "UTF-8（BOMなし）",
    "utf-8-sig": "UTF-8（BOM付き）",
    "utf-16": "UTF-16",
    "cp932": "CP932（Shift_JIS）",
}
STATES_JA = {
    "loaded": "取り込む",
    "not_used": "取り込まない（書式にあり）",
    "unknown": "未知",
    "forbidden": "受け取り禁止",
    "double": "重複",
}
REASONS_JA = {
    "missing_required": "必須の値がない",
    "damaged_id": "番号が壊れている",
    "not_a_person": "番号として読めない",
    "not_an_id": "番号として読めない",
    "impossible_date": "ありえない日付",
    "invalid_month": "年月として読めない",
    "not_a_number": "数として読めない",
    "unknown_flag": "有無として読めない",
    "implausible_value": "ありえない大きさの数",
    "unknown_date": "日の分からない日付",
    "interpreted_date": "終わった元号の年",
    "unknown_code": "コード表にない",
    "wrong_field_count": "項目の数が違う",
    "undecodable": "文字コードとして読めない",
    "unbalanced_quote": "引用符が閉じていない",
    "too_long": "長すぎる",
}


@dataclass(frozen=True)
class Heading:
    """One heading of the file: what becomes of it, and what its values look like."""

    heading: str
    state: str
    column_name: str | None
    examples: tuple[str, ...] = ()
    proposed_type: str | None = None
    """For an unknown heading: the type that its values fit."""


@dataclass(frozen=True)
class Misfit:
    """Values of a column that are not of its type: how many of how many rows. ``column``: its heading, or empty."""

    column: str
    reason_code: str
    row_count: int


@dataclass(frozen=True)
class Inspection:
    """What a file is. ``likeness``: the share of its headings that the source knows."""

    file_name: str
    encoding: str
    heading_line: int
    rows_read: int
    source_id: str | None
    source_title: str | None
    layout: str | None
    layout_title: str | None
    likeness: float
    headings: tuple[Heading, ...]
    missing: tuple[str, ...]
    misfits: tuple[Misfit, ...]
    notes: tuple[str, ...]
    yml: str = ""
    problems: tuple[str, ...] = field(default=())
    """Why the file would be refused as it is."""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def inspect(data: bytes, file_name: str, source_id: str | None = None, *, judges_values: bool = True) -> Inspection:
    """Describe the bytes of a file; ``source_id``: measure it against this source instead of the nearest.

    ``judges_values``: values that do not fit are counted too, and the file's end is looked at; not of a mere beginning.
    Raises KodomoError for a file without a heading row, and for an unknown source.
    """
    contracts, rules = load_contracts(), load_heading_rules()
    if source_id is not None and source_id not in contracts:
        raise KodomoError(
            "There is no source {source_id}: it must be one of {names}.",
            source_id=source_id,
            names=", ".join(sorted(contracts)),
        )
    if not data.strip():
        raise KodomoError("{file_name}: the file is empty.", file_name=file_name)
    line_number, delivered = _heading_row(data, file_name, contracts, rules)
    keys = [heading_key(value) for value in delivered]
    contract, likeness = _nearest(keys, contracts if source_id is None else {source_id: contracts[source_id]}, rules)
    whole = _parse(data, file_name, _as_it_is(delivered))
    headings = [spelled(key, contract, rules) for key in keys]
    layout = recognise(headings, contract)
    is_new = source_id is None and likeness < NEW_BELOW
    columns = {heading: name for name, origin in reversed([*layout.origins.items()]) for heading in origin.headings}
    described = tuple(
        _heading(text, heading, headings, columns, layout, rules, whole, place)
        for place, (text, heading) in enumerate(zip(delivered, headings, strict=True))
    )
    missing = tuple(sorted(layout.required - {*headings}))
    problems = [f"受け取り禁止の見出しがあります：{'、'.join(h.heading for h in described if h.state == 'forbidden')}"]
    problems = problems if any(h.state == "forbidden" for h in described) else []
    if any(heading.state == "double" for heading in described):
        problems.append("同じ見出しが二つあります。")
    elif missing and not is_new:
        problems.append(f"必須の見出しがありません：{'、'.join(missing)}")
    misfits: tuple[Misfit, ...] = ()
    notes: list[Sentence] = []
    if judges_values and not is_new and not any(heading.state == "double" for heading in described):
        parsed = _parse(data, file_name, _lenient(contract))
        misfits = _misfits(contract, parsed)
        notes = parsed.doubts
    return Inspection(
        file_name=file_name,
        encoding=whole.delivered_encoding,
        heading_line=line_number,
        rows_read=whole.rows_read,
        source_id=None if is_new else contract.source_id,
        source_title=contract.title,
        layout=None if is_new else layout.name,
        layout_title=None if is_new else layout.title,
        likeness=round(likeness, 3),
        headings=described,
        missing=missing if not is_new else (),
        misfits=misfits,
        notes=tuple(note.in_language(JAPANESE) for note in notes),
        problems=tuple(problems),
        yml=_yml(described, contracts, file_name if is_new else None),
    )


def recognised(data: bytes, file_name: str) -> tuple[Contract, float, list[str]]:
    """The source that a file's headings are nearest to, the share of them that it knows, and the headings.

    Below ``NEW_BELOW`` the headings may be values of a file that has none. Raises KodomoError for a file without
    anything like a heading row.
    """
    contracts, rules = load_contracts(), load_heading_rules()
    _, delivered = _heading_row(data, file_name, contracts, rules)
    contract, likeness = _nearest([heading_key(value) for value in delivered], contracts, rules)
    return contract, likeness, delivered


def describe(inspection: Inspection) -> list[str]:
    """The inspection as lines of Japanese text."""
    known = f"{inspection.source_id}（{inspection.source_title}）" if inspection.source_id else "新しいデータ"
    lines = [
        f"ファイル　　{inspection.file_name}",
        f"文字コード　{ENCODINGS_JA.get(inspection.encoding, inspection.encoding)}",
        f"見出し行　　{inspection.heading_line}行目（見出し{len(inspection.headings)}個）",
        f"データ　　　{inspection.rows_read}件",
        f"データの種類　{known}",
    ]
    if inspection.source_id:
        lines.append(f"書式　　　　{inspection.layout_title}（見出しの一致 {inspection.likeness:.0%}）")
    else:
        lines.append(f"　　最も近いのは {inspection.source_title}（見出しの一致 {inspection.likeness:.0%}）")
    lines += [f"！{problem}" for problem in inspection.problems]
    lines += [f"・{note}" for note in inspection.notes]
    lines += ["", "見出し　→　列　　値の形（漢・あ・ア・9・A に置き換えたもの）"]
    for heading in inspection.headings:
        target = heading.column_name or STATES_JA[heading.state]
        lines.append(f"  {heading.heading}　→　{target}　　{'　'.join(heading.examples)}")
    if inspection.misfits:
        lines += ["", "型に合わない値"]
        for misfit in inspection.misfits:
            reason = REASONS_JA.get(misfit.reason_code, misfit.reason_code)
            lines.append(f"  {misfit.column or '（行全体）'}　{reason}　{misfit.row_count}件")
    if inspection.yml:
        lines += ["", "models/sources に加える行（英語名と型は確かめて直してください）", inspection.yml]
    return lines


def masked(value: str) -> str:
    """A value with every character replaced by one of its kind, so that its shape is left and nothing of it."""
    text = "".join(_mask(character) for character in value.strip())
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}…"


def _mask(character: str) -> str:
    # ㍻ and ㈱ are words.
    if unicodedata.category(character) == "So":
        character = unicodedata.normalize("NFKC", character).strip("()")[:1] or character
    name = unicodedata.name(character, "")
    is_wide = unicodedata.east_asian_width(character) in "FW"
    if unicodedata.category(character).startswith("N") and "CJK" not in name and "IDEOGRAPH" not in name:
        return "９" if is_wide else "9"
    if "HIRAGANA" in name:
        return "あ"
    if "KATAKANA" in name:
        return "ｱ" if name.startswith("HALFWIDTH") else "ア"
    if "CJK" in name or "IDEOGRAPH" in name or unicodedata.category(character) == "Co":
        return "漢"
    if unicodedata.category(character).startswith("L"):
        return "Ａ" if is_wide else "A"
    return character


def _heading_row(
    data: bytes, file_name: str, contracts: Mapping[str, Contract], rules: HeadingRules
) -> tuple[int, list[str]]:
    """The number of the line within the titles whose headings the sources know best, and the headings as delivered."""
    content, encoding = to_byte_text(data, detect_encoding(data))
    known = frozenset().union(*(contract.headings for contract in contracts.values())) | {*rules.aliases}
    best: tuple[int, int, int, list[str]] = (0, 0, 0, [])
    for number, line in enumerate(physical_lines(content)[: MAX_TITLE_LINES + 1], start=1):
        text = line.decode(encoding, errors="replace")
        for delimiter in (",", "\t"):
            fields = split_fields(text, delimiter)[0]
            keys = [heading_key(value) for value in fields]
            score = (len(known.intersection(keys)), len([key for key in keys if key and not key.isdigit()]))
            if score > best[:2] and len(fields) > 1:
                best = (*score, number, fields)
    number, fields = best[2:]
    while fields and not heading_key(fields[-1]):
        fields.pop()
    if not fields:
        raise KodomoError(
            "{file_name}: there is no heading row in the first {value} lines.",
            file_name=file_name,
            value=MAX_TITLE_LINES + 1,
        )
    return number, [value.strip() for value in fields]


def _nearest(keys: Sequence[str], contracts: Mapping[str, Contract], rules: HeadingRules) -> tuple[Contract, float]:
    """The contract that the headings are nearest to, and the share of the headings that it knows."""

    def nearness(contract: Contract) -> tuple[float, float]:
        headings = [spelled(key, contract, rules) for key in keys]
        layout = recognise(headings, contract)
        is_there = len(layout.required.intersection(headings)) / max(len(layout.required), 1)
        known = len(layout.headings.intersection(headings)) / len(keys)
        return known * is_there, known

    contract = max(contracts.values(), key=nearness)
    return contract, nearness(contract)[1]


def _as_it_is(delivered: Sequence[str]) -> Contract:
    """A contract of the file's own headings, each a text: for reading what no contract knows."""
    columns = tuple(
        Column(name=f"column_{place}", heading=heading, type="text", optional=True)
        for place, heading in enumerate(delivered)
        if heading
    )
    origins = {column.name: Origin((heading_key(column.heading),)) for column in columns}
    return replace(
        next(iter(load_contracts().values())),
        source_id=NO_SOURCE,
        row_key=(),
        row_state=None,
        columns=columns,
        layouts=(Layout(CONTRACT_LAYOUT, "", origins, frozenset()),),
    )


def _lenient(contract: Contract) -> Contract:
    """The contract without required headings: a file that lacks some is described all the same."""
    layouts = tuple(replace(layout, required=frozenset()) for layout in contract.layouts)
    return replace(contract, layouts=layouts)


def _parse(data: bytes, file_name: str, contract: Contract) -> ParsedFile:
    rules = replace(load_heading_rules(), forbidden=())
    if contract.source_id == NO_SOURCE:
        rules = replace(rules, aliases={})
    try:
        return parse(data, contract, rules)
    except RefusedError as error:
        raise KodomoError("{file_name}: {error}", file_name=file_name, error=sentence_of(error)) from error


def _heading(
    text: str,
    heading: str,
    headings: Sequence[str],
    columns: Mapping[str, str],
    layout: Layout,
    rules: HeadingRules,
    whole: ParsedFile,
    place: int,
) -> Heading:
    if rules.forbidden_in(text):
        return Heading(text, "forbidden", None)
    if heading and headings.count(heading) > 1:
        return Heading(text, "double", None)
    values = whole.columns.get(f"column_{place}")
    delivered = [] if values is None else [value for value in values.to_pylist() if value and value.strip()]
    examples = tuple([*dict.fromkeys(masked(value) for value in dict.fromkeys(delivered))][:EXAMPLES])
    if heading in layout.not_used and heading not in columns:
        return Heading(text, "not_used", None, examples)
    if heading in columns:
        return Heading(text, "loaded", columns[heading], examples)
    return Heading(text, "unknown", None, examples, _type_of(text, delivered))


def _misfits(contract: Contract, parsed: ParsedFile) -> tuple[Misfit, ...]:
    """Counts of the issues ingest would report, computed in a scratch database with the macros of staging."""
    with duckdb.connect(":memory:") as connection:
        ensure_tables(connection, {contract.source_id: contract})
        load(connection, contract, SCRATCH_ID, parsed)
        return misfits_of(connection, contract, SCRATCH_ID)


def misfits_of(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str) -> tuple[Misfit, ...]:
    """What is wrong with the values of a delivery that is in schema raw, by column and reason."""
    headings = {column.name: column.heading for column in contract.columns}
    misfits = connection.execute(
        "select coalesce(column_name, ''), reason_code, count(*) from raw.rejects where delivery_id = $delivery "
        "group by all union all select column_name, issue_code, count(*) from raw.value_issues "
        "where delivery_id = $delivery group by all order by all",
        {"delivery": delivery_id},
    ).fetchall()
    misfits += _unknown_codes(connection, contract, delivery_id)
    return tuple(Misfit(headings.get(name, name), reason, count) for name, reason, count in misfits)


def _unknown_codes(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str
) -> list[tuple[str, str, int]]:
    macros = load_macros()
    comparable, decode = macros["comparable_code"], macros["normalise_code"]
    lists, spellings, words = (
        f"read_csv('{SEEDS / name}.csv', all_varchar = true)"
        for name in ("code_lists", "code_spellings", "words_for_nothing")
    )
    misfits = []
    for column in contract.columns:
        if column.code_list is None:
            continue
        ((count,),) = connection.execute(
            f"""
            with spelled as (
                select code, code as spelling from {lists} where code_list = $list
                union select code, label_ja from {lists} where code_list = $list and label_ja is not null
                union select code, spelling from {spellings} where code_list = $list
                union select '', word from {words}
            ),
            codes as (
                select map_from_entries(list((spelling, code))) as codes
                from (select {comparable("spelling")} as spelling, min(code) as code from spelled group by all)
            )
            select count(*) from raw.{contract.source_id}, codes
            where delivery_id = $delivery and {decode(column.name, "codes.codes", "codes.codes")} = 'unknown'
            """,
            {"list": column.code_list, "delivery": delivery_id},
        ).fetchall()
        if count:
            misfits.append((column.name, "unknown_code", count))
    return misfits


_KANA = re.compile(r"[ァ-ヶーｦ-ﾟ・ 　]+")
_ID_NAME = re.compile(r"番号|コード|ID$|No$|№")


def _type_of(heading: str, values: Sequence[str]) -> str:
    """The type of the contract that nearly all values fit; text where there is none."""
    import pyarrow as pa

    texts = [value for value in normalised(pa.array(values, pa.string())).to_pylist() if value]
    if not texts:
        return "text"
    if _ID_NAME.search(heading_key(heading)):
        return "id"
    with duckdb.connect(":memory:") as connection:
        connection.execute("create table sample (value varchar)")
        connection.executemany("insert into sample values (?)", [[text] for text in texts[:1000]])
        macros = load_macros()
        conditions = {
            "flag": f"{macros['parse_flag']('value')} is not null",
            "date": f"length(value) > 5 and {macros['date_status']('value')} <> 'impossible'",
            "month": f"length(value) > 3 and {macros['month_status']('value')} <> 'impossible' "
            "and regexp_matches(value, '[年./-]')",
            "int": f"{macros['parse_integer']('value')} is not null and not contains(value, '.')",
            "decimal": f"{macros['parse_decimal']('value')} is not null",
            "postcode": f"{macros['normalise_postcode']('value')} is not null",
        }
        for kind, condition in conditions.items():
            ((share,),) = connection.execute(f"select avg(({condition})::int) from sample").fetchall()
            if share >= FITS:
                return kind
    return "kana" if all(_KANA.fullmatch(text) for text in texts) else "text"


def _yml(headings: Sequence[Heading], contracts: Mapping[str, Contract], new_file: str | None) -> str:
    """The lines of a contract for what no contract knows yet; of a whole new one, if the file is of a new source."""
    names: dict[str, Column] = {}
    for contract in contracts.values():
        for column in contract.columns:
            names.setdefault(heading_key(column.heading), column)
    wanted = [
        heading
        for heading in headings
        if heading.heading and (heading.state == "unknown" or (new_file and heading.state in {"loaded", "not_used"}))
    ]
    if not wanted:
        return ""
    lines: list[str] = []
    if new_file is not None:
        source_id = re.sub(r"[^a-z0-9_]+", "_", new_file.rsplit(".", 1)[0].lower()).strip("_0123456789") or "new_source"
        lines = [
            "version: 2", "sources:", "  - name: raw", "    schema: raw", "    tables:", f"      - name: {source_id}",
            "        description: （データの名前）", "        config:", "          meta:",
            "            holder: （保有部署のコード）", "            key: atena", "            delivery: full",
            "            coverage: event", "            rhythm: 毎月",
            "            late_after_days: 40", "            row_key: []", "            register:",
            "              purpose: （利用目的）", "              legal_basis: （根拠）", "              use: within",
            "              penal_clause_checked: false", "              status: 保留", "        columns:",
        ]  # fmt: skip
    for number, heading in enumerate(wanted, start=1):
        known = names.get(heading_key(heading.heading))
        lines += [
            f"          - name: {known.name if known else f'column_{number}'}",
            f"            description: {heading.heading}",
            "            config:",
            "              meta:",
            f"                heading: {heading.heading}",
            f"                type: {known.type if known else heading.proposed_type or 'text'}",
            *([f"                width: {known.width}"] if known and known.width else []),
            *([f"                code_list: {known.code_list}"] if known and known.code_list else []),
            "                required: false",
            "                optional: true",
            "                sensitive: false",
        ]
    return "\n".join(lines)
