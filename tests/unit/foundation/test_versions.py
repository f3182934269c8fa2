"""Which homes a version takes over."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.home import PROJECT, Home
from kodomo.run_lock import RunLock
from kodomo.versions import (
    BEFORE_RECORDS,
    OLDEST_HOME,
    VERSION,
    is_older,
    record_version,
    require_compatible,
    written_by,
)
from orchestration import cli


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var").ensure()


def write(home: Home, version: str) -> None:
    home.version.write_text(json.dumps({"version": version}), encoding="utf-8")


def test_a_new_home_records_the_version_that_makes_it(home: Home) -> None:
    assert written_by(home) is None
    RunLock(home, "r1").acquire()
    assert written_by(home) == VERSION
    assert not is_older(home)


def test_a_home_with_data_and_no_record_is_from_before_records(home: Home) -> None:
    home.warehouse.touch()
    assert written_by(home) == BEFORE_RECORDS
    assert is_older(home)
    require_compatible(home)
    record_version(home)
    assert not is_older(home)


@pytest.mark.parametrize(
    ("version", "code"), [("99.0.0", "home_newer"), ("0.10.0", "home_newer"), ("0.0.9", "home_too_old")]
)
def test_a_home_of_a_version_that_does_not_fit_is_written_by_no_run(home: Home, version: str, code: str) -> None:
    write(home, version)
    for act in (lambda: require_compatible(home), RunLock(home, "r1").acquire):
        with pytest.raises(FaultError) as raised:
            act()
        assert raised.value.fault.code == code
    assert not home.run_lock.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"version": "new"}', "[]"])
def test_a_record_that_cannot_be_read_is_an_error(home: Home, content: str) -> None:
    home.version.write_text(content, encoding="utf-8")
    with pytest.raises(KodomoError, match=re.escape(home.version.name)):
        written_by(home)


def test_commands_refuse_a_newer_home(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, "99.0.0")
    monkeypatch.setenv("KODOMO_HOME", str(home.root))
    monkeypatch.setattr(cli, "TELEMETRY_OFF", {})
    for arguments, refused in ((["publish", "--list"], True), (["serve", "--stop"], False)):
        monkeypatch.setattr("sys.argv", ["kodomo", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert bool(left.value.code) is refused
        assert ("kodomo 99.0.0" in capsys.readouterr().err) is refused


def test_versions_are_said_once() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "kodomo.versions.VERSION"}
    page = (PROJECT / "docs" / "operations.ja.md").read_text(encoding="utf-8")
    assert f"kodomo {VERSION}" in page
    assert f"{OLDEST_HOME} 以上" in page
