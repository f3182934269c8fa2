"""A record that may be of a protected person shows no place, whichever candidate stands beside it."""

from __future__ import annotations

from typing import Any

from kodomo.linkage.explain import WITHHELD
from kodomo.linkage.pairs import without_places


def pair(record: str, person: str) -> dict[str, Any]:
    return {
        "source_id": "guidance_centre_cases", "source_key": record, "person_id": person, "record_name": "名",
        "record_address": "真野1", "register_address": "相川2", "record_guardian": "父", "register_guardian": "母",
    }  # fmt: skip


def test_neither_side_tells_and_no_other_pair_of_the_record() -> None:
    pairs = [pair("r1", "p1"), pair("r1", "p2"), pair("r2", "p2")]
    shown = without_places(pairs, lambda one: one["person_id"] == "p1")
    for one in shown[:2]:
        assert {one[name] for name in one if name.endswith(("_address", "_guardian"))} == {WITHHELD}
        assert one["record_name"] == "名"
    assert shown[2] == pairs[2]
