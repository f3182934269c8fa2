"""Cases of the field: what was delivered somewhere, each run in a home of its own, and what must come out.

A case is a folder with `landing/` as it was delivered and `expect.txt` with what must come out. A test takes the
fixture `field`, runs a case by its name and asserts on the warehouse:

    def test_null_is_no_father(field: RunCase) -> None:
        outcome = field("01-null-is-no-father")
        assert outcome.rows("select count(*) from marts.fct_chain") == [(0,)]

A neighbour of a case is delivered from the test itself, `field("null-in-other-spellings", landing(tmp_path, …))`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import AS_OF
from tests.field.running import CASES, Outcome, RunCase, prepared_home, run_case


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunCase]:
    """Runs a case once per session and as-of date, in a home of its own within this process."""
    environment = dict(os.environ)
    prepared = prepared_home(tmp_path_factory.mktemp("prepared"))
    outcomes: dict[tuple[str, dt.date], Outcome] = {}

    def run(name: str, delivered: Path | None = None, as_of_on: dt.date = AS_OF) -> Outcome:
        if (name, as_of_on) not in outcomes:
            folder = tmp_path_factory.mktemp("case") / "var"
            outcomes[name, as_of_on] = run_case(delivered or CASES / name / "landing", as_of_on, folder, prepared)
        return outcomes[name, as_of_on]

    yield run
    os.environ.clear()
    os.environ.update(environment)
