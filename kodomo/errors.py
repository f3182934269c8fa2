"""Errors that people read, and the exit codes that machines read."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|「[^」]*」")
# A value may hold a line break, and a quotation without its end goes to the end. Paths of a stack trace stay.
_QUOTED_IN_LOGS = re.compile(
    r"(?P<path>\"/[^\"\s]*\")|(?<![A-Za-z])'[^']*(?:'|$)|\"[^\"]*(?:\"|$)|「[^」]*(?:」|$)", re.S
)


def without_values(message: str) -> str:
    """An engine's message with every quoted text taken out: what is quoted may be a value of a person."""
    return _QUOTED.sub("…", message.strip())


def line_without_values(text: str) -> str:
    """A text for a log, in one line, without what is quoted in it: a failed query is quoted with its conditions."""
    return " ".join(_QUOTED_IN_LOGS.sub(lambda found: found["path"] or "…", text).splitlines())


class ExitCode(IntEnum):
    """What the ``kodomo`` command ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    HELD = 3
    """A gate held the publication: everything ran, and what is in service stays as it was."""


class KodomoError(Exception):
    """Something a person can mend. The message says where and what to do, and holds no value of a person.

    With ``details`` the message is a template, such as ``"There is no table {table}."``: the same text in another
    language is looked up by it (``kodomo.messages``).
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str = "", **details: Any) -> None:
        self.template, self.details = message, details
        super().__init__(message.format(**details) if details else message)


class WarehouseBusyError(KodomoError):
    """Another run or reader has the warehouse: it passes by itself."""


class RunInProgressError(WarehouseBusyError):
    """Another run holds the lock of the home."""


class UsageError(KodomoError):
    """The command was called with something it cannot use."""

    exit_code = ExitCode.USAGE


class PublicationHeldError(KodomoError):
    """A gate failed: nothing was published."""

    exit_code = ExitCode.HELD
