"""Rows that a command shows: as a table for people, as JSON for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from orchestration.language import translated

if TYPE_CHECKING:
    from rich.console import Console

# A pipe has no width of its own: rows longer than this would be cut.
WIDTH_OF_A_PIPE = 10_000


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Rows as JSON, or as a table for people."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    from rich.console import Console

    print_table(Console(), rows)


def print_table(console: Console, rows: list[dict[str, Any]]) -> None:
    """A table on the console: the first column stays in one line, what does not fit is folded, nothing is cut.

    Values are shown as they are: what looks like rich's markup (``[bold]``) is text.
    """
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(
        *(
            Column(translated(name), overflow="fold", no_wrap=place == 0)
            for place, name in enumerate(rows[0] if rows else ())
        )
    )
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    if not console.is_terminal:
        console.width = WIDTH_OF_A_PIPE
    console.print(table if rows else translated("None."))
