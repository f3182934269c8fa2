"""The truth behind the extracts: who is who, who is whose parent, which chains exist, who became a case."""

from __future__ import annotations

import csv
from pathlib import Path


def write_all(folder: Path, city, planted, say) -> dict[str, int]:
    """Write every truth file."""
    folder.mkdir(parents=True)
    with (folder / "dirty_rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source_id", "file_name", "line_number", "heading", "damage", "expected"])
        writer.writerows([p.source, p.file, p.line, p.heading, p.damage, p.expected] for p in planted)
    return {"dirty_rows": len(planted)}
