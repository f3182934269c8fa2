"""The second factor: a code counts once, recovery codes once each, and nothing is kept that lets anybody in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from kodomo.home import Home
from superset_config.security.factor import STEP_SECONDS, Factors
from superset_config.security.own_tables import factors as table
from superset_config.security.own_tables import metadata

NOW = 1_800_000_000


@pytest.fixture
def session() -> Iterator[Session]:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with Session(engine) as session:
        yield session


@pytest.fixture
def factors(tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> Factors:
    monkeypatch.setattr(time, "time", lambda: NOW)
    return Factors(Home(tmp_path), session)


def code_of(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(NOW + steps * STEP_SECONDS)


def enrolled(factors: Factors, username: str = "aoi") -> tuple[str, list[str]]:
    secret = factors.begin(username).secret
    codes = factors.confirm(username, code_of(secret, -1))
    assert codes is not None
    return secret, codes


def test_enrolment_shows_one_secret_until_a_code_confirms_it(factors: Factors) -> None:
    secret = factors.begin("aoi").secret
    assert factors.begin("aoi").secret == secret
    assert factors.confirm("aoi", "000000") is None
    assert not factors.accept("aoi", code_of(secret)), "not before it is confirmed"
    codes = factors.confirm("aoi", code_of(secret))
    assert codes is not None
    assert len(set(codes)) == 8
    assert factors.confirm("aoi", code_of(secret, 1)) is None, "confirmed once only"


def test_a_code_is_accepted_once_and_none_before_it_after(factors: Factors) -> None:
    secret, _ = enrolled(factors)
    assert not factors.accept("aoi", code_of(secret, -1)), "used to enrol"
    assert factors.accept("aoi", code_of(secret))
    assert not factors.accept("aoi", code_of(secret))
    assert factors.accept("aoi", f" {code_of(secret, 1)[:3]} {code_of(secret, 1)[3:]} ")
    assert not factors.accept("aoi", code_of(secret))


@pytest.mark.parametrize("steps", [-2, 2, 100])
def test_a_code_of_another_time_is_refused(factors: Factors, steps: int) -> None:
    secret, _ = enrolled(factors)
    assert not factors.accept("aoi", code_of(secret, steps))


@pytest.mark.parametrize("code", ["", "0", "abcdef", "１２３４５６", "\0", "9" * 40])
def test_what_is_no_code_is_refused(factors: Factors, code: str) -> None:
    enrolled(factors)
    assert not factors.accept("aoi", code)
    assert not factors.accept_recovery("aoi", code)


def test_a_recovery_code_counts_once_and_for_its_account_only(factors: Factors) -> None:
    _, codes = enrolled(factors)
    enrolled(factors, "ibu")
    assert not factors.accept_recovery("ibu", codes[0])
    assert factors.accept_recovery("aoi", f"{codes[0][:4]}-{codes[0][4:8]}-{codes[0][8:].upper()}")
    assert not factors.accept_recovery("aoi", codes[0])
    left = factors.of("aoi")
    assert left is not None
    assert left.recovery_left == 7


def test_nothing_that_lets_anybody_in_is_kept_readable(factors: Factors, session: Session) -> None:
    secret, codes = enrolled(factors)
    kept = str(session.execute(table.select()).fetchall())
    assert secret not in kept
    assert not [code for code in codes if code in kept]


def test_a_secret_moved_to_another_account_or_home_fits_no_code(
    factors: Factors, session: Session, tmp_path: Path
) -> None:
    secret, _ = enrolled(factors)
    enrolled(factors, "ibu")
    sealed = session.execute(sa.select(table.c.secret).where(table.c.username == "aoi")).scalar_one()
    session.execute(table.update().where(table.c.username == "ibu").values(secret=sealed))
    assert not factors.accept("ibu", code_of(secret, 1))
    other = Factors(Home(tmp_path / "other"), session)
    assert not other.accept("aoi", code_of(secret, 1))
    assert other.begin("aoi").is_confirmed, "only a reset lets it enrol anew"


def test_after_a_reset_it_is_another_factor(factors: Factors) -> None:
    secret, codes = enrolled(factors)
    before = factors.of("aoi")
    assert before is not None
    assert factors.reset("aoi")
    assert not factors.reset("aoi")
    assert not factors.accept("aoi", code_of(secret, 1))
    assert not factors.accept_recovery("aoi", codes[0])
    after = factors.begin("aoi")
    assert (after.secret != secret, after.mark != before.mark, after.is_confirmed) == (True, True, False)
