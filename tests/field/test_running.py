"""The runner of the cases itself: a family without any slip."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.field.running import RunCase, landing, resident

pytestmark = pytest.mark.slow


def test_files_that_a_test_writes_are_a_case(field: RunCase, tmp_path: Path) -> None:
    register = [
        resident("160001", "810001", "川上 七海", "S63.7.7", 性別="2", 続柄コード1="02"),
        resident("110001", "810001", "川上 凛", "R1.6.6", 性別="2"),
    ]
    case = {
        "ケース番号": "K1",
        "児童_宛名番号": "110001",
        "登録年月日": "R7.4.10",
        "区分": "要保護",
        "虐待種別": "身体的",
    }
    outcome = field("a-family-without-any-slip", landing(tmp_path, resident_register=register, council_cases=[case]))
    assert outcome.is_known_to_services("110001") is True
    assert outcome.is_known_to_services("160001") is None
    assert outcome.observations("110001", "council_case") == [(dt.date(2025, 4, 10), None, None)]
    assert outcome.rejects("council_cases") == outcome.value_issues("council_cases") == []
    assert outcome.delivery("council_cases")["rows_loaded"] == 1
    assert outcome.failed_expectations == set()
