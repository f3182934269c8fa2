"""Keys are whole or not there, are made once, and an empty or damaged one stops."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kodomo import keys
from kodomo.errors import KodomoError
from kodomo.keys import BrokenKeyError, read_or_make_key


def test_a_key_is_made_once_for_all_who_ask(tmp_path: Path) -> None:
    path = tmp_path / "superset" / "secret.key"
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: read_or_make_key(path), range(32)))
    assert set(made) == {path.read_text(encoding="ascii").strip()}
    assert len(made[0]) >= 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert read_or_make_key(tmp_path / "other.key") != made[0]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"cut", b"\x00" * 64, "鍵".encode() * 32, b"a" * 40 + b" " + b"b" * 40]
)
def test_a_broken_key_stops_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(BrokenKeyError, match=r"secret\.key in .* is empty or damaged") as stopped:
        read_or_make_key(path)
    assert path.read_bytes() == content
    assert content.decode("utf-8", "ignore").strip() == "" or content.decode("utf-8", "ignore") not in str(
        stopped.value
    )


def test_partly_written_key_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.key"

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keys.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            read_or_make_key(path)
    assert list(tmp_path.iterdir()) == []
    assert read_or_make_key(path)


def test_keys_of_before_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.key").write_text("f" * 64, encoding="ascii")
    assert read_or_make_key(tmp_path / "a.key") == "f" * 64


def test_every_key_of_the_home_stops_when_it_is_empty(tmp_path: Path) -> None:
    from kodomo.publication.tables import pseudonym_key

    path = tmp_path / "pseudonym.key"
    path.touch()
    with pytest.raises(KodomoError, match=r"pseudonym\.key"):
        pseudonym_key(path)
    os.unlink(path)
    assert pseudonym_key(path) == pseudonym_key(path)
