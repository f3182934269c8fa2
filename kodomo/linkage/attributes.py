"""The attributes by which linkage compares a record with a person, in the order of a report."""

from __future__ import annotations

ATTRIBUTES = ("given_name", "surname", "birth_on", "sex", "household")
