"""A log says what went wrong and where, and no value, whatever lines and quotes it holds."""

from __future__ import annotations

import logging
import sys

import pytest

from kodomo.errors import line_without_values
from superset_config.security.logs import WithoutValues


def line(message: str, *arguments: object, error: bool = False) -> str:
    record = logging.LogRecord(
        "superset", logging.ERROR, "x.py", 1, message, arguments, sys.exc_info() if error else None
    )
    return WithoutValues(logging.Formatter("%(levelname)s:%(message)s")).format(record)


@pytest.mark.parametrize(
    "text",
    [
        "where name = 'ことば'", "where name = 'こと\nば'", 'name "こと\nば"', "「こと\nば」", "where name = 'ことば",
        "can't read 'ことば'", "where name in ('a\r\nことば', 'b')",
    ],
)  # fmt: skip
def test_quoted_values_are_taken_out(text: str) -> None:
    assert not [word for word in ("ことば", "こと", "ば") if word in line_without_values(text)]
    assert "\n" not in line(text)


def test_forged_line_is_no_line() -> None:
    assert line("name %s", "x\nERROR:forged").splitlines() == ["ERROR:name x ERROR:forged"]


def test_an_exception_says_its_kind_and_places_only() -> None:
    try:
        try:
            int("こと\nば")
        except ValueError as error:
            raise KeyError("'こと\nば") from error
    except KeyError:
        text = line("failed: %s", "ok", error=True)
    assert "ValueError" in text
    assert "KeyError" in text
    assert __file__ in text
    assert "こと" not in text
