"""One account is one count of attempts, however its name is typed and whatever its address is called."""

from __future__ import annotations

import pytest

from superset_config.security.names import account_name, client_address


@pytest.mark.parametrize(
    "typed",
    [
        "child_mano", "CHILD_Mano", "  child_mano\t", "child_mano@kodomo.invalid", "Child_Mano@KODOMO.invalid",
        "\uff43\uff48\uff49\uff4c\uff44\uff3f\uff4d\uff41\uff4e\uff4f",
        "\u3000child_mano", "child_mano\0", "chi\u200bld_mano",
    ],
)  # fmt: skip
def test_every_spelling_of_a_name_is_one_account(typed: str) -> None:
    assert account_name(typed) == "child_mano"


@pytest.mark.parametrize("typed", ["child_man0", "child mano", "child_mano@other.invalid", ""])
def test_other_names_are_other_accounts(typed: str) -> None:
    assert account_name(typed) != "child_mano"


def test_what_is_no_text_is_no_name() -> None:
    assert account_name(None) == account_name(["child_mano"]) == account_name(7) == ""


def test_a_long_name_is_cut() -> None:
    assert len(account_name("x" * 1_000_000)) == 64


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("fd00::1", "fd00::/64"),
        ("fd00::ffff:1", "fd00::/64"),
        ("fd00:0:0:1::1", "fd00:0:0:1::/64"),
        ("unix", "unix"),
        (None, ""),
    ],
)
def test_one_client_is_one_address(given: str | None, counted: str) -> None:
    assert client_address(given) == counted
