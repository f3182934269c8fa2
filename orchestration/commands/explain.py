"""``kodomo explain``: who a person is, and how the warehouse knows."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add ``kodomo explain``."""

    @app.command(name="explain")
    def explain_person(
        person: Annotated[str, typer.Argument(help="A person id, a 宛名番号, or source_id:source_key.")],
        show_protected: Annotated[
            bool, typer.Option(help="Tell names and places of people under a support measure (支援措置) too.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    ) -> None:
        """Identities, links with their evidence, family, and chains with their paths, of one person."""
        from kodomo.home import Home
        from kodomo.linkage.explain import describe, explain
        from kodomo.warehouse import connect

        with connect(Home.from_environment(), read_only=True) as connection:
            found = explain(connection, person, show_protected=show_protected)
        typer.echo(json.dumps(found, ensure_ascii=False, default=str) if as_json else "\n".join(describe(found)))
