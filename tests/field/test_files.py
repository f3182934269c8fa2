"""Cases of files: unquoted commas, dates in names, and what stands behind the last record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.running import RunCase, landing, resident

pytestmark = pytest.mark.slow


def family(child: str, mother: str, household: str) -> list[dict[str, str]]:
    """A mother and her child of ten years."""
    return [
        resident(mother, household, "近藤 楓", "S63.7.7", 性別="2", 続柄コード1="02"),
        resident(child, household, "近藤 湧", "H28.5.5"),
    ]


def lines(*records: str) -> bytes:
    """A file in CP932."""
    return "\r\n".join([*records, ""]).encode("cp932")


def test_a_comma_in_a_text_is_a_reject(field: RunCase) -> None:
    outcome = field("14-comma-in-free-text")
    assert outcome.rejects("child_consultations") == [(2, "wrong_field_count", None)]
    assert outcome.rejects("council_cases") == [(2, "wrong_field_count", None)]
    assert outcome.rows("select count(*) from marts.fct_observation where observation_code like '%abuse%'") == [(0,)]


def test_a_delivery_of_2036_is_held_and_the_newborn_of_2026_is_a_subject(field: RunCase) -> None:
    outcome = field("22-the-year-2036")
    deliveries = outcome.rows(
        "select file_name, status, reason is not null from marts.fct_delivery "
        "where source_id = 'resident_register' order by file_name"
    )
    assert deliveries == [
        ("resident_register_20260401.csv", "loaded", False),
        ("resident_register_20360331.csv", "held", True),
    ]
    assert outcome.is_known_to_services("200002") is not None


def test_the_mark_of_the_end_of_a_file_is_no_value(field: RunCase) -> None:
    outcome = field("24-end-of-file-mark")
    for source_id in ("vaccinations", "nursery_attendance"):
        delivery = outcome.delivery(source_id)
        assert (delivery["rows_read"], delivery["rows_loaded"], delivery["rows_rejected"]) == (2, 2, 0)
        assert delivery["status"] == "loaded"
    assert len(outcome.observations("210002", "vaccination")) == 1


def test_neighbours_of_these(field: RunCase, tmp_path: Path) -> None:
    """A date with a time behind a longer number; one comma too many in three records; trailers before the mark."""
    delivered = landing(
        tmp_path,
        resident_register=family("160001", "210001", "860001"),
        council_cases=lines(
            "ケース番号,児童_宛名番号,登録年月日,終結年月日,区分,主な困難,虐待種別,主担当機関",
            "K1,160001,R7.4.10,,要支援,養育困難,経済困窮,,",
            "K2,160001,R7.5.10,,要支援,養育困難,,",
            "K3,160001,R7.6.1,,要支援,,,",
        ),
        vaccinations=lines(
            "宛名番号,ワクチン種別,回数,接種年月日", "160001,MR,1,H29.6.1", "計1件（うち修正1件）", "\x1a"
        ),
        nursery_attendance=lines(
            "児童_宛名番号,年月,在籍日数,欠席日数,無断欠席日数", "160001,R8.3,20,3,1", "[EOF]\x1a"
        ),
    )
    (path,) = (delivered / "resident_register").iterdir()
    path.rename(path.with_name("1520212345678_20260331123000.csv"))
    outcome = field("neighbours-of-files", delivered)
    assert outcome.delivery("resident_register")["delivered_on"].isoformat() == "2026-03-31"
    assert outcome.rejects("council_cases") == [(2, "wrong_field_count", None)]
    assert outcome.delivery("council_cases")["rows_loaded"] == 2
    for source_id in ("vaccinations", "nursery_attendance"):
        delivery = outcome.delivery(source_id)
        assert (delivery["rows_loaded"], delivery["rows_rejected"], delivery["status"]) == (1, 0, "loaded")
