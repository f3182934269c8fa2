"""The register of data items (データ項目台帳) for people: as a page in Japanese, and what it keeps out of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from kodomo.contract import Column, Contract, load_contracts
from kodomo.home import PROJECT

PAGE = PROJECT / "docs" / "register.ja.md"
APPROVED = "承認"
TYPES = {
    "id": "番号", "code": "コード", "date": "日付", "month": "年月", "int": "整数", "decimal": "小数", "flag": "有無",
    "name": "氏名", "kana": "フリガナ", "address": "住所", "postcode": "郵便番号", "text": "文字",
}  # fmt: skip
PURPOSES = {"database": "データベース", "determination": "判定", "bi": "BI", "meeting": "会議"}
USES = {"within": "目的内の利用", "provision": "提供"}
DELIVERIES = {"full": "全件", "delta": "差分", "entry": "入力画面"}


def obstacle(column: Column, as_of_on: dt.date, purpose: str) -> str | None:
    """What the register says against using a column for a purpose on a date, None if nothing.

    The staging models judge by the same rule, for the purpose ``database``.
    """
    register = column.register
    if register.get("status") != APPROVED:
        return f"{column.heading} is {register.get('status') or 'not in the register'}"
    starts, ends = register.get("valid_from"), register.get("valid_to")
    if (starts and starts > as_of_on) or (ends and ends < as_of_on):
        return f"{column.heading} is not approved on {as_of_on}"
    if purpose not in (register.get("permitted_purposes") or []):
        return f"{column.heading} is not approved for {purpose}"
    return None


def left_out(as_of_on: dt.date) -> list[str]:
    """The data items that a run of that date does not use, each with why: they are empty from staging on."""
    return [
        f"{contract.label}: {why}"
        for contract in load_contracts().values()
        for column in contract.columns
        if (why := obstacle(column, as_of_on, "database"))
    ]


def page() -> str:
    """The register as a page in Markdown: what is not 承認 first, then every source with its items."""
    contracts = load_contracts()
    items = [(contract, column) for contract in contracts.values() for column in contract.columns]
    waiting = [(contract, column) for contract, column in items if column.register.get("status") != APPROVED]
    lines = [
        "# データ項目台帳",
        "",
        "こども統合DBが受け取るデータの項目と、その法的な根拠・使ってよい目的・保存期間です。",
        "`models/sources/*.yml` から `kodomo register` で作ります（この頁は書き換えません）。",
        "",
        "- **状態**　承認された項目だけがデータベースに入り、判定に使われます。",
        "  保留と禁止の項目は、値が取り込まれても、そこから先のどの表にも入りません。",
        "- **保存期間**は、納品の日から数えます。",
        "  過ぎたものは `kodomo retention` が消し、何をなぜ消したかを記録します。",
        "- **要**は要配慮個人情報など、とくに慎重に扱う項目です。",
        "",
        f"データ {len(contracts)}種、項目 {len(items)}。"
        f"承認 {len(items) - len(waiting)}、承認されていないもの {len(waiting)}。",
        "",
        "## 承認されていない項目",
        "",
        "| データ | 項目 | 状態 | 理由 |",
        "|---|---|---|---|",
        *(
            f"| {contract.label} | {column.heading} | {register.get('status')} | {register.get('note', '')} |"
            for contract, column in waiting
            for register in [column.register]
        ),
    ]
    for contract in contracts.values():
        lines += ["", *_source(contract)]
    return "\n".join(lines) + "\n"


def _source(contract: Contract) -> Iterator[str]:
    rhythm = f"、{contract.rhythm}（前の納品から{contract.late_after_days}日で遅れ）" if contract.rhythm else ""
    yield f"## {contract.title}"
    yield ""
    yield f"- 保有部署：{contract.holder_ja}　（`{contract.source_id}`）"
    yield f"- 納品：{DELIVERIES[contract.delivery]}{rhythm}"
    for label, entry_of in (
        ("本来の利用目的", lambda register: register.get("purpose")),
        ("法的根拠", lambda register: register.get("legal_basis")),
        ("利用か提供か", lambda register: USES.get(register.get("use"), "—")),
        ("罰則規定の確認", lambda register: "済" if register.get("penal_clause_checked") else "未了"),
    ):
        values = list(dict.fromkeys(str(entry_of(column.register)) for column in contract.columns))
        yield f"- {label}：{'／'.join(values)}"
    yield ""
    yield "| 項目 | 種類 | 必須 | 要 | 状態 | 承認の期間 | 承認 | 使ってよい目的 | 保存 |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for column in contract.columns:
        yield _item(column)


def _item(column: Column) -> str:
    register = column.register
    purposes = "・".join(PURPOSES[name] for name in register.get("permitted_purposes") or [])
    is_approved = register.get("status") == APPROVED
    cells = [
        column.heading,
        TYPES.get(column.type, column.type),
        "○" if column.required else "",
        "要" if column.sensitive else "",
        register.get("status", ""),
        f"{register.get('valid_from') or ''}〜{register.get('valid_to') or ''}" if is_approved else "—",
        f"{register.get('approved_on', '')} {register.get('approved_by', '')}" if is_approved else "—",
        purposes if is_approved else "—",
        f"{register['retention_months']}か月" if register.get("retention_months") else "—",
    ]
    return f"| {' | '.join(str(cell) for cell in cells)} |"
