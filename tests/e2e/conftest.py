"""Superset over the synthetic city, for the tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import duckdb
import pytest

from kodomo.access.staff import DEMO_STAFF
from kodomo.home import Home
from kodomo.publication import current
from kodomo.publication.publication import EVERYTHING
from tests.conftest import City
from tests.e2e.families import protect_families
from tests.security.servers import Server, apply, serve


@pytest.fixture(scope="session")
def server(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Superset over a copy of the city's home, in which families are under support measures."""
    root = tmp_path_factory.mktemp("browser") / "var"
    shutil.copytree(city.home, root, symlinks=True, ignore=shutil.ignore_patterns("dbt", "dagster"))
    home = Home(root)
    shutil.copy(DEMO_STAFF, home.staff)
    deliver_an_unknown_code(home)
    protect_families(home)
    apply(home)
    with serve(home) as running:
        yield running


def deliver_an_unknown_code(home: Home) -> None:
    """The city's holders keep to their lists: one of them did not."""
    file = current(home) / EVERYTHING
    file.chmod(0o600)
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "insert into intermediate.int_quality__unknown_codes by name select 'household_history' as "
            "source_id, '続柄コード1' as heading, 'relation' as code_list, '9Z' as delivered_code, 3 as row_count"
        )
    file.chmod(0o400)
