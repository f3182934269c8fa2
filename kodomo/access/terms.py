"""From when until when a line of the staff list holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kodomo.access.accounts import Renewal
from kodomo.access.staff import StaffMember
from kodomo.japanese import japanese_date

NOT_YET_JA = "このアカウントを使えるのは{day}からです。"
OVER_JA = "このアカウントの利用期限（{day}）が過ぎています。続けて使うには、情報システム管理者に更新を頼んでください。"


@dataclass(frozen=True)
class Term:
    """First and last day of a grant; None where it has none."""

    from_on: dt.date | None = None
    until_on: dt.date | None = None

    def refusal_ja(self, today: dt.date) -> str | None:
        """Why the account may not be used on a day, in Japanese; None where it may."""
        if self.from_on and today < self.from_on:
            return NOT_YET_JA.format(day=japanese_date(self.from_on))
        if self.until_on and today > self.until_on:
            return OVER_JA.format(day=japanese_date(self.until_on))
        return None

    def days_left(self, today: dt.date, warning_days: int) -> int | None:
        """Days until the last day, once they are so few that the person is warned."""
        if self.until_on is None or self.refusal_ja(today):
            return None
        days = (self.until_on - today).days
        return days if days <= warning_days else None


def end_of_year(day: dt.date, renewal: Renewal) -> dt.date:
    """The last day of the fiscal year that a day is in."""
    month, number = map(int, renewal.year_ends.split("-"))
    end = dt.date(day.year, month, number)
    return end if day <= end else end.replace(year=day.year + 1)


def term_of(member: StaffMember, renewal: Renewal, granted_on: dt.date) -> Term:
    """The term of a line. What needs renewal and has no end of its own ends with the fiscal year that it began in.

    ``granted_on``: when the line was first applied, where it says no first day.
    """
    until_on = member.until_on
    if until_on is None and renewal.includes(member.scope, member.is_admin):
        until_on = end_of_year(member.from_on or granted_on, renewal)
    return Term(member.from_on, until_on)


def terms_key(member: StaffMember, renewal: Renewal) -> str:
    """A value that changes where a line is granted anew: with its dates, or when it comes to need renewal."""
    needs = renewal.includes(member.scope, member.is_admin)
    return f"{member.from_on or ''}|{member.until_on or ''}|{'renewed' if needs else ''}"
