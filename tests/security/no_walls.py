"""Superset's settings without either wall: what the tests must be able to notice."""

from tests.security import only_wall_a
from tests.security.only_wall_b import *  # noqa: F403  # settings are read by their names

DB_CONNECTION_MUTATOR = only_wall_a.DB_CONNECTION_MUTATOR
