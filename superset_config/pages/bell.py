"""The bell of every page: how many notices wait for the user."""

from __future__ import annotations

import duckdb
from flask import g
from sqlalchemy.exc import SQLAlchemyError

from kodomo import clock
from kodomo.access.access import read_access
from kodomo.determination.notices import bring_up_to_date
from kodomo.entries.notices import Notice, shown_to
from kodomo.errors import KodomoError
from superset_config.pages.entry_store import store
from superset_config.pages.reach import Reach
from superset_config.pages.waiting_drafts import DECIDED_AT, waiting_drafts

PAGE = "notices"


def notices_in_reach(reach: Reach) -> list[Notice]:
    """The notices of the user of this request as they stand now, newest first; once per request."""
    if "kodomo_notices" not in g:
        g.kodomo_notices = _notices(reach)
    return g.kodomo_notices


def _notices(reach: Reach) -> list[Notice]:
    # A page may be about others than the children of the scope, such as those who left.
    own = reach if type(reach) is Reach else Reach(reach.home, reach.scope, reach.access, reach.store)
    today = clock.today()
    bring_up_to_date(reach.home, store(), today)
    return shown_to(own, store(), g.user.username, today)


def bell(reach: Reach) -> tuple[int, str] | None:
    """How many notices the user has not read, drafts that wait for its decision among them, and where they are listed.

    None for those who have none, and where they cannot be read: a page does not fail for it.
    """
    pages = reach.pages()
    listed_at = next((page for page in (PAGE, DECIDED_AT) if page in pages), None)
    if listed_at is None:
        return None
    try:
        unread = sum(not draft.is_read for draft in waiting_drafts(reach))
        if listed_at == PAGE:
            unread += sum(notice.is_unread for notice in notices_in_reach(reach))
    except (KodomoError, SQLAlchemyError, duckdb.Error):
        return None
    return unread, f"{read_access().entry_pages[listed_at].address}/"
