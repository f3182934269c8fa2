"""A proposal as ``kodomo model propose`` leaves it in the home."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from kodomo.workshop.rows import Texts

REPORT = {
    "difficulty_type": "abuse", "method": "exact", "frozen_on": ["2024-04-01", "2025-04-01"], "children": 900,
    "cases": 40,
    "judgements": [
        {"name": "hand-made (v2)", "auc": 0.7, "auc_low": 0.6, "auc_high": 0.8},
        {"name": "exact", "auc": 0.75, "auc_low": 0.65, "auc_high": 0.85},
    ],
}  # fmt: skip


def write(folder: Path, points: dict[tuple[str, str], str], difficulty: str = "abuse") -> None:
    """Write a proposal with these points. ``points``: item and band → coefficient."""
    folder.mkdir(parents=True)
    own = {"model_version": "proposal-abuse-20250401", "difficulty_type": difficulty}
    tables: dict[str, list[Texts]] = {
        "risk_coefficients": [
            {**own, "item_code": item, "band_no": band, "coefficient": value} for (item, band), value in points.items()
        ],
        "risk_tiers": [
            {**own, "tier": "high", "tier_rank": "3", "label_ja": "高", "min_score": "11"},
            {**own, "tier": "latent", "tier_rank": "2", "label_ja": "潜", "min_score": "6"},
            {**own, "tier": "low", "tier_rank": "1", "label_ja": "低", "min_score": ""},
        ],
    }
    for table, rows in tables.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    (folder / "report.json").write_text(json.dumps({**REPORT, "difficulty_type": difficulty}), encoding="utf-8")
