"""Stands in for dbt's ``adapter`` where sqlfluff renders models with plain Jinja, without a project or a database."""

from __future__ import annotations

from collections.abc import Callable


def dispatch(name: str, _package: str | None = None) -> Callable[..., str]:
    """A macro that renders as a call of a function of its own name: enough for the shape of a statement."""
    return lambda *arguments, **options: f"{name}({', '.join(map(str, [*arguments, *options.values()]))})"
