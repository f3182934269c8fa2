"""How commands show rows."""

from __future__ import annotations

import io

from rich.console import Console

from orchestration.console import print_table

ROW = {"delivery_id": "20260401-household_history-01", "reason": "a reason of several words " * 9, "rows_read": None}


def _printed(**console: object) -> list[str]:
    file = io.StringIO()
    print_table(Console(file=file, **console), [ROW])  # type: ignore[arg-type]  # rich's own keywords
    return file.getvalue().splitlines()


def test_an_id_is_whole_in_a_narrow_terminal_and_nothing_is_lost() -> None:
    lines = _printed(width=60, force_terminal=True, color_system=None)
    assert any(ROW["delivery_id"] in line for line in lines)
    assert "…" not in "".join(lines)


def test_a_pipe_has_a_line_for_each_row() -> None:
    lines = _printed(width=60, force_terminal=False)
    assert any(ROW["delivery_id"] in line and ROW["reason"].strip() in line for line in lines)
