"""``kodomo link``: what waits for a person, pairs and contradictions, and what people decide."""

from __future__ import annotations

import getpass
import json
from typing import Annotated

import typer

from orchestration.language import say, translated
from orchestration.options import JSON, ShowProtected


def register(app: typer.Typer) -> None:
    """Add ``kodomo link review``, ``contradictions``, ``decide`` and ``undo``."""
    link = typer.Typer(no_args_is_help=True, help="Record linkage: review pairs, decide, undo.")
    app.add_typer(link, name="link")

    @link.command()
    def review(
        show_protected: ShowProtected = False,
        as_json: JSON = False,
    ) -> None:
        """The pairs between the thresholds, side by side, with the evidence per attribute."""
        from kodomo.entries.protection import protected_by_entries
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from kodomo.linkage.pairs import describe_pairs, pairs_to_review
        from kodomo.warehouse import connect

        home = Home.from_environment()
        store = EntryStore(home)
        entered = protected_by_entries(store)
        with connect(home, read_only=True) as connection:
            pairs = pairs_to_review(connection, show_protected=show_protected, entered=entered)
        shown = sorted({pair["person_id"] for pair in pairs})
        store.note_access(getpass.getuser(), "link_review_list", shown=shown)
        if as_json:
            typer.echo(json.dumps(pairs, ensure_ascii=False, default=str))
            return
        if not pairs:
            say("No pair waits for a decision.")
            return
        typer.echo("\n".join(describe_pairs(pairs)))
        say("Decide: kodomo link decide SOURCE KEY --person ID --by NAME --reason TEXT [--separate]")

    @link.command(name="contradictions")
    def list_contradictions(
        as_json: JSON = False,
    ) -> None:
        """What the sources say of families that cannot all be true: to settle with the holders."""
        from kodomo.home import Home
        from kodomo.linkage.contradictions import contradictions, describe_contradiction
        from kodomo.warehouse import connect

        with connect(Home.from_environment(), read_only=True) as connection:
            rows = contradictions(connection)
        if as_json:
            typer.echo(json.dumps(rows, ensure_ascii=False))
        else:
            typer.echo("\n".join(describe_contradiction(row) for row in rows) or translated("Nothing contradicts."))

    @link.command()
    def decide(
        source: Annotated[str, typer.Argument(help="Source, such as school_enrolment.")],
        key: Annotated[str, typer.Argument(help="The source's own number of the record.")],
        by: Annotated[str, typer.Option(help="Who decides.")],
        reason: Annotated[str, typer.Option(help="Why.")],
        person: Annotated[str, typer.Option(help="The person it is; with --separate, whom it is not.")] = "",
        separate: Annotated[
            bool, typer.Option("--separate", help="Not this person; without --person, no person of the register.")
        ] = False,
    ) -> None:
        """Say who a record is. The next run follows it, and the machine never overturns it."""
        from kodomo.home import Home
        from kodomo.linkage.explain import ATENA_WIDTH
        from kodomo.linkage.reviews import append_decision

        person_id = person.zfill(ATENA_WIDTH) if person.isdigit() else person
        append_decision(Home.from_environment(), by, source, key, "separate" if separate else "link", person_id, reason)
        say("Recorded. It takes effect with the next run.")

    @link.command()
    def undo(
        source: Annotated[str, typer.Argument(help="Source, such as school_enrolment.")],
        key: Annotated[str, typer.Argument(help="The source's own number of the record.")],
        by: Annotated[str, typer.Option(help="Who takes it back.")],
        reason: Annotated[str, typer.Option(help="Why.")],
    ) -> None:
        """Take back the last decision about a record: it stays on file, and counts no more."""
        from kodomo.home import Home
        from kodomo.linkage.reviews import append_decision

        append_decision(Home.from_environment(), by, source, key, "undo", "", reason)
        say("Recorded. It takes effect with the next run.")
