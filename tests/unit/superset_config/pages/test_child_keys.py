"""Keys of children in addresses."""

from __future__ import annotations

import re

import pytest

from superset_config.pages.child_keys import LONGEST, Keys

SECRET, SESSION, PUBLICATION = b"s" * 32, "session-1", "20260401T000000-1"
KEYS = Keys(SECRET, SESSION, PUBLICATION)
PEOPLE = ["000000001038887", "preg-0000012", "guidance_centre_cases-1", "こども", "x" * 32, "x" * 33]


@pytest.mark.parametrize("person_id", PEOPLE)
def test_key_leads_back_to_the_person(person_id: str) -> None:
    key = KEYS.key_of(person_id)
    assert KEYS.person_of(key) == person_id
    assert KEYS.key_of(person_id) == key
    assert re.fullmatch(r"[\w-]+", key, re.ASCII)
    assert person_id not in key


def test_length_of_a_key_shows_no_kind_of_id() -> None:
    assert len({len(KEYS.key_of(person_id)) for person_id in PEOPLE[:5]}) == 1


@pytest.mark.parametrize(
    "other",
    [
        Keys(b"t" * 32, SESSION, PUBLICATION),
        Keys(SECRET, "session-2", PUBLICATION),
        Keys(SECRET, SESSION, "20260402T000000-1"),
    ],
    ids=["secret", "session", "publication"],
)
def test_key_of_another_session_or_publication_is_no_key(other: Keys) -> None:
    key = KEYS.key_of(PEOPLE[0])
    assert other.person_of(key) is None
    assert other.key_of(PEOPLE[0]) != key


@pytest.mark.parametrize(
    "text",
    ["", "a", "=", "000000001038887", "A" * 64, "あ" * 64, "../" * 20, "A" * (LONGEST + 1), "%00", "A" * 63 + "\0"],
)
def test_guessed_key_is_no_key(text: str) -> None:
    assert KEYS.person_of(text) is None


def test_changed_key_is_no_key() -> None:
    key = KEYS.key_of(PEOPLE[0])
    for place in (0, len(key) // 2, len(key) - 2):
        changed = key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :]
        assert KEYS.person_of(changed) is None
