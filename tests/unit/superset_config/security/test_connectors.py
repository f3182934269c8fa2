"""Where a connection leads is asked at each question; what leads to the same file is one and the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from kodomo.access.scope import Scope
from kodomo.home import Home
from superset_config.security import files

RYOTSU = Scope.of(["child"], ["ryotsu"], ["case_worker"])
AIKAWA = Scope.of(["child"], ["aikawa"], ["case_worker"])


def publish(home: Home, name: str) -> None:
    """A publication with files of two scopes, which no test opens."""
    folder = home.published / name
    folder.mkdir(parents=True)
    for scope in (RYOTSU, AIKAWA):
        (folder / f"{scope.key}.duckdb").touch()
    link = home.published / "link"
    link.symlink_to(name)
    link.replace(home.published / "current")


@pytest.fixture
def leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Creator of the connection for the roles of an account."""
    home = Home(tmp_path)
    publish(home, "first")
    connections = files.Files(home)
    held: list[str] = []
    monkeypatch.setattr(files, "user_roles", lambda _manager: list(held))

    def creator(scope: Scope | None):
        held[:] = [*scope.roles, "view_child"] if scope else []
        return connections.mutate(None, {}, None, None, None)[1]["creator"]

    creator.home = home
    return creator


def test_a_scope_leads_to_its_own_file(leads) -> None:
    assert leads(RYOTSU) is leads(RYOTSU)
    assert leads(RYOTSU) is not leads(AIKAWA)
    assert leads(RYOTSU) is not leads(None)


def test_a_new_publication_leads_elsewhere_at_once(leads) -> None:
    before = leads(RYOTSU)
    publish(leads.home, "second")
    assert leads(RYOTSU) is not before


def test_account_without_a_scope_has_no_connection(leads) -> None:
    with pytest.raises(files.QueryFailedError):
        leads(None)()


def test_request_keeps_its_first_publication(leads, monkeypatch: pytest.MonkeyPatch) -> None:
    from superset_config.security.cache import ScopedCache

    monkeypatch.setenv("KODOMO_HOME", str(leads.home.root))
    cache, app = ScopedCache(), Flask("users")
    with app.test_request_context():
        before = leads(RYOTSU)
        assert cache.get("answer") is None
        publish(leads.home, "second")
        assert leads(RYOTSU) is before
        assert cache.set("answer", "read before")
        assert cache.get("answer") == "read before"
    with app.test_request_context():
        assert leads(RYOTSU) is not before
        assert cache.get("answer") is None
    with app.test_request_context():
        leads(RYOTSU)
        leads(AIKAWA)
        assert cache.set("answer", "of ryotsu")
    with app.test_request_context():
        leads(AIKAWA)
        assert cache.get("answer") is None
