"""How a score adds up, largest part first: an SVG picture."""

from __future__ import annotations

from decimal import Decimal
from xml.sax.saxutils import escape

from kodomo.child_sheet.sheet import TypeScore

UNSEEN_JA = "所属では表示できない項目"
_LEFT, _WIDTH, _ROW, _RIGHT = 250.0, 760.0, 20.0, 60.0
_INK, _QUIET, _UP, _DOWN, _SUM = "#1f2933", "#4a5563", "#c05a1b", "#1b6e3c", "#1f5f8b"


def draw(score: TypeScore) -> str:
    """The counted items of a type as bars, each beginning where the one before ended; empty without any."""
    if score.score is None:
        return ""
    items = [(item.label, item.points) for item in score.items if item.is_counted and item.points]
    if score.unseen:
        items.append((UNSEEN_JA, score.unseen))
    if not items:
        return ""
    ends, total = [], Decimal(0)
    for _, points in items:
        ends.append((total, total + points))
        total += points
    values = [Decimal(0), score.threshold or Decimal(0), *(end for pair in ends for end in pair)]
    low, high = min(values), max(values)
    scale = (_WIDTH - _LEFT - _RIGHT) / float(high - low or 1)

    def x(value: Decimal) -> float:
        return _LEFT + float(value - low) * scale

    height = _ROW * (len(items) + 1) + 24
    parts = []
    for number, ((label, _), (start, end)) in enumerate(zip(items, ends, strict=True)):
        y = 18 + number * _ROW
        colour = _UP if end > start else _DOWN
        left, right = sorted((x(start), x(end)))
        shown = label if len(label) < 19 else f"{label[:18]}…"
        parts.append(
            f'<text x="{_LEFT - 8:.0f}" y="{y + 14:.1f}" font-size="12" fill="{_INK}" text-anchor="end">'
            f"{escape(shown)}</text>"
            f'<rect x="{left:.1f}" y="{y + 4:.1f}" width="{max(right - left, 1):.1f}" height="13" fill="{colour}"/>'
            f'<text x="{right + 5:.1f}" y="{y + 14:.1f}" font-size="11.5" fill="{_INK}">{signed(end - start)}</text>'
        )
    y = 18 + len(items) * _ROW
    left, right = sorted((x(Decimal(0)), x(total)))
    parts.append(
        f'<text x="{_LEFT - 8:.0f}" y="{y + 14:.1f}" font-size="12" font-weight="700" fill="{_INK}" '
        f'text-anchor="end">合計</text>'
        f'<rect x="{left:.1f}" y="{y + 4:.1f}" width="{max(right - left, 1):.1f}" height="13" fill="{_SUM}"/>'
        f'<text x="{right + 5:.1f}" y="{y + 14:.1f}" font-size="12" font-weight="700" fill="{_INK}">'
        f"{plain(total)}</text>"
    )
    if score.threshold is not None:
        at = x(score.threshold)
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="14" y2="{height - 4:.1f}" stroke="{_INK}" stroke-width="1.4" '
            f'stroke-dasharray="5 3"/><text x="{at:.1f}" y="11" font-size="11" fill="{_QUIET}" '
            f'text-anchor="middle">{escape(score.threshold_label)}の基準 {plain(score.threshold)}</text>'
        )
    words = "、".join(f"{label} {signed(points)}点" for label, points in items)
    key = f"{score.model_version}-{score.difficulty_type}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="waterfall-{escape(key)}-title '
        f'waterfall-{escape(key)}-desc" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}" '
        f'height="{height:.0f}" font-family="Noto Sans CJK JP, sans-serif">'
        f'<title id="waterfall-{escape(key)}-title">{escape(score.label)}の点数の内訳</title>'
        f'<desc id="waterfall-{escape(key)}-desc">{escape(words)}、合計 {plain(total)}点</desc>{"".join(parts)}</svg>'
    )


def plain(value: Decimal) -> str:
    """A number without zeros that say nothing."""
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


def signed(value: Decimal) -> str:
    """A number with its sign."""
    return f"{'+' if value > 0 else '−'}{plain(abs(value))}"
