"""The drafts of the model that wait for the user of a request."""

from __future__ import annotations

from flask import g

from kodomo.workshop.waiting import Waiting, waiting_for
from superset_config.pages.entry_store import store
from superset_config.pages.reach import Reach

DECIDED_AT = "model_approval"
"""The page on which drafts are decided about."""


def waiting_drafts(reach: Reach) -> list[Waiting]:
    """The submitted drafts that the user may decide about, the newest first; once per request."""
    if DECIDED_AT not in reach.pages():
        return []
    if "kodomo_waiting_drafts" not in g:
        g.kodomo_waiting_drafts = waiting_for(store(), g.user.username)
    return g.kodomo_waiting_drafts
