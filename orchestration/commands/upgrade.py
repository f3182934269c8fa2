"""``kodomo upgrade``: a home of an earlier version to this one, and back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.language import say, translated
from orchestration.options import JSON

if TYPE_CHECKING:
    from kodomo.home import Home
    from orchestration.operations.upgrade import Upgraded

_STEPS = {
    "backup": "Back up",
    "warehouse": "Migrate the warehouse",
    "entries": "Migrate the entries",
    "metadata": "Migrate Superset's metadata",
    "checks": "Check",
}


def register(app: typer.Typer) -> None:
    """Add ``kodomo upgrade``."""

    @app.command()
    def upgrade(
        backup: Annotated[
            Path | None, typer.Option(help="New folder for the backup (default: beside the home).")
        ] = None,
        landing: Annotated[
            Path | None, typer.Option(help="Run a batch over this folder where the dashboards need a new publication.")
        ] = None,
        back: Annotated[bool, typer.Option("--back", help="Put back what was backed up by the last upgrade.")] = False,
        as_json: JSON = False,
    ) -> None:
        """Back the home up, migrate its databases to this version, check it, and apply Superset. Servers are stopped.

        Where the dashboards of this version read what the publication does not have, a run comes before Superset:
        with --landing it follows, for the date of the publication; without, the command ends by saying so.
        """
        from kodomo.errors import ExitCode, KodomoError, UsageError
        from kodomo.home import Home
        from orchestration.operations import upgrade as operations

        home = Home.from_environment()
        if back and (backup or landing):
            raise UsageError("--back stands alone.")
        if landing is not None and not landing.is_dir():
            raise UsageError("There is no folder {landing}: --landing takes a folder of extracts.", landing=landing)
        if back:
            _go_back(home, as_json)
            return
        done = operations.upgrade(
            home,
            backup.resolve() if backup else None,
            lambda step: None if as_json else typer.echo(f"{translated(_STEPS[step])} …", err=True),
        )
        try:
            applied = _publish_and_apply(home, done, landing, as_json) if done.is_sound else False
        except (KodomoError, typer.Exit):
            # The run or Superset failed; the databases are of this version all the same.
            if not as_json:
                _report(home, done, False)
            raise
        if as_json:
            typer.echo(json.dumps({**operations.as_json(done), "is_applied": applied}, ensure_ascii=False))
        else:
            _report(home, done, applied)
        if not done.is_sound:
            raise typer.Exit(ExitCode.FAILED)


def _publish_and_apply(home: Home, done: Upgraded, landing: Path | None, as_json: bool) -> bool:
    """The run, if it is needed and may be, and then Superset; says whether Superset was applied."""
    from orchestration.operations.upgrade import differences
    from superset_config.security.apply import apply

    if not home.staff.exists():
        return False
    if done.shape:
        if landing is None:
            return False
        _run(home, landing, as_json)
        if differences(home):
            return False
    if not as_json:
        typer.echo(f"{translated('Apply Superset')} …", err=True)
    apply(home)
    return True


def _run(home: Home, landing: Path, as_json: bool) -> None:
    """A batch for the date of the publication in service, today where there is none."""
    from kodomo.clock import today
    from kodomo.faults import FaultError
    from kodomo.watching.vitals import manifest_in_service
    from orchestration.batch import Batch
    from orchestration.batch_display import run_with_progress
    from orchestration.run import run_batch

    try:
        as_of_on = dt.date.fromisoformat(manifest_in_service(home)["as_of_on"])
    except (FaultError, KeyError, TypeError, ValueError):
        as_of_on = today()
    batch = Batch(home, landing.resolve(), as_of_on)
    run_batch(batch) if as_json else run_with_progress(batch)
    if batch.error is not None:
        raise batch.error
    if batch.exit_code:
        raise typer.Exit(batch.exit_code)


def _report(home: Home, done: Upgraded, applied: bool) -> None:
    say(
        "The home is brought from {before} to {after}. The backup is in {folder}.",
        before=done.from_version, after=done.to_version, folder=done.backup,
    )  # fmt: skip
    for name, what in done.migrated.items():
        typer.echo(f"  {translated(_STEPS[name])}: {what}")
    for fault in done.faults:
        typer.secho(f"  {fault.text}", fg="red")
    if not done.is_sound:
        say("Mend this and upgrade again, or go back: `kodomo upgrade --back`.")
        return
    if applied:
        say("Superset is applied. Next: `kodomo serve --detach`.")
    elif not home.staff.exists():
        say("There is no staff list, so Superset was not applied.")
    elif done.shape:
        say(
            "The publication lacks what the dashboards of this version read ({names}). Next, in this order: `kodomo "
            "run`, `kodomo superset apply`, `kodomo serve --detach`.",
            names=", ".join(done.shape[:5]),
        )
    say(
        "The way back is `kodomo upgrade --back`, then kodomo {before} in the place of this one.",
        before=done.from_version,
    )


def _go_back(home: Home, as_json: bool) -> None:
    from orchestration.operations import upgrade as operations

    done = operations.put_back(home)
    if as_json:
        typer.echo(json.dumps(operations.as_json(done), ensure_ascii=False))
        return
    say(
        "The home is as backed up in {folder}. What it was until now, with all that was entered since, is in {aside}.",
        folder=done.backup, aside=done.aside,
    )  # fmt: skip
    say("It belongs to kodomo {version}: put that in the place of this one before you start it.", version=done.version)
    if home.local_settings.with_name("local_settings.py.restored").exists():
        say("The settings of log-in came back as local_settings.py.restored: look at them, then rename the file.")
