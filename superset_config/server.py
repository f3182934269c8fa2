"""Superset's app and commands, with this project's settings and this home."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
from typing import Any

from kodomo.home import PROJECT, Home

CONFIG = PROJECT / "superset_config" / "superset_config.py"


class MetadataConnection(sqlite3.Connection):
    """A connection to the metadata in SQLite: readers do not wait for the line of the log that is being written."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.execute("pragma journal_mode = wal")
        self.execute("pragma synchronous = normal")


def metadata_uri(home: Home) -> str:
    """Where Superset keeps its metadata: SQLite in the home, or what KODOMO_METADATA_URI says."""
    return os.environ.get("KODOMO_METADATA_URI") or f"sqlite:///{home.superset_metadata}"


def environment(home: Home) -> dict[str, str]:
    """Environment variables under which Superset reads the project's settings."""
    return {
        "KODOMO_HOME": str(home.root),
        "SUPERSET_CONFIG_PATH": os.environ.get("SUPERSET_CONFIG_PATH") or str(CONFIG),
        "SUPERSET_HOME": str(home.superset),
        "FLASK_APP": "superset.app:create_app",
        "SCARF_ANALYTICS": "false",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


def create_app(home: Home) -> Any:
    """The Flask app of Superset, metadata at its newest version."""
    os.environ.update(environment(home))
    # Superset prints where its settings are from: standard output belongs to the command's own answer.
    with contextlib.redirect_stdout(io.StringIO()):
        from superset.app import create_app as superset_app

        return superset_app()
