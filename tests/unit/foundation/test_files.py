"""Files are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.files import atomic_path, write_atomically


def test_file_is_replaced_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file.txt"
    write_atomically(target, "東京")
    write_atomically(target, "佐渡", mode=0o440)
    assert target.read_text(encoding="utf-8") == "佐渡"
    assert target.stat().st_mode & 0o777 == 0o440
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


def test_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    target = write_atomically(tmp_path / "file", b"before")

    def fail_halfway() -> None:
        with atomic_path(target) as draft:
            draft.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_draft_is_for_its_owner_only(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "file", mode=0o644) as draft:
        assert draft.stat().st_mode & 0o777 == 0o600
        assert draft.parent == tmp_path
