"""Whose place stays withheld: the protected, and everyone who lives with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.publication.places import everyone_withheld, may_be_handed, withheld_places
from tests.unit.publication.published import publish_people

PEOPLE = [
    ("mother", "refuge", True),
    ("child", "refuge", True),
    ("grandmother", "refuge", False),
    ("other grandchild", "elsewhere", False),
    ("neighbour", "next door", False),
    ("without household", None, False),
    ("unclear", "nowhere", None),
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A publication of one family in which a protected mother lives with her own mother."""
    home = Home(tmp_path / "var")
    publish_people(home, PEOPLE)
    return home


def test_a_grandmother_in_the_household_of_a_protected_family_is_withheld(home: Home) -> None:
    asked = [name for name, _, _ in PEOPLE]
    assert withheld_places(home, asked) == {"mother", "child", "grandmother", "unclear"}


def test_a_measure_typed_today_withholds_the_whole_household(home: Home) -> None:
    assert withheld_places(home, ["other grandchild", "neighbour"], ["other grandchild"]) == {"other grandchild"}
    assert withheld_places(home, ["grandmother"], []) == {"grandmother"}


def test_everyone_withheld_is_of_the_publication_or_of_a_typed_measure(home: Home) -> None:
    assert everyone_withheld(home) == {"mother", "child", "grandmother", "unclear"}
    assert everyone_withheld(home, ["stranger"]) == {"mother", "child", "grandmother", "unclear", "stranger"}


def test_a_person_that_the_publication_does_not_know_is_withheld(home: Home) -> None:
    assert withheld_places(home, ["stranger"]) == {"stranger"}


def test_withheld_places_need_a_publication(tmp_path: Path) -> None:
    with pytest.raises(KodomoError):
        withheld_places(Home(tmp_path), ["mother"])


@pytest.mark.parametrize(
    ("child", "reader", "expected"),
    [
        ("child", "child", True),
        ("child", "mother", True),
        ("child", "grandmother", False),
        ("child", "neighbour", False),
        ("child", "stranger", False),
        ("neighbour", "stranger", True),
        ("stranger", "neighbour", False),
    ],
)
def test_document_about_a_protected_child_is_for_the_protected_only(
    home: Home, child: str, reader: str, expected: bool
) -> None:
    assert may_be_handed(home, child, reader) is expected


def test_measure_typed_today_counts_for_documents_too(home: Home) -> None:
    assert may_be_handed(home, "neighbour", "without household")
    assert not may_be_handed(home, "neighbour", "without household", ["neighbour"])
    assert may_be_handed(home, "neighbour", "without household", ["neighbour", "without household"])
