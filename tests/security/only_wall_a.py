"""Superset's settings with wall B taken down: every connection leads to the tables of every audience, unguarded."""

from superset_config.superset_config import *  # noqa: F403  # settings are read by their names


def DB_CONNECTION_MUTATOR(uri, params, username, security_manager, source):  # noqa: N802  # Superset's name
    """One file with everything, for everybody."""
    from sqlalchemy.engine.url import make_url
    from sqlalchemy.pool import NullPool

    from kodomo.home import Home
    from kodomo.publication import current

    path = current(Home.from_environment()) / "everything.duckdb"
    return make_url(f"duckdb:///{path}"), {"poolclass": NullPool, "connect_args": {"read_only": True}}


DATA_CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300}
