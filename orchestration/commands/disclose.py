"""``kodomo disclose`` and ``kodomo entry``: requests of the person concerned, what became of them, erasure."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from kodomo import clock
from orchestration.language import say
from orchestration.options import JSON, Person


def register(app: typer.Typer) -> None:
    """Add ``kodomo disclose`` and ``kodomo entry list|request|erase``."""
    entry = typer.Typer(no_args_is_help=True, help="What people have typed: list, requests of the person, erase.")
    app.add_typer(entry, name="entry")

    @app.command()
    def disclose(
        person: Person,
        purpose: Annotated[str, typer.Option(help="Why; kept with name and time.")],
        out: Annotated[Path, typer.Option(help="File: .pdf, .html or .json.")],
        dv_authorised: Annotated[
            bool, typer.Option("--dv-authorised", help="You may know the places of people under a support measure.")
        ] = False,
    ) -> None:
        """Everything held on one person, with sources, in one Japanese document (開示請求)."""
        from kodomo.data_subjects.disclosure import as_json, held_on, require_person
        from kodomo.determination.determination import find
        from kodomo.determination.record import checked_purpose
        from kodomo.entries.protection import protected_by_entries
        from kodomo.entries.store import EntryStore
        from kodomo.errors import UsageError
        from kodomo.files import write_atomically
        from kodomo.home import Home
        from kodomo.publication.places import everyone_withheld
        from superset_config.pages.base import printed
        from superset_config.pages.printing import to_pdf

        if out.suffix not in {".pdf", ".html", ".json"}:
            raise UsageError("--out takes a file that ends in .pdf, .html or .json.")
        purpose = checked_purpose(purpose)
        home = Home.from_environment()
        person_id, _ = find(home, person)
        store = EntryStore(home)
        withheld = set() if dv_authorised else everyone_withheld(home, protected_by_entries(store))
        if person_id in withheld:
            raise UsageError(
                "The document tells the place of a person under a support measure, or of the household: it is for "
                "those who are authorised (--dv-authorised, kept in the log)."
            )
        action = "disclosure_document_authorised" if dv_authorised else "disclosure_document"
        store.note_access(getpass.getuser(), action, purpose=purpose, person_id=person_id)
        held = held_on(home, store, person_id, withheld)
        require_person(held)
        html = printed("print_disclosure.html", held=held, made_on=clock.today(), who=getpass.getuser())
        content = {
            ".pdf": lambda: to_pdf(home, html),
            ".html": html.encode,
            ".json": lambda: as_json(held).encode(),
        }[out.suffix]()
        write_atomically(out, content)
        say("What is held is in {out}. Look at what is about other people before it is handed out.", out=out)

    @entry.command("list")
    def list_entries(
        form: Annotated[str | None, typer.Option(help="Only this form.")] = None, as_json: JSON = False
    ) -> None:
        """Records with form, version, who and when, and what runs made of them; not what is in them."""
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from orchestration.console import show

        store = EntryStore(Home.from_environment())
        effects = store.effects()
        rows = [
            {
                "record_id": version.record_id,
                "form": version.form,
                "version": version.version,
                "entered_by": version.entered_by,
                "entered_at": version.entered_at.isoformat(timespec="seconds"),
                "is_deleted": version.is_deleted,
                "outcome": outcome,
                "message": message,
            }
            for version in store.current(form, with_deleted=True)
            for outcome, message in [effects.get((version.record_id, version.version), (None, None))]
        ]
        show(rows, as_json)

    @entry.command()
    def request(
        person: Person,
        kind: Annotated[str, typer.Option(help="disclosure, correction or deletion.")],
        about: Annotated[str, typer.Option(help="What is asked for.")],
        requested_on: Annotated[str, typer.Option(help="Date of the request.")],
        outcome: Annotated[str, typer.Option(help="accepted, partly, refused or passed_on; empty: not yet.")] = "",
        data_source: Annotated[str, typer.Option(help="Source concerned (its id), or all.")] = "",
        reason: Annotated[str, typer.Option(help="What was done, or why not.")] = "",
        answered_on: Annotated[str, typer.Option(help="Date of the answer.")] = "",
    ) -> None:
        """Record a request of the person concerned; the next run carries out a deletion that was granted."""
        from kodomo.data_subjects.person_requests import FORM, refused_by_law
        from kodomo.determination.determination import find
        from kodomo.entries.forms import require_right
        from kodomo.entries.store import EntryStore
        from kodomo.errors import UsageError
        from kodomo.home import Home

        home = Home.from_environment()
        person_id, _ = find(home, person)
        content = require_right(
            FORM,
            {
                "requested_on": requested_on,
                "request": kind,
                "about": about,
                "outcome": outcome,
                "data_source": data_source,
                "outcome_reason": reason,
                "answered_on": answered_on,
            },
        )
        if wrong := refused_by_law(content):
            raise UsageError("\n".join(wrong.values()))
        kept = EntryStore(home).create(FORM, content, by=getpass.getuser(), department="child", person_id=person_id)
        say("Recorded as {record_id}.", record_id=kept.record_id)

    @entry.command()
    def erase(
        record_id: Annotated[str, typer.Argument(help="Id of the record, as `kodomo entry list` shows it.")],
        reason: Annotated[str, typer.Option(help="Why; kept with name and time.")],
    ) -> None:
        """Take away for good what a record says, in every version; the next run takes it from the warehouse too."""
        from kodomo.entries.store import EntryStore
        from kodomo.errors import UsageError
        from kodomo.home import Home

        if not reason.strip():
            raise UsageError("Erasing needs its reason: --reason TEXT.")
        emptied = EntryStore(Home.from_environment()).erase(record_id, by=getpass.getuser(), reason=reason)
        say("{emptied} versions are empty. The next run takes it from the warehouse.", emptied=emptied)
