"""``kodomo explain``: who a person is, and how the warehouse knows."""

from __future__ import annotations

import getpass
import json

import typer

from orchestration.options import JSON, Person, ShowProtected


def register(app: typer.Typer) -> None:
    """Add ``kodomo explain``."""

    @app.command(name="explain")
    def explain_person(
        person: Person,
        show_protected: ShowProtected = False,
        as_json: JSON = False,
    ) -> None:
        """Identities, links with their evidence, family, and chains with their paths, of one person."""
        from kodomo.entries.protection import protected_by_entries
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from kodomo.linkage.explain import describe, explain
        from kodomo.warehouse import connect

        home = Home.from_environment()
        store = EntryStore(home)
        entered = protected_by_entries(store)
        with connect(home, read_only=True) as connection:
            explanation = explain(connection, person, show_protected=show_protected, entered=entered)
        store.note_access(getpass.getuser(), "explain", person_id=explanation["person"]["person_id"])
        typer.echo(
            json.dumps(explanation, ensure_ascii=False, default=str) if as_json else "\n".join(describe(explanation))
        )
