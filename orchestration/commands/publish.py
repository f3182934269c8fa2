"""``kodomo publish``: what is in service, and back to what was."""

from __future__ import annotations

import getpass
import json
from typing import Annotated

import typer

from orchestration.language import say
from orchestration.options import JSON


def register(app: typer.Typer) -> None:
    """Add ``kodomo publish``."""

    @app.command()
    def publish(
        show: Annotated[bool, typer.Option("--list", help="The publications that are kept, oldest first.")] = False,
        back: Annotated[bool, typer.Option("--rollback", help="Put an earlier publication in service.")] = False,
        accepted: Annotated[
            bool, typer.Option("--accept", help="Accept that children in service are missing from the last build.")
        ] = False,
        reason: Annotated[str, typer.Option(help="Why, with --accept.")] = "",
        run: Annotated[str | None, typer.Argument(help="Which one (default: the one before).")] = None,
        as_json: JSON = False,
    ) -> None:
        """List the publications, go back to an earlier one, or accept a loss that holds the next one.

        Publishing itself is the last step of `kodomo run`.
        """
        from kodomo.errors import UsageError
        from kodomo.home import Home
        from kodomo.publication import list_publications, rollback
        from kodomo.publication.gate import accept

        if show + back + accepted > 1:
            raise UsageError("--list, --rollback or --accept, not several.")
        if reason and not accepted:
            raise UsageError("--reason goes with --accept.")
        if run is not None and not back:
            raise UsageError("A publication is named with --rollback only.")
        home = Home.from_environment()
        if back:
            folder = rollback(home, run)
            if as_json:
                typer.echo(json.dumps({"in_service": folder.name}))
            else:
                say("{name} is in service.", name=folder.name)
            return
        if accepted:
            losses = accept(home, reason, getpass.getuser())
            if as_json:
                typer.echo(json.dumps({"accepted": [str(loss) for loss in losses]}))
                return
            for loss in losses:
                say(
                    {
                        "all": "Accepted: {missing} of the {people} people.",
                        "age": "Accepted: {missing} of the {people} people aged {group}.",
                        "area": "Accepted: {missing} of the {people} people of the area {group}.",
                    }[loss.grouped_by],
                    missing=loss.missing,
                    people=loss.people,
                    group=loss.shown_group,
                )
            say("The next `kodomo run` publishes.")
            return
        publications = list_publications(home)
        if as_json:
            rows = [
                {
                    "name": publication.name,
                    "published_at": publication.published_at,
                    "scopes": len(publication.scopes),
                    "is_current": publication.is_current,
                }
                for publication in publications
            ]
            typer.echo(json.dumps(rows))
            return
        if not publications:
            say("Nothing has been published yet.")
        for publication in publications:
            mark = "*" if publication.is_current else " "
            say(
                "{mark} {name}  {value}  {count} scopes",
                mark=mark,
                name=publication.name,
                value=publication.published_at[:19],
                count=len(publication.scopes),
            )
