"""An approved version is in every backup, with the definition that the record of its approval names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kodomo.entries.store import EntryStore
from kodomo.home import Home, Kept
from kodomo.workshop.drafts import DraftStore
from kodomo.workshop.in_force import Approval, DefinitionStore
from orchestration.operations import backup as operations


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home") / "var")
    drafts = DraftStore(EntryStore(home))
    draft = drafts.create("v3", "v2", by="aoi")
    drafts.submit(draft.draft_id, 1, by="aoi", comment="試す")
    drafts.approve(draft.draft_id, 2, Approval("佐渡 海", "確かめた", "umi", dt.date(2026, 12, 1), is_trial=True))
    return home


def test_a_restored_home_scores_by_the_same_definition(home: Home, tmp_path: Path) -> None:
    operations.backup(home, tmp_path / "backup")
    operations.restore(Home(tmp_path / "other"), tmp_path / "backup")
    restored = DefinitionStore(EntryStore(Home(tmp_path / "other")))
    assert restored.texts() == DefinitionStore(EntryStore(home)).texts()
    assert [change.model_version for change in restored.changes()] == ["v3"]


def test_databases_are_copied_before_the_folders_that_they_name(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []

    def noted(kept: Kept) -> None:
        copy = operations._COPIES[kept]
        monkeypatch.setitem(
            operations._COPIES, kept, lambda source, target: (copied.append(source.name), copy(source, target))
        )

    noted(Kept.SQLITE)
    noted(Kept.COPY)
    operations.backup(home, tmp_path / "backup")
    assert copied.index("entries.db") < copied.index("definitions")
