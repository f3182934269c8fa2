"""The metadata of Superset: brought to the newest version, only when that is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from kodomo.errors import KodomoError
from kodomo.home import Home
from superset_config.server import environment, metadata_uri


def upgrade(home: Home) -> None:
    """Run Superset's migrations in a process of their own, unless this version ran them on this database before.

    Raises KodomoError when they fail.
    """
    home.ensure()
    home.superset.mkdir(mode=0o700, exist_ok=True)
    if is_up_to_date(home):
        return
    result = subprocess.run(
        [sys.executable, "-c", "from superset.cli.main import superset; superset()", "db", "upgrade"],
        env={**os.environ, **environment(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else "no reason given"
        raise KodomoError("Superset's metadata could not be brought up to date: {reason}", reason=reason)
    home.metadata_mark.write_text(_state(home), encoding="utf-8")


def is_up_to_date(home: Home) -> bool:
    """Whether this version of Superset has brought the metadata to its own."""
    mark = home.metadata_mark
    return mark.exists() and mark.read_text(encoding="utf-8") == _state(home)


def _state(home: Home) -> str:
    """Version of Superset, and the migration that the metadata database is at."""
    engine = create_engine(metadata_uri(home), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            revision = connection.execute("select version_num from alembic_version").scalar()
    except SQLAlchemyError:
        revision = "none"
    return f"{version('apache-superset')} {revision}"
