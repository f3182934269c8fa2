"""How commands show rows."""

from __future__ import annotations

import io

from rich.console import Console

from orchestration.console import print_table

ROW = {"delivery_id": "20260401-household_history-01", "reason": "a reason of several words " * 9, "rows_read": None}


def _printed(row: dict[str, object] = ROW, **console: object) -> list[str]:
    file = io.StringIO()
    print_table(Console(file=file, **console), [row])  # type: ignore[arg-type]  # rich's own keywords
    return file.getvalue().splitlines()


def test_an_id_is_whole_in_a_narrow_terminal_and_nothing_is_lost() -> None:
    lines = _printed(width=60, force_terminal=True, color_system=None)
    assert any(ROW["delivery_id"] in line for line in lines)
    assert "…" not in "".join(lines)


def test_a_pipe_has_a_line_for_each_row() -> None:
    lines = _printed(width=60, force_terminal=False)
    assert any(ROW["delivery_id"] in line and ROW["reason"].strip() in line for line in lines)


def test_a_value_with_markup_is_shown_as_it_is() -> None:
    names = ["[bold]山田[/bold]", "[/red].csv", "[link=http://example.jp]x[/link]", "<i>山田</i>", ":smile:"]
    lines = _printed({"number": 1, **dict.fromkeys("abcde")} | dict(zip("abcde", names, strict=True)))
    assert all(any(name in line for line in lines) for name in names)
