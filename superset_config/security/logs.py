"""What Superset writes into its log: what went wrong and where, and no value that was asked or answered."""

from __future__ import annotations

import copy
import logging
import traceback
from collections.abc import Iterator
from typing import Any

from superset.utils.logging_configurator import DefaultLoggingConfigurator

from kodomo.errors import line_without_values


class WithoutValues(logging.Formatter):
    """As another formatter has it, with every quoted text taken out, and in one line but for the places of an error."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the places that an exception passed through, with its kind."""
        plain = copy.copy(record)
        plain.msg, plain.args = line_without_values(record.getMessage()), None
        plain.exc_info = plain.exc_text = plain.stack_info = None
        line = self._formatter.format(plain)
        error = record.exc_info[1] if record.exc_info else None
        return "\n".join([line, *(_places(error) if error is not None else ())])


def _places(error: BaseException) -> Iterator[str]:
    """Kind, message without values, and places of an exception and of those that led to it, the first one first."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _places(earlier)
    yield "Traceback (most recent call last):"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    yield f"{type(error).__module__}.{type(error).__qualname__}: {line_without_values(str(error))}"


class LoggingConfigurator(DefaultLoggingConfigurator):
    """Superset's, with lines that hold no value."""

    def configure_logging(self, app_config: Any, debug_mode: bool) -> None:
        """Set up the root logger's handlers."""
        super().configure_logging(app_config, debug_mode)
        for handler in logging.getLogger().handlers:
            if not isinstance(handler.formatter, WithoutValues):
                handler.setFormatter(WithoutValues(handler.formatter or logging.Formatter()))
