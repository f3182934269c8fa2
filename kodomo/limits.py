"""Limits of watching, each with the variable of the environment that sets it."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Self

from kodomo.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """From where on a state is a fault."""

    batch_hours: float = 72
    """Age of the publication in service: a nightly batch, missed over a weekend."""
    backup_days: float = 8
    """Age of the last backup: a weekly one, missed by a day."""
    queue_hours: float = 24
    """How long a mail or a file that was sent waits."""
    lock_hours: float = 12
    """How long a run holds the lock of the home."""
    free_gib: float = 1
    """What a run must leave free on the disk."""
    certificate_days: float = 30
    """Days before its end from which a certificate is to be renewed."""

    @classmethod
    def from_environment(cls) -> Self:
        """Each limit from KODOMO_<NAME>, or as it is by default. Raises UsageError for what is no number over 0."""
        return cls(**{field.name: _number(f"KODOMO_{field.name.upper()}", field.default) for field in fields(cls)})


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    try:
        number = float(text or default)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise UsageError("{variable} is {text!r}: write a number above 0.", variable=variable, text=text)
    return number
