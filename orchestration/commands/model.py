"""``kodomo model …``: definitions of risk as data: checked, tried, judged, approved."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kodomo import clock
from orchestration.language import language, say, translated
from orchestration.options import JSON, date_option, day

if TYPE_CHECKING:
    from kodomo.home import Home
    from kodomo.workshop.in_force import DefinitionStore

DEFINITION = Annotated[
    Path | None, typer.Option("--definition", help="Folder of a definition; default: the one in force in this home.")
]
BY = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]
REASON = Annotated[str, typer.Option("--reason", help="Why.")]


def in_force(home: Home) -> DefinitionStore:
    """The definition in force of a home."""
    from kodomo.entries.store import EntryStore
    from kodomo.workshop.in_force import DefinitionStore

    return DefinitionStore(EntryStore(home))


def register(app: typer.Typer) -> None:
    """Add ``kodomo model`` and its commands."""
    model = typer.Typer(no_args_is_help=True, help="Definitions of risk: check, evidence, proposal, versions.")
    app.add_typer(model, name="model")

    @model.command()
    def check(
        folder: Annotated[Path, typer.Argument(help="Folder with the risk_*.csv of a definition.")],
        as_of: Annotated[dt.datetime | None, date_option("Date on which data items must be approved.")] = None,
        as_json: JSON = False,
    ) -> None:
        """Name every mistake of a definition, with file, line and what to do. Exit code 1 when there is one."""
        from kodomo.scoring.definition import check as find_mistakes
        from kodomo.scoring.definition import read_definition
        from kodomo.scoring.legal_basis import observation_obstacles

        as_of_on = day(as_of) or clock.today()
        definition = read_definition(folder)
        mistakes = find_mistakes(definition, observation_obstacles(as_of_on))
        if as_json:
            names = ("file", "line", "column", "message", "is_fatal")
            listed = [{name: getattr(mistake, name) for name in names} for mistake in mistakes]
            typer.echo(json.dumps({"mistakes": listed}, ensure_ascii=False))
        else:
            for mistake in mistakes:
                typer.secho(mistake.in_language(language()), fg="red" if mistake.is_fatal else "yellow")
            if not mistakes:
                items, versions = definition["risk_items"], definition["risk_model_versions"]
                say("No mistakes: {count} items, {count_2} versions.", count=len(items), count_2=len(versions))
        raise typer.Exit(1 if mistakes else 0)

    @model.command()
    def evidence(
        as_of: Annotated[
            dt.datetime | None, date_option("Date at which features are frozen; default: 12 months before the build.")
        ] = None,
        definition: Annotated[
            Path | None, typer.Option(help="Folder of a definition to judge; default: that of the last build.")
        ] = None,
        out: Annotated[Path | None, typer.Option(help="Folder for all rows as CSV.")] = None,
        as_json: JSON = False,
    ) -> None:
        """What every item band, and every pair of them, says about becoming a case in the 12 months after a date."""
        from kodomo.evaluation.evidence import as_text
        from kodomo.evaluation.evidence import evidence as find_evidence
        from kodomo.home import Home

        result = find_evidence(Home.from_environment(), day(as_of), definition, out)
        for warning in result.warnings:
            say("Warning: {warning}", warning=warning, fg="yellow", err=True)
        typer.echo(
            json.dumps(dataclasses.asdict(result), ensure_ascii=False, default=str)
            if as_json
            else as_text(result, translated)
        )

    @model.command()
    def propose(
        difficulty: Annotated[str, typer.Argument(help="Difficulty type: abuse, poverty, truancy …")],
        out: Annotated[Path, typer.Option(help="New folder for the proposed definition and its report.")],
        as_of: Annotated[
            list[dt.datetime] | None,
            date_option("Date at which features are frozen; several are pooled. Default: 12, 24 and 36 months ago."),
        ] = None,
        definition: Annotated[
            Path | None, typer.Option(help="Folder with the items to choose from; default: those of the last build.")
        ] = None,
        capacity: Annotated[int | None, typer.Option(min=1, help="Children that the gravest tier shall hold.")] = None,
        may_lower: Annotated[
            bool, typer.Option("--may-lower", help="Points below 0 as well, for bands that seem to protect.")
        ] = False,
        as_json: JSON = False,
    ) -> None:
        """Propose integer coefficients from past cases, as a definition to look at. Nothing is applied."""
        from kodomo.evaluation.proposal import as_text
        from kodomo.evaluation.proposal import propose as make_proposal
        from kodomo.home import Home

        dates = [moment.date() for moment in as_of or []]
        home = Home.from_environment()
        proposal = make_proposal(
            home,
            difficulty,
            out,
            dates,
            definition,
            capacity,
            may_lower=may_lower,
            translated=translated,
            present=in_force(home).folder(),
        )
        for warning in proposal.warnings:
            say("Warning: {warning}", warning=warning, fg="yellow", err=True)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(proposal), ensure_ascii=False, default=str))
        else:
            typer.echo(as_text(proposal, translated) + "\n")
            say("Written to {out}: look at it with `kodomo score --definition {out}`.", out=out)

    @model.command()
    def draft(
        name: Annotated[str, typer.Argument(help="Name of the draft, as the page of the model has it.")],
        out: Annotated[Path, typer.Option(help="New folder for the definition.")],
    ) -> None:
        """Write a draft of the page of the model as the files of a definition: to score, approve or keep."""
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from kodomo.workshop.drafts import DraftStore, write_definition

        found = DraftStore(EntryStore(Home.from_environment())).named(name)
        write_definition(found, out)
        say("Draft {name}, version {version}, is in {out}.", name=name, version=found.version, out=out)

    @model.command()
    def card(
        version: Annotated[str, typer.Argument(help="Version of the definition in force, or a past one.")],
        output: Annotated[Path, typer.Option(help="File: .pdf or .html.")],
        public: Annotated[bool, typer.Option("--public", help="Without small numbers, to be published.")] = False,
    ) -> None:
        """Write the card of a version (モデルカード), as the page of the model has it."""
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from kodomo.workshop.drafts import DraftStore
        from orchestration.documents import require_suffix, write_document
        from superset_config.pages.views.models import printed_card

        require_suffix(output)
        home = Home.from_environment()
        write_document(home, output, printed_card(home, DraftStore(EntryStore(home)), version, is_public=public))
        say("The card of {version} is in {output}.", version=version, output=output)

    @model.command()
    def approve(
        version: Annotated[str, typer.Argument(help="Version to approve.")],
        by: Annotated[str, typer.Option("--by", help="Name of the person who approves.")],
        reason: Annotated[str, typer.Option(help="Why.")],
        on: Annotated[dt.datetime | None, date_option("Date from which it is in force; default: today.")] = None,
        trial: Annotated[bool, typer.Option("--trial", help="As a trial version, beside the active one.")] = False,
        replaces: Annotated[
            list[str] | None, typer.Option("--replaces", help="Active version that ends the day before; repeatable.")
        ] = None,
        definition: DEFINITION = None,
    ) -> None:
        """Approve a version: it is in force from then on, and may not be changed any more."""
        import getpass

        from kodomo.errors import UsageError
        from kodomo.home import Home
        from kodomo.scoring.versions import approve as approve_version
        from kodomo.workshop.in_force import Approval

        date = day(on) or clock.today()
        if definition is not None:
            if replaces:
                raise UsageError("--replaces is for the definition in force of this home: leave out --definition.")
            digest = approve_version(definition, version, by, reason, date, as_trial=trial)
        else:
            approval = Approval(by, reason, getpass.getuser(), date, trial, tuple(replaces or ()))
            digest = in_force(Home.from_environment()).approve(version, approval)
        say(
            "{version} is on trial; hash {digest}." if trial else "{version} is active; hash {digest}.",
            version=version,
            digest=digest[:12],
        )

    @model.command()
    def retire(
        version: Annotated[str, typer.Argument(help="Version to take out of force.")],
        on: Annotated[dt.datetime | None, date_option("Last day; default: today.")] = None,
        by: Annotated[str, typer.Option("--by", help="Name of the person who decides; needed in a home.")] = "",
        reason: Annotated[str, typer.Option(help="Why; needed in a home.")] = "",
        definition: DEFINITION = None,
    ) -> None:
        """Retire a version: later runs score it no more, its past scores stay."""
        import getpass

        from kodomo.home import Home
        from kodomo.scoring.versions import retire as retire_version

        last_on = day(on) or clock.today()
        if definition is not None:
            retire_version(definition, version, last_on)
        else:
            store = in_force(Home.from_environment())
            store.retire(version, last_on, person=by, reason=reason, by=getpass.getuser())
        say("{version} is retired.", version=version)

    @model.command()
    def cancel(
        version: Annotated[str, typer.Argument(help="Approved version that has not begun.")],
        by: BY,
        reason: REASON,
    ) -> None:
        """Take back the approval of a version before it begins; those that it was to replace go on."""
        import getpass

        from kodomo.home import Home

        store = in_force(Home.from_environment())
        resumed = store.cancel(version, person=by, reason=reason, by=getpass.getuser())
        say("The approval of {version} is taken back.", version=version)
        for other in resumed:
            say("{version} goes on.", version=other)

    @model.command("export")
    def export_definition(
        out: Annotated[Path, typer.Argument(help="New folder for the risk_*.csv of the definition.")],
        on: Annotated[
            dt.datetime | None,
            date_option("As it is in force on an as-of date; default: with what has yet to begin and what has ended."),
        ] = None,
    ) -> None:
        """Write the definition in force as a folder of CSV: to check, keep, or import into another home."""
        from kodomo.home import Home
        from kodomo.workshop.rows import read_texts, write_texts

        store = in_force(Home.from_environment())
        date = day(on)
        texts = read_texts(store.folder_on(date) if date else store.folder())
        write_texts(texts, out)
        count = sum(place.table == "risk_model_versions" for place in texts)
        say("The definition in force with {count} versions is in {out}.", count=count, out=out)

    @model.command("import")
    def import_definition(
        folder: Annotated[Path, typer.Argument(help="Folder with the risk_*.csv of a definition.")],
        by: BY,
        reason: REASON,
    ) -> None:
        """Lay a folder of CSV over the definition in force. A version that is scored here stays as it is.

        Of a proposal only the version itself: its items are those of the definition in force.
        """
        import getpass

        from kodomo.home import Home
        from kodomo.workshop.proposals import groups_that_cut_a_proposal

        store = in_force(Home.from_environment())
        changes = store.take_in(folder, person=by, reason=reason, by=getpass.getuser())
        for version, groups in groups_that_cut_a_proposal(folder, store.texts()).items():
            say(
                "{version} was fitted without groups; these may take points away from it: {groups}.",
                version=version,
                groups=", ".join(groups),
            )
        for change in changes:
            if change.action == "approved":
                say("{version} is in force ({status}).", version=change.model_version, status=change.status)
            elif change.action == "retired":
                say("{version} ends on {date}.", version=change.model_version, date=change.on_date)
        say("{folder} was imported: the next run scores by it.", folder=folder)

    @model.command("recall")
    def recall_version(
        version: Annotated[str, typer.Argument(help="Version whose fault was found.")],
        reason: Annotated[str, typer.Option(help="The fault; stands in the document and is kept in the log.")],
        out: Annotated[Path, typer.Option(help="File: .pdf, .html or .json.")],
        show_protected: Annotated[
            bool, typer.Option(help="Names of people under a support measure (支援措置) too: for those authorised.")
        ] = False,
    ) -> None:
        """Every child whose tier, place on a list, decision or support rested on a version, as a document (回収)."""
        import getpass

        from kodomo.entries.protection import protected_by_entries
        from kodomo.entries.store import EntryStore
        from kodomo.errors import UsageError
        from kodomo.files import write_atomically
        from kodomo.home import Home
        from kodomo.parameters import labels
        from kodomo.publication.places import everyone_withheld
        from kodomo.scoring.recall import KINDS, recall
        from kodomo.seeds import read_seed
        from superset_config.pages.base import printed
        from superset_config.pages.printing import to_pdf

        if out.suffix not in {".pdf", ".html", ".json"}:
            raise UsageError("--out takes a file that ends in .pdf, .html or .json.")
        if not reason.strip():
            raise UsageError("A recall needs a reason: --reason.")
        home = Home.from_environment()
        done = recall(home, version)
        store = EntryStore(home)
        withheld = set() if show_protected else everyone_withheld(home, protected_by_entries(store))
        store.note_access(
            getpass.getuser(), "model_recall", purpose=reason.strip(), version=version, shown=sorted(done.children)
        )
        if out.suffix == ".json":
            content = json.dumps(dataclasses.asdict(done), ensure_ascii=False, default=str).encode()
        else:
            difficulties = {row["difficulty_type"]: row["label_ja"] for row in read_seed("difficulty_types")}
            html = printed(
                "print_recall.html", recall=done, reason=reason.strip(), withheld=withheld, on=clock.today(),
                who=getpass.getuser(), difficulty_labels=difficulties,
                tier_labels=labels("tier"),
                decision_labels=labels("decision"),
            )  # fmt: skip
            content = to_pdf(home, html) if out.suffix == ".pdf" else html.encode()
        write_atomically(out, content)
        tiers, places, decisions, supports = (done.count(kind) for kind in KINDS)
        say(
            "{version} touched {children} children: tiers of {tiers}, places on lists of {places}, decisions about "
            "{decisions}, support of {supports}. The document is in {out}.",
            version=version, children=len(done.children), tiers=tiers, places=places, decisions=decisions,
            supports=supports, out=out,
        )  # fmt: skip

    @model.command()
    def diff(
        before: Annotated[str, typer.Argument(help="Version or draft.")],
        after: Annotated[str, typer.Argument(help="Version or draft that would replace it.")],
        out: Annotated[Path | None, typer.Option(help="CSV of who changes tier.")] = None,
        as_json: JSON = False,
    ) -> None:
        """Who changes tier between two versions or drafts over the last build, and why, by area and age."""
        from kodomo.entries.store import EntryStore
        from kodomo.home import Home
        from kodomo.scoring.comparison import as_text
        from kodomo.scoring.rescore import diff_versions
        from kodomo.workshop.drafts import DraftStore

        home = Home.from_environment()
        present = DraftStore(EntryStore(home)).folder_with([before, after])
        comparison = diff_versions(home, before, after, out, present)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(comparison), ensure_ascii=False, default=str))
        else:
            typer.echo(as_text(comparison, translated))

    @model.command()
    def replay(
        as_of: Annotated[dt.datetime | None, date_option("As-of date of the run: the last run for it.")] = None,
        run_id: Annotated[str | None, typer.Option("--run", help="Id of the run.")] = None,
        out: Annotated[Path | None, typer.Option(help="Folder for the rows.")] = None,
        as_json: JSON = False,
    ) -> None:
        """Do a past run again from its deliveries and its definition. Exit code 1 when a row on record differs."""
        from kodomo.errors import UsageError
        from kodomo.home import Home
        from kodomo.scoring.rescore import replay as replay_run

        if as_of is None and run_id is None:
            raise UsageError("Say which run: --as-of DATE or --run ID.")
        done = replay_run(Home.from_environment(), run_id=run_id, as_of_on=day(as_of), out=out)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(done), default=str))
        else:
            states = {
                None: translated("a later run has taken its place on record"),
                0: translated("the rows on record are the same"),
            }
            differ = translated("{count} rows on record differ", count=done.differing_rows)
            say(
                "{run_id} as of {as_of_on}: {scores} scores; {state}.",
                run_id=done.run.run_id,
                as_of_on=done.run.as_of_on,
                scores=done.scores,
                state=states.get(done.differing_rows, differ),
            )
        raise typer.Exit(1 if done.differing_rows else 0)
