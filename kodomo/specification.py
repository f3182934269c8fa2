"""納品仕様書: what a source's contract asks of those who deliver it, as a workbook and as an open data contract (ODCS).

Both are made of the contract alone, so they hold nothing of a person and are the same in every home.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from kodomo.contract import CONTRACT_LAYOUT, Column, Contract, Layout, load_code_lists, load_contracts
from kodomo.errors import UsageError
from kodomo.register import APPROVED, DELIVERIES, TYPES, USES
from kodomo.versions import VERSION

ODCS_VERSION = "v3.1.0"
WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADINGS = ("番号", "見出し", "種類", "桁数", "区分", "単位", "範囲", "必須", "見出しの省略", "要配慮", "状態")
LOGICAL_TYPES = {"date": "date", "int": "integer", "decimal": "number"}
"""The logical types of ODCS; all others are strings, as numbers of people and codes keep their zeros."""
TAKEN_TOGETHER = {"join": "つなげる", "first": "空でない最初のもの", "era": "元号と日付"}


def delivered_contracts(holders: tuple[str, ...] | None = None) -> list[Contract]:
    """The contracts of files that holders deliver, of some holders or (None) all; entries need no file."""
    return [
        contract
        for contract in load_contracts().values()
        if contract.delivery != "entry" and (holders is None or contract.holder in holders)
    ]


def delivered_contract(source_id: str) -> Contract:
    """The contract of one delivered source. Raises UsageError for another name."""
    known = {contract.source_id: contract for contract in delivered_contracts()}
    if source_id not in known:
        raise UsageError(
            "No source {source_id} is delivered as a file. There are: {names}.",
            source_id=source_id,
            names=", ".join(known),
        )
    return known[source_id]


def summary(contract: Contract) -> list[tuple[str, str]]:
    """Label and text of what holds for the whole file."""
    by_name = {column.name: column.heading for column in contract.columns}
    rhythm = f"{contract.rhythm}（前の納品から{contract.late_after_days}日で遅れ）" if contract.rhythm else "定めなし"
    return [
        ("データ", contract.title),
        ("保有部署", contract.holder_ja),
        ("ファイル名", f"{contract.source_id}_<納品日 YYYYMMDD>.csv"),
        ("ファイルの形", "見出し行のある CSV。文字コードは CP932（Shift_JIS）または UTF-8"),
        ("納品", DELIVERIES[contract.delivery]),
        ("納品の周期", rhythm),
        ("1行を決める項目", "、".join(by_name[name] for name in contract.row_key) or "行全体"),
        ("利用目的", _joined(contract, "purpose")),
        ("法的根拠", _joined(contract, "legal_basis")),
        ("利用か提供か", "、".join(USES.get(use, "—") for use in _distinct(contract, "use"))),
        ("見出しの書き方", "全角・半角と空白の違いは問いません。並び順は自由です。"),
        ("受け取れないもの", "個人番号、税情報などの見出しがあるファイルは、全体を受け取りません。"),
    ]


def workbook(contract: Contract) -> bytes:
    """The specification as an Excel workbook: the file, its columns, the codes, and the other layouts if any."""
    from openpyxl import Workbook

    book = Workbook()
    _fill(book.active, "概要", ("項目", "内容"), summary(contract))
    _fill(book.create_sheet(), "項目", HEADINGS, items(contract))
    if coded := list(codes(contract)):
        _fill(book.create_sheet(), "区分", ("見出し", "コード", "意味"), coded)
    if len(contract.layouts) > 1:
        _fill(book.create_sheet(), "ほかの書式", ("書式", "項目", "その書式の見出し", "読み方"), _layouts(contract))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def data_contract(contract: Contract) -> dict[str, Any]:
    """The contract as an Open Data Contract Standard document."""
    sla = [
        {"property": "retention", "value": months, "unit": "m"} for months in _distinct(contract, "retention_months")
    ]
    if contract.late_after_days:
        sla.append({"property": "latency", "value": contract.late_after_days, "unit": "d"})
    row_key = list(contract.row_key)
    return {
        "apiVersion": ODCS_VERSION,
        "kind": "DataContract",
        "id": f"kodomo-{contract.source_id}",
        "name": contract.title,
        "version": VERSION,
        "status": "active",
        "domain": contract.holder,
        "description": {
            "purpose": _joined(contract, "purpose"),
            "limitations": _joined(contract, "legal_basis"),
            "usage": "".join(f"{label}：{text}\n" for label, text in summary(contract)),
        },
        "schema": [
            {
                "name": contract.source_id,
                "physicalName": f"{contract.source_id}_YYYYMMDD.csv",
                "physicalType": "csv",
                "logicalType": "object",
                "businessName": contract.label,
                "properties": [_property(column, row_key) for column in contract.columns],
            }
        ],
        "slaProperties": sla,
        "customProperties": [
            {"property": "holder", "value": contract.holder_ja},
            {"property": "delivery", "value": contract.delivery},
            *([{"property": "rhythm", "value": contract.rhythm}] if contract.rhythm else []),
            {"property": "fingerprint", "value": contract.fingerprint},
        ],
    }


def data_contract_yaml(contract: Contract) -> str:
    """The ODCS document as YAML."""
    import yaml

    return yaml.safe_dump(data_contract(contract), allow_unicode=True, sort_keys=False, width=120)


def _property(column: Column, row_key: list[str]) -> dict[str, Any]:
    """A column as a property: its heading is the physical name. Without a value a required one is rejected."""
    options: dict[str, Any] = {}
    if column.width and column.type == "id":
        options["maxLength"] = column.width
    if column.plausible:
        options |= dict(zip(("minimum", "maximum"), column.plausible, strict=True))
    described: dict[str, Any] = {
        "name": column.name,
        "physicalName": column.heading,
        "businessName": column.heading,
        "logicalType": LOGICAL_TYPES.get(column.type, "string"),
        "physicalType": column.type,
        "required": column.required,
        "classification": "sensitive" if column.sensitive else "personal",
    }
    if column.name in row_key:
        described |= {"primaryKey": True, "primaryKeyPosition": row_key.index(column.name) + 1}
    if options:
        described["logicalTypeOptions"] = options
    custom = {
        "type": TYPES[column.type],
        "headingMayBeMissing": column.optional,
        "status": column.register.get("status"),
        "unit": column.unit,
        "codes": json.dumps(load_code_lists()[column.code_list], ensure_ascii=False) if column.code_list else None,
    }
    described["customProperties"] = [
        {"property": name, "value": value} for name, value in custom.items() if value is not None
    ]
    return described


def items(contract: Contract) -> Iterator[tuple[Any, ...]]:
    """The columns of the file in its order, as ``HEADINGS``."""
    for number, column in enumerate(contract.columns, 1):
        yield (
            number,
            column.heading,
            TYPES[column.type],
            column.width or "",
            "あり" if column.code_list else "",
            column.unit or "",
            "〜".join(f"{limit:g}" for limit in column.plausible) if column.plausible else "",
            "○" if column.required else "",
            "できる" if column.optional else "できない",
            "要" if column.sensitive else "",
            column.register.get("status") or f"{APPROVED}なし",
        )


def codes(contract: Contract) -> Iterator[tuple[str, ...]]:
    """Heading, code and meaning of every code that the columns may hold."""
    for column in contract.columns:
        if column.code_list:
            for code, label in load_code_lists()[column.code_list].items():
                yield column.heading, code, label


def _layouts(contract: Contract) -> Iterator[tuple[str, ...]]:
    others: list[Layout] = [layout for layout in contract.layouts if layout.name != CONTRACT_LAYOUT]
    for layout in others:
        for column in contract.columns:
            origin = layout.origins[column.name]
            how = TAKEN_TOGETHER[origin.takes] if len(origin.headings) > 1 else ""
            yield layout.title, column.heading, "、".join(origin.headings), how


def _fill(sheet: Any, title: str, headings: tuple[str, ...], rows: Any) -> None:
    """A sheet with a bold heading row that stays in sight, and columns as wide as their texts."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet.title = title
    sheet.append(headings)
    for row in rows:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, cells in enumerate(sheet.columns, 1):
        widest = max(len(str(cell.value or "")) for cell in cells)
        sheet.column_dimensions[get_column_letter(number)].width = min(2 * widest + 2, 70)
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"


def _distinct(contract: Contract, name: str) -> list[Any]:
    values = (column.register.get(name) for column in contract.columns)
    return [value for value in dict.fromkeys(values) if value is not None]


def _joined(contract: Contract, name: str) -> str:
    return "／".join(str(value) for value in _distinct(contract, name))
