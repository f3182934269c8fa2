"""What Superset writes into its log: what went wrong and where, and no value that was asked or answered."""

from __future__ import annotations

import logging
import re
from typing import Any

from superset.utils.logging_configurator import DefaultLoggingConfigurator

# A query that failed is logged with its conditions, and an exception quotes what it stumbled over. Files of a stack
# trace stay.
_QUOTED = re.compile(r"'[^'\n]*'|\"(?!/)[^\"\n]*\"|「[^」\n]*」")


class WithoutValues(logging.Formatter):
    """As another formatter has it, with every quoted text taken out."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the stack trace below it."""
        return _QUOTED.sub("…", self._formatter.format(record))


class LoggingConfigurator(DefaultLoggingConfigurator):
    """Superset's, with lines that hold no value."""

    def configure_logging(self, app_config: Any, debug_mode: bool) -> None:
        """Set up the root logger's handlers."""
        super().configure_logging(app_config, debug_mode)
        for handler in logging.getLogger().handlers:
            if not isinstance(handler.formatter, WithoutValues):
                handler.setFormatter(WithoutValues(handler.formatter or logging.Formatter()))
