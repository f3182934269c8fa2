"""Grants that begin and end: dates of the staff list, the end of the fiscal year, settings of the home."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from kodomo.access.access import read_access
from kodomo.access.accounts import Renewal, read_accounts
from kodomo.access.staff import COLUMNS, TERM_COLUMNS, StaffMember, read_staff, scopes_in_use
from kodomo.access.terms import Term, term_of
from kodomo.errors import KodomoError
from kodomo.home import Home
from superset_config.security.grants import set_terms
from superset_config.security.own_tables import metadata

LAST = dt.date(2027, 3, 31)
RENEWAL = Renewal()


def staff_of(folder: Path, *lines: str, columns: tuple[str, ...] = (*COLUMNS, *TERM_COLUMNS)) -> list[StaffMember]:
    path = folder / "staff.csv"
    path.write_text("\n".join([",".join(columns), *lines]) + "\n", encoding="utf-8")
    return read_staff(path, read_access())


def test_the_columns_may_be_left_out(tmp_path: Path) -> None:
    (member,) = staff_of(tmp_path, "aoi,葵,child,mano,case_worker,0", columns=tuple(COLUMNS))
    assert (member.from_on, member.until_on) == (None, None)
    (member,) = staff_of(tmp_path, "aoi,葵,child,mano,case_worker,0,2026-10-01,")
    assert (member.from_on, member.until_on) == (dt.date(2026, 10, 1), None)


@pytest.mark.parametrize("dates", ["2026-10-32,", "R8.10.1,", "2026-10-01,2026-09-30", ",いつまでも"])
def test_a_day_that_is_none_is_refused(tmp_path: Path, dates: str) -> None:
    with pytest.raises(KodomoError, match="line 2"):
        staff_of(tmp_path, f"aoi,葵,child,mano,case_worker,0,{dates}")


def test_a_grant_holds_from_its_first_to_its_last_day() -> None:
    term = Term(dt.date(2026, 10, 1), LAST)
    assert "2026年10月1日" in (term.refusal_ja(dt.date(2026, 9, 30)) or "")
    assert term.refusal_ja(dt.date(2026, 10, 1)) is None
    assert term.refusal_ja(LAST) is None
    assert "2027年3月31日" in (term.refusal_ja(dt.date(2027, 4, 1)) or "")
    assert Term().refusal_ja(LAST) is None


def test_people_are_warned_from_some_days_before() -> None:
    term = Term(None, LAST)
    days = {day: term.days_left(LAST - dt.timedelta(days=day), 30) for day in (31, 30, 0, -1)}
    assert days == {31: None, 30: 30, 0: 0, -1: None}


@pytest.mark.parametrize(
    ("line", "granted_on", "until_on"),
    [
        ("child,*,case_worker,1,,", dt.date(2026, 4, 1), LAST),
        ("child,*,case_worker,1,,", LAST, LAST),
        ("child,*,case_worker,1,2027-04-01,", dt.date(2026, 4, 1), dt.date(2028, 3, 31)),
        ("child,*,case_worker,1,,2029-01-01", dt.date(2026, 4, 1), dt.date(2029, 1, 1)),
        ("child,*,approver,0,,", dt.date(2026, 4, 1), LAST),
        ("child,*,case_worker,0,,", dt.date(2026, 4, 1), None),
        ("child,,admin,0,,", dt.date(2026, 4, 1), None),
    ],
)
def test_what_needs_renewal_ends_with_the_fiscal_year(
    tmp_path: Path, line: str, granted_on: dt.date, until_on: dt.date | None
) -> None:
    (member,) = staff_of(tmp_path, f"aoi,葵,{line}")
    assert term_of(member, RENEWAL, granted_on).until_on == until_on


def test_applying_again_renews_nothing(tmp_path: Path) -> None:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    line = "aoi,葵,child,*,case_worker,1"
    with engine.begin() as connection:
        for areas, dates, day, until_on in (
            ("*", ",", dt.date(2026, 4, 1), LAST),
            # The next year, and with another area.
            ("*", ",", dt.date(2027, 4, 1), LAST),
            ("mano", ",", dt.date(2027, 4, 1), LAST),
            # A new first day is a new grant.
            ("*", "2027-04-01,", dt.date(2027, 4, 1), dt.date(2028, 3, 31)),
        ):
            staff = staff_of(tmp_path, f"{line.replace('*', areas)},{dates}")
            terms, _ = set_terms(connection, RENEWAL, staff, day)
            assert terms["aoi"].until_on == until_on
        assert set_terms(connection, RENEWAL, [], dt.date(2027, 4, 1)) == ({}, [])


def test_no_file_is_published_for_a_line_that_is_over(tmp_path: Path) -> None:
    staff = staff_of(tmp_path, "aoi,葵,child,mano,case_worker,0,,2027-03-31", "ibu,伊吹,child,*,case_worker,0,,")
    assert len(scopes_in_use(staff, LAST)) == 2
    assert scopes_in_use(staff, LAST + dt.timedelta(days=1)) == {staff[1].scope}


def test_the_settings_are_those_of_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert read_accounts(home).renewal == Renewal()
    home.accounts.write_text("renewal: {duties: [case_worker], dv_authorised: false, warning_days: 60}\n")
    assert read_accounts(home).renewal == Renewal(("case_worker",), False, False, "03-31", 60)


@pytest.mark.parametrize(
    "text",
    ["renewal: 5", "renewal: {duties: [king]}", "renewal: {days: 3}", "second: {}", "renewal: {year_ends: 13-01}", "[",
     "second_factor: {everyone: 'no'}"],
)  # fmt: skip
def test_settings_that_are_not_understood_are_refused(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path)
    home.accounts.write_text(text, encoding="utf-8")
    with pytest.raises(KodomoError, match=r"accounts\.yml"):
        read_accounts(home)
