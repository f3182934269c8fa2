"""The head of a sheet in sentences: why the score is what it is, what changed, how sure it is."""

from __future__ import annotations

from decimal import Decimal

from kodomo.child_sheet.sheet import ChildSheet, TypeScore
from kodomo.child_sheet.waterfall import plain, signed
from kodomo.japanese import japanese_date

MOST_SOURCES = 4


def why(score: TypeScore) -> str:
    """虐待 19.5点（ハイリスクの基準10点）: 虐待の通告 2024年11月2日、… — a type's score with its largest reasons."""
    if score.score is None:
        return score.label
    bound = f"（{score.threshold_label}の基準{plain(score.threshold)}点）" if score.threshold is not None else ""
    forced = "。規則により段階を引き上げています" if score.is_override else ""
    reasons = "、".join(item.words for item in score.reasons)
    return f"{plain(score.score)}点{bound}{': ' + reasons if reasons else ''}{forced}"


def changed(sheet: ChildSheet) -> str:
    """What changed since the last batch, over the types in force; empty for an audience without scores."""
    if not sheet.active:
        return ""
    before = [score for score in sheet.active if score.before is not None]
    if not before:
        return "前回の一括検討の記録はありません（今回が最初です）。"
    moved = []
    for score in before:
        change = score.change or Decimal(0)
        if change == 0 and score.before.tier == score.tier:
            continue
        tiers = "" if score.before.tier == score.tier else f"（{score.before.tier_label} → {score.tier_label}）"
        moved.append(f"{score.label} {signed(change) if change else '±0'}点{tiers}")
    since = japanese_date(max(score.before.scored_on for score in before))
    return f"前回（{since}）から {'、'.join(moved)}" if moved else f"前回（{since}）から変化はありません。"


def sure(sheet: ChildSheet) -> str:
    """How much of the score the data can answer, and which sources cannot; empty where neither is shown."""
    shares = [score.completeness for score in sheet.active if score.completeness is not None]
    share = f"データ充足率 {round(min(shares) * 100)}%。" if shares else ""
    reasons = [gap.reason if gap.source in gap.reason else f"{gap.source}: {gap.reason}" for gap in sheet.unanswered]
    if not reasons:
        return f"{share}答えのないデータはありません。" if share else ""
    more = f" ほか{len(reasons) - MOST_SOURCES}件" if len(reasons) > MOST_SOURCES else ""
    return f"{share}答えのないデータ: {'、'.join(reasons[:MOST_SOURCES])}{more}"
