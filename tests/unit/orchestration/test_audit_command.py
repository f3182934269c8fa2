"""`kodomo audit verify`: the ends of the log that a backup holds, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kodomo.entries.store import EntryStore
from kodomo.home import Home
from orchestration.cli import build_app
from orchestration.operations.backup import backup


def test_backup_shows_an_end_that_was_cut_off_with_its_anchors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "var")
    monkeypatch.setenv("KODOMO_HOME", str(home.root))
    store = EntryStore(home)
    for number in range(3):
        store.note_access("aoi", "child_view", person_id=f"p{number}")
    folder = backup(home, tmp_path / "backup")
    command = ["audit", "verify", "--json", "--backup", str(folder)]
    result = CliRunner().invoke(build_app(), command)
    assert (result.exit_code, json.loads(result.stdout)["is_whole"]) == (0, True)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("delete from entry_access where detail like '%p2%'")
        connection.exec_driver_sql("delete from audit_chain where number = 3")
    home.audit_anchors.unlink()
    result = CliRunner().invoke(build_app(), command)
    entries = json.loads(result.stdout)["chains"][0]
    assert result.exit_code == 1
    assert (entries["finding"]["kind"], entries["finding"]["number"]) == ("cut off", 3)
