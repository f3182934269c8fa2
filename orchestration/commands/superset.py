"""``kodomo superset``: bring Superset to what the files and the staff list say."""

from __future__ import annotations

import getpass
import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import typer

from orchestration.language import say, translated
from orchestration.options import JSON

_KINDS = {
    "dashboard": r".*: (made|changed|deleted)",
    "role": r"role \S+: (made|deleted)",
    "permission": r"role .* (given|taken)",
    "rule": r"rule .*: (made|changed|deleted)",
    "chart": r"account \S+: own (?:charts|dashboards) (deleted).*",
    "account": r"account \S+: (made|roles|name changed|activated|deactivated|from).*",
}


def summary(lines: Iterable[str]) -> list[str]:
    """Changes of ``apply`` counted by what they concern: at most ten lines, however many the changes are."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in [*_KINDS, "file"]}
    for line in lines:
        kind, match = next(
            ((kind, match) for kind in ("role", "permission", "rule", "chart", "account", "dashboard")
             if (match := re.fullmatch(_KINDS[kind], line))),
            ("file", None),
        )  # fmt: skip
        counts[kind][match[1] if match else "written"] += 1
    return [
        f"{translated(kind + 's'):<12} "
        + ", ".join(
            translated("{count} {verb}", count=count, verb=translated(verb)) for verb, count in sorted(verbs.items())
        )
        for kind, verbs in counts.items()
        if verbs
    ]


def register(app: typer.Typer) -> None:
    """Add ``kodomo superset apply`` and ``kodomo superset staff``."""
    group = typer.Typer(help="Accounts, roles, rules and dashboards of Superset.", no_args_is_help=True)
    app.add_typer(group, name="superset")

    @group.command()
    def apply(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
        verbose: Annotated[bool, typer.Option("--verbose", help="Print every change, not their counts.")] = False,
        as_json: JSON = False,
    ) -> None:
        """Apply dashboards, roles, rules and the staff list, in one transaction."""
        from kodomo.home import Home
        from superset_config.security.apply import apply as apply_all
        from superset_config.security.metadata import upgrade

        home = Home.from_environment()
        upgrade(home)
        lines = apply_all(home, dry_run=dry_run)
        if as_json:
            typer.echo(json.dumps({"changes": lines, "dry_run": dry_run}, ensure_ascii=False))
            return
        for line in lines if verbose else summary(lines):
            typer.echo(line)
        if not lines:
            say("Everything is as the files say.")
        elif dry_run:
            say("{count} changes would be made.", count=len(lines))
        else:
            say("{count} changes made.", count=len(lines))

    @group.command("reset-factor")
    def reset_factor(
        username: Annotated[str, typer.Argument(help="The account.")],
        reason: Annotated[str, typer.Option(help="Why, and how it is known who asks.")],
    ) -> None:
        """Forget the second factor of an account, which enrols anew at its next log-in."""
        from kodomo.entries.store import EntryStore
        from kodomo.errors import KodomoError, UsageError
        from kodomo.home import Home
        from superset_config.security.factor import RESET, stored_factors

        if not reason.strip():
            raise UsageError("A reset needs its reason: --reason TEXT.")
        home = Home.from_environment()
        with stored_factors(home) as factors:
            if not factors.reset(username):
                raise KodomoError("{username} has no second factor.", username=username)
        EntryStore(home).note_access(getpass.getuser(), RESET, purpose=reason.strip(), account=username)
        say("The second factor of {username} is forgotten.", username=username)

    @group.command()
    def staff(
        demo: Annotated[bool, typer.Option("--demo", help="Put the demo's staff list into the home.")] = False,
    ) -> None:
        """Show the staff list with the scope that each line gives."""
        from kodomo.access.access import read_access
        from kodomo.access.staff import read_staff
        from kodomo.access.terms import Term
        from kodomo.home import Home
        from superset_config.security.apply import use_demo_staff
        from superset_config.security.grants import terms

        home = Home.from_environment()
        if demo:
            done = use_demo_staff(home)
            say("The demo's staff list is in place." if done else "There is a staff list already; it stays.")
            return
        applied = terms(home)
        for member in read_staff(home.staff, read_access()):
            term = applied.get(member.username, Term(member.from_on, member.until_on))
            days = [f"from {term.from_on}"] if term.from_on else []
            days += [f"until {term.until_on}"] if term.until_on else []
            typer.echo("  ".join([member.username, member.scope.key, *(["admin"] if member.is_admin else []), *days]))
