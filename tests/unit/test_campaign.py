"""The campaign's requests come from every account of the staff list."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.campaign import __main__ as campaign_of
from tests.campaign.__main__ import AT_A_TIME, Campaign, requests
from tests.security.attacks import Attack
from tests.security.test_attacks import STAFF


def test_requests_are_spread_evenly_over_the_staff_list(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: Counter[str] = Counter()

    def answers_to(_server: object, username: str, chosen: list[Attack]) -> list[tuple[Attack, None]]:
        sent[username] += len(chosen)
        return [(one, None) for one in chosen]

    tried = [Attack(str(number), "GET", f"/{number}") for number in range(100)]
    monkeypatch.setattr(campaign_of, "answers_to", answers_to)
    monkeypatch.setattr(campaign_of, "findings", lambda *_: [])
    monkeypatch.setattr(campaign_of, "attacks", lambda _server, _table: tried)
    campaign = Campaign(Path(), Mock(), random.Random(1))
    for _ in range(3):
        assert len(list(requests(campaign))) == 2 * AT_A_TIME
    assert set(sent) == set(STAFF)
    assert max(sent.values()) - min(sent.values()) <= 1
