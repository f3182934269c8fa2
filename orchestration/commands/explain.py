"""``kodomo explain``: who a person is, and how the warehouse knows."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from orchestration.options import JSON, Person


def register(app: typer.Typer) -> None:
    """Add ``kodomo explain``."""

    @app.command(name="explain")
    def explain_person(
        person: Person,
        show_protected: Annotated[
            bool, typer.Option(help="Tell names and places of people under a support measure (支援措置) too.")
        ] = False,
        as_json: JSON = False,
    ) -> None:
        """Identities, links with their evidence, family, and chains with their paths, of one person."""
        from kodomo.home import Home
        from kodomo.linkage.explain import describe, explain
        from kodomo.warehouse import connect

        with connect(Home.from_environment(), read_only=True) as connection:
            explanation = explain(connection, person, show_protected=show_protected)
        typer.echo(
            json.dumps(explanation, ensure_ascii=False, default=str) if as_json else "\n".join(describe(explanation))
        )
