"""Requests of the person concerned, as they stand in the entries: which of them were granted."""

from __future__ import annotations

from kodomo.entries.store import Version

FORM = "person_request"
GRANTED = {"accepted", "partly", "passed_on"}


def is_granted(version: Version) -> bool:
    """Whether this is a request for deletion or correction that was granted, so that a run carries it out."""
    content = version.content
    return (
        version.form == FORM
        and not version.is_deleted
        and content.get("request") in {"deletion", "correction"}
        and content.get("outcome") in GRANTED
        and bool(content.get("data_source") and version.person_id)
    )
