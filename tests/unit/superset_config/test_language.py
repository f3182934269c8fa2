"""Words and dates of Superset's pages."""

from __future__ import annotations

from superset_config.language import with_japanese_dates, with_own_words

TEXT, TIME, NUMBER = 1, 2, 0


def test_dates_of_records_are_words() -> None:
    answer = {
        "result": {
            "colnames": ["born", "seen", "months"],
            "coltypes": [TIME, TIME, NUMBER],
            "data": [
                {"born": 1775001600000.0, "seen": 1775055599000.0, "months": 3},
                {"born": -86400000, "seen": None, "months": 215},
            ],
        }
    }
    assert with_japanese_dates(answer)["result"] == {
        "colnames": ["born", "seen", "months"],
        "coltypes": [TEXT, TEXT, NUMBER],
        "data": [
            {"born": "2026年4月1日", "seen": "2026年4月1日 14:59", "months": 3},
            {"born": "1969年12月31日", "seen": None, "months": 215},
        ],
    }


def test_own_words_replace_wrong_ones() -> None:
    pack = with_own_words({"locale_data": {"superset": {"About": ["について"], "Export YAML": ["レポート名"]}}})
    assert pack["locale_data"]["superset"]["About"] == ["このシステム"]
    assert pack["locale_data"]["superset"]["Export YAML"] == ["設定を書き出す"]
