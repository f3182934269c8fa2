"""``kodomo assess``: individual determination (個別検討)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import json
from typing import Annotated

import typer

from orchestration.options import JSON, Person, ShowProtected, date_option, day


def register(app: typer.Typer) -> None:
    """Add ``kodomo assess``."""

    @app.command()
    def assess(
        person: Person,
        purpose: Annotated[str, typer.Option(help="Why; kept with name and time.")],
        household: Annotated[bool, typer.Option("--household", help="The children of the person's household.")] = False,
        family: Annotated[bool, typer.Option("--family", help="The children within two genogram steps.")] = False,
        observe: Annotated[
            list[str] | None,
            typer.Option(
                help="What was just heard, [PERSON:]CODE[=VALUE]@DATE; PERSON is mother, father or a person id. "
                "May be repeated."
            ),
        ] = None,
        as_of: Annotated[
            dt.datetime | None, date_option("As-of date (基準日); default: that of the last batch.")
        ] = None,
        show_protected: ShowProtected = False,
        as_json: JSON = False,
    ) -> None:
        """Score, tier, contributions, chains, priority, support and what is missing of one child, now.

        By the batch's own SQL over what is in service. What was heard is kept with the determination, and never
        becomes a delivery by itself.
        """
        from kodomo.determination.determination import determine, find
        from kodomo.determination.heard import parse_heard
        from kodomo.determination.record import checked_purpose, keep, lines, without_places
        from kodomo.entries.protection import protected_by_entries
        from kodomo.entries.store import EntryStore
        from kodomo.errors import UsageError
        from kodomo.home import Home
        from kodomo.publication.places import everyone_withheld

        if household and family:
            raise UsageError("Choose --household or --family, not both.")
        purpose = checked_purpose(purpose)
        as_of_on = day(as_of)
        home = Home.from_environment()
        person_id, relatives = find(home, person)
        heard = [parse_heard(text, person_id, relatives) for text in observe or ()]
        scope = "household" if household else "family" if family else "person"
        determination = determine(home, person_id, scope=scope, heard=heard, as_of_on=as_of_on)
        store = EntryStore(home)
        kept_as = keep(store, determination, person_id, purpose, getpass.getuser())
        if not show_protected:
            withheld = everyone_withheld(home, protected_by_entries(store))
            shown = tuple(without_places(child, withheld) for child in determination.children)
            determination = dataclasses.replace(determination, children=shown)
        if as_json:
            output = {"determination_id": kept_as, "purpose": purpose, **dataclasses.asdict(determination)}
            typer.echo(json.dumps(output, ensure_ascii=False, default=str))
        else:
            typer.echo("\n".join([*lines(determination, purpose), "", f"記録番号 {kept_as}"]))
