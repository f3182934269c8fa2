"""The terms of accounts as they were applied: asked at each request, so that a grant ends on its day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from kodomo.access.accounts import Renewal, read_accounts
from kodomo.access.staff import StaffMember
from kodomo.access.terms import Term, term_of, terms_key
from kodomo.clock import today
from kodomo.errors import KodomoError
from kodomo.home import Home
from superset_config.security.own_tables import grants
from superset_config.server import metadata_uri


def term(username: str) -> Term:
    """The term of an account; one without any where none was applied."""
    from superset import db

    row = db.session.execute(grants.select().where(grants.c.username == username)).first()
    return Term(row.from_on, row.until_on) if row else Term()


def refusal(user: Any) -> str | None:
    """Why an account may not be used today, in Japanese; None where it may."""
    return term(user.username).refusal_ja(today())


def warning_of(username: str) -> tuple[dt.date, int] | None:
    """The last day of a grant and the days until then, once the person is to be warned."""
    try:
        warning_days = read_accounts(Home.from_environment()).renewal.warning_days
    except KodomoError:
        # `kodomo doctor` says what is wrong with the file; no page fails for it.
        return None
    own = term(username)
    days = own.days_left(today(), warning_days)
    return (own.until_on, days) if own.until_on and days is not None else None


def terms(home: Home) -> dict[str, Term]:
    """The terms of all accounts of a home, by user name; none before they are applied."""
    address = metadata_uri(home)
    if address.startswith("sqlite") and not home.superset_metadata.exists():
        return {}
    engine = sa.create_engine(address, poolclass=NullPool)
    if not sa.inspect(engine).has_table(grants.name):
        return {}
    with engine.connect() as connection:
        return {row.username: Term(row.from_on, row.until_on) for row in connection.execute(grants.select())}


def ending(home: Home, day: dt.date) -> dict[str, dt.date]:
    """Accounts whose grant ends within the days of a warning, with its last day, sorted by it.

    None where accounts.yml or the metadata cannot be read: `kodomo doctor` has a finding of its own for each.
    """
    try:
        warning_days, applied = read_accounts(home).renewal.warning_days, terms(home)
    except (KodomoError, SQLAlchemyError):
        return {}
    soon = {
        username: one.until_on
        for username, one in applied.items()
        if one.until_on and one.days_left(day, warning_days) is not None
    }
    return dict(sorted(soon.items(), key=lambda item: (item[1], item[0])))


def set_terms(
    session: Any, renewal: Renewal, staff: Iterable[StaffMember], day: dt.date
) -> tuple[dict[str, Term], list[str]]:
    """Keep the terms of the staff list within a transaction; returns them, and a line for each that has changed.

    A line without dates of its own keeps the end that it was given when it was first applied.
    """
    kept = {row.username: row for row in session.execute(grants.select())}
    wanted: dict[str, Term] = {}
    changed = []
    for member in staff:
        key, row = terms_key(member, renewal), kept.pop(member.username, None)
        if row is not None and row.terms == key:
            wanted[member.username] = Term(row.from_on, row.until_on)
            continue
        new = wanted[member.username] = term_of(member, renewal, day)
        values = {"terms": key, "from_on": new.from_on, "until_on": new.until_on}
        if row is None:
            session.execute(grants.insert().values(username=member.username, **values))
        else:
            session.execute(grants.update().where(grants.c.username == member.username).values(**values))
        before = Term(row.from_on, row.until_on) if row is not None else Term()
        if new != before:
            changed.append(f"account {member.username}: from {new.from_on or '-'} until {new.until_on or '-'}")
    if kept:
        session.execute(grants.delete().where(grants.c.username.in_(sorted(kept))))
    return wanted, changed
