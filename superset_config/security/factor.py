"""The second factor: a code of the time (TOTP, RFC 6238) after the password, for accounts that accounts.yml names.

Kept for each account: the secret, encrypted with the home's key and bound to the account; the last step of time
that was used, so that a code counts once; recovery codes as keyed digests. None of them is logged or shown again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyotp
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from kodomo.access.accounts import Concerned, read_accounts
from kodomo.access.scope import Scope
from kodomo.clock import now_utc
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.keys import read_or_make_key
from superset_config.security.own_tables import factors
from superset_config.server import metadata_uri

STEP_SECONDS = 30
STEPS_APART = (0, -1, 1)
"""A phone's clock may be a step before or after the server's."""
RECOVERY_CODES = 8
RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_LENGTH = 12
RESET = "factor_reset"
"""The action that is kept of a reset."""


@dataclass(frozen=True)
class Factor:
    """What is kept of an account. ``mark``: of one enrolment; a session that was let in by another one ends."""

    username: str
    secret: str
    mark: str
    is_confirmed: bool
    recovery_left: int


class Factors:
    """The second factors of a home, in Superset's metadata. ``session``: SQLAlchemy's, committed at each change."""

    def __init__(self, home: Home, session: Any) -> None:
        self._session = session
        key = read_or_make_key(home.factor_key).encode()
        self._cipher = AESSIV(hmac.digest(key, b"secrets", hashlib.sha512))
        self._recovery_key = hmac.digest(key, b"recovery codes", hashlib.sha256)

    def of(self, username: str) -> Factor | None:
        """What is kept of an account; None where nothing is."""
        row = self._session.execute(factors.select().where(factors.c.username == username)).first()
        if row is None:
            return None
        try:
            secret = self._cipher.decrypt(bytes.fromhex(row.secret), [username.encode()]).decode()
        except (InvalidTag, ValueError):
            # Of another key or account: no code fits, and only a reset lets the account enrol anew.
            secret = ""
        left = len(json.loads(row.recovery))
        return Factor(username, secret, row.mark, row.confirmed_at is not None, left)

    def begin(self, username: str) -> Factor:
        """A factor to be confirmed by its first code; the same one until it is."""
        if (factor := self.of(username)) is not None:
            return factor
        secret, mark = pyotp.random_base32(), secrets.token_hex(16)
        sealed = self._cipher.encrypt(secret.encode(), [username.encode()]).hex()
        self._session.execute(factors.delete().where(factors.c.username == username))
        self._session.execute(factors.insert().values(username=username, secret=sealed, mark=mark, recovery="[]"))
        self._session.commit()
        return Factor(username, secret, mark, False, 0)

    def confirm(self, username: str, code: str) -> list[str] | None:
        """Confirm a new factor by a code; its recovery codes, to be shown once, or None for a wrong code."""
        factor = self.of(username)
        if factor is None or factor.is_confirmed or not self._take_step(factor, code):
            return None
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        self._update(
            username, confirmed_at=now_utc(), recovery=json.dumps([self._digest(username, one) for one in codes])
        )
        return codes

    def accept(self, username: str, code: str) -> bool:
        """Whether a code of the time is right and was not used before; it is used then."""
        factor = self.of(username)
        return factor is not None and factor.is_confirmed and self._take_step(factor, code)

    def accept_recovery(self, username: str, code: str) -> bool:
        """Whether a recovery code is right; it is used up then."""
        digest = self._digest(username, code.strip().lower().replace("-", "").replace(" ", ""))
        factor = self.of(username)
        if factor is None or not factor.is_confirmed:
            return False
        row = self._session.execute(factors.select().where(factors.c.username == username)).first()
        left = [one for one in json.loads(row.recovery) if not hmac.compare_digest(one, digest)]
        if len(left) == len(json.loads(row.recovery)):
            return False
        # Of two requests with one code, one finds the list as it read it.
        return self._update(username, factors.c.recovery == row.recovery, recovery=json.dumps(left))

    def reset(self, username: str) -> bool:
        """Forget the factor of an account, which enrols anew at its next log-in; whether there was one."""
        done = self._session.execute(factors.delete().where(factors.c.username == username)).rowcount
        self._session.commit()
        return bool(done)

    def _take_step(self, factor: Factor, code: str) -> bool:
        """Use up the step of time that a code is for, and those before it."""
        if not factor.secret:
            return False
        totp, now = pyotp.TOTP(factor.secret, interval=STEP_SECONDS), int(time.time()) // STEP_SECONDS
        given = "".join(code.split())
        for step in (now + apart for apart in STEPS_APART):
            if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode()):
                is_new = factors.c.last_step.is_(None) | (factors.c.last_step < step)
                return self._update(factor.username, is_new, factors.c.mark == factor.mark, last_step=step)
        return False

    def _update(self, username: str, *conditions: Any, **values: Any) -> bool:
        query = factors.update().where(factors.c.username == username, *conditions).values(**values)
        changed = self._session.execute(query).rowcount
        self._session.commit()
        return changed == 1

    def _digest(self, username: str, code: str) -> str:
        return hmac.new(self._recovery_key, f"{username}\0{code}".encode(), hashlib.sha256).hexdigest()


def _recovery_code() -> str:
    return "".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH))


def factors_of_request() -> Factors:
    """The factors of the home that Superset runs over."""
    from superset import db

    return Factors(Home.from_environment(), db.session)


@contextmanager
def stored_factors(home: Home) -> Iterator[Factors]:
    """The factors of a home, without the application."""
    with Session(sa.create_engine(metadata_uri(home), poolclass=NullPool)) as session:
        yield Factors(home, session)


def is_required(security_manager: Any, user: Any) -> bool:
    """Whether an account needs the second factor, by its roles at this moment."""
    roles = {role.name for role in security_manager.get_user_roles(user)}
    try:
        concerned = read_accounts(Home.from_environment()).second_factor
    except KodomoError:
        # A file that is not understood must not let people in with less.
        concerned = Concerned(everyone=True)
    return concerned.includes(Scope.from_roles(roles), "admin" in roles)
