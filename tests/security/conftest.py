"""One home, and one server per configuration of the walls, for all tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kodomo.home import Home
from tests.conftest import built_once
from tests.security.servers import Server, build_home, serve

HERE = Path(__file__).parent
WALLS = {"both": None, "a_alone": HERE / "only_wall_a.py", "b_alone": HERE / "only_wall_b.py"}
NO_WALLS = HERE / "no_walls.py"


@pytest.fixture(scope="session")
def scratch_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a publication of the scratch warehouse, and Superset's metadata applied."""
    return Home(built_once(tmp_path_factory, "walls", build_home))


@pytest.fixture(scope="session")
def server(scratch_home: Home) -> Iterator[Server]:
    """Superset as it is shipped, with both walls."""
    with serve(scratch_home) as running:
        yield running


@pytest.fixture(scope="session", params=list(WALLS))
def walls(
    request: pytest.FixtureRequest, scratch_home: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Superset with both walls, with A alone, with B alone."""
    if WALLS[request.param] is None:
        yield request.getfixturevalue("server")
        return
    with serve(copied(scratch_home, tmp_path_factory), WALLS[request.param]) as running:
        running.walls = request.param
        yield running


@pytest.fixture(scope="session")
def bare_home(scratch_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home for a server without walls."""
    return copied(scratch_home, tmp_path_factory)


def copied(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of one's own: where a wall is down, attacks change Superset's metadata."""
    return Home(shutil.copytree(home.root, tmp_path_factory.mktemp("copy") / "var", symlinks=True))
