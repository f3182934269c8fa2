"""Writes what a server prints into a log that rotates: ``python -m orchestration.operations.log_writer FILE``.

One process writes a log, whatever processes print into it: the handler of the standard library rotates for one writer.
What is quoted in a line is taken out, whoever printed it. The process ends with the server.
"""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler

from kodomo.errors import line_without_values

MEGABYTES, FILES = 20.0, 5
"""Of one log, until it is set aside; how many of those set aside are kept."""


def handler_of(path: str, megabytes: float, files: int) -> RotatingFileHandler:
    """The handler of a log: lines as they come, and bytes that are no UTF-8 as escapes."""
    handler = RotatingFileHandler(
        path, maxBytes=int(megabytes * 2**20), backupCount=files, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


def main() -> None:
    """Copy standard input, line by line, until its end."""
    # A full disk ends no server: what it prints is lost.
    logging.raiseExceptions = False
    os.umask(0o077)
    handler = handler_of(
        sys.argv[1],
        float(os.environ.get("KODOMO_LOG_MB") or MEGABYTES),
        int(os.environ.get("KODOMO_LOG_FILES") or FILES),
    )
    for line in sys.stdin.buffer:
        text = line_without_values(line.decode("utf-8", errors="backslashreplace"))
        handler.handle(logging.LogRecord("server", logging.INFO, "", 0, text, None, None))


if __name__ == "__main__":
    main()
