"""What is replaced of other packages is counted, and there is little of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.replaced_functions import PROJECT, Replaced, of_source, replaced_functions, replaced_macros

MOST = 4
"""Places that are left, each listed in docs/decisions.md: fewer than five."""


@pytest.fixture(scope="module")
def places() -> list[Replaced]:
    """What the project replaces."""
    return replaced_functions()


def test_fewer_than_five_functions_of_other_packages_are_replaced(places: list[Replaced]) -> None:
    assert len(places) <= MOST, "\n".join(map(str, places))


def test_each_place_stands_in_the_decisions_with_the_upstream_issue(places: list[Replaced]) -> None:
    decisions = (PROJECT / "docs" / "decisions.md").read_text(encoding="utf-8")
    paragraphs = re.split(r"\n(?=- |\n)", decisions)
    for place in places:
        reasons = [text for text in paragraphs if f"`{place.path}`" in text]
        assert any(re.search(r"\w+/\w+#\d+", text) for text in reasons), place


@pytest.mark.parametrize(
    "source",
    [
        "import duckdb_engine\nduckdb_engine.Dialect.preparer = Own",
        "from superset.models.core import Database\nDatabase.db_engine_spec = property(spec)",
        "def install():\n    from superset.charts.data import api\n    api.Schema = lambda: schema",
        "from superset.models import helpers\nfrom superset.utils import core\n"
        "for module in (helpers, core):\n    module.sanitize_clause = clean",
        "from superset import db\ndb.engine.dispatch.engine_connect.clear()",
        "from flask import Flask\ndef install(app: Flask):\n    app.wsgi_app = in_turn(app.wsgi_app)",
        "from flask import Flask\ndef install(app: Flask):\n    app.jinja_loader = loader",
        "def install(app):\n    app.jinja_loader = ChoiceLoader([app.jinja_loader, own])",
        "from typing import Any\ndef install(app: Any):\n    app.wsgi_app = in_turn(app.wsgi_app)",
        "from flask import Flask\napp = Flask('x')\napp.full_dispatch_request = answer",
        "import sqlalchemy.pool as pool\nsetattr(pool.QueuePool, name, value)",
        "import sqlalchemy\ndel sqlalchemy.create_engine",
        "from flask.sessions import SecureCookieSessionInterface as Base\n"
        "class Own(Base):\n    def get_signing_serializer(self, app): ...\n"
        "from flask_session.base import ServerSideSessionInterface\n"
        "class Other(ServerSideSessionInterface):\n    def _generate_sid(self, length): ...",
        "from unittest.mock import patch",
        "from dagster._serdes import ConfigurableClassData",
    ],
)
def test_planted_replacement_is_counted(source: str) -> None:
    assert len(of_source(source)) == 1, of_source(source)


@pytest.mark.parametrize(
    "source",
    [
        "from flask import Response\ndef mark(answer: Response):\n    answer.response = with_mark(answer.response)",
        "from flask import Flask\ndef install(app: Flask):\n    app.session_interface = Own()\n"
        "    app.before_request(check)\n    app.config['A'] = 1",
        "from flask import session, g\nsession.permanent = True\ng.user = None",
        "from flask import Response\ndef scrub(response: Response):\n    response.status_code = 400\n"
        "    response.mimetype = 'text/html'",
        "from flask_session.base import ServerSideSessionInterface\n"
        "class Own(ServerSideSessionInterface):\n    def should_set_storage(self, app, session): ...\n"
        "    def _help(self): ...",
        "class Rows:\n    pass\ndef add(rows: Rows):\n    rows.all = join([rows.all, 1])",
        "import pathlib\npathlib.Path.cwd",
        "class Own:\n    def __init__(self):\n        self.run = wrap(self.run)",
    ],
)
def test_documented_ways_are_not_counted(source: str) -> None:
    assert of_source(source) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("{% materialization table, adapter='duckdb' %}", 1),
        ("{% macro duckdb__create_table_as(temporary, relation, sql) -%}", 1),
        ("{% macro generate_schema_name(name, node) -%}", 0),
        ("{%- macro months_between(a, b) -%}", 0),
        ("{% materialization replaced_table, adapter='duckdb' %}", 0),
    ],
)
def test_macros_of_dbt_that_are_replaced(tmp_path: Path, text: str, count: int) -> None:
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "one.sql").write_text(text, encoding="utf-8")
    assert len(list(replaced_macros(tmp_path))) == count
