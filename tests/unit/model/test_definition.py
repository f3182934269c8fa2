"""Mistakes that are planted in the definition in force are named with file, line and what to do."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from orchestration.model.definition import SEEDS, TABLES, check, read_definition, version_hash
from orchestration.model.legal_basis import observation_obstacles

AS_OF = dt.date(2026, 4, 1)
ITEM = "planted,仮の項目,生活,observation,{code},self,12,count,,,,理由,出典"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the definition in force."""
    for table in TABLES:
        shutil.copy(SEEDS / f"{table}.csv", tmp_path)
    return tmp_path


def mistakes(folder: Path) -> list[str]:
    """Everything that the check says of a folder."""
    return [str(found) for found in check(read_definition(folder), observation_obstacles(AS_OF))]


def add(folder: Path, table: str, *lines: str) -> int:
    """Append lines to a table; the number of the last one."""
    path = folder / f"{table}.csv"
    text = path.read_text(encoding="utf-8") + "".join(f"{line}\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return text.count("\n")


def test_the_definition_in_force_has_no_mistakes(folder: Path) -> None:
    assert mistakes(folder) == []


@pytest.mark.parametrize(
    ("table", "lines", "words"),
    [
        ("risk_bands", ["epds,3,5,10,,"], "epds: band 3 overlaps band 1 (line"),
        ("risk_bands", ["epds,3,,100,,"], "overlaps band"),
        ("risk_bands", ["epds,7,,,true,", "epds,8,,,true,"], "second band for missing values"),
        ("risk_bands", ["epds,7,5,5,,"], "holds no value"),
        ("risk_bands", ["epds,7,five,,,"], "lower is 'five': write a number"),
        ("risk_coefficients", ["v1,abuse,epds,77,1"], "epds has no band 77"),
        ("risk_coefficients", ["v1,abuse,epds,1,1"], "is there twice"),
        ("risk_coefficients", ["v9,abuse,epds,1,1"], "the version v9 is not in risk_model_versions.csv"),
        ("risk_coefficients", ["v1,abuse,loan,1,0.1234"], "write a number with at most 6 digits"),
        ("risk_coefficients", ["v1,gambling,loan,1,1"], "there is no difficulty_type gambling"),
        ("risk_item_members", ["c_carer,c_chain_now"], "the member c_chain_now is a combination"),
        ("risk_item_members", ["c_carer,nothing"], "the member nothing is not in risk_items.csv"),
        ("risk_items", [ITEM.format(code="epds_totl")], "did you mean epds_total?"),
        ("risk_items", [ITEM.format(code="epds_total").replace("生活", "趣味")], "category is '趣味'"),
        ("risk_items", [ITEM.format(code="epds_total").replace("self", "friends")], "scope is 'friends'"),
        ("risk_items", [ITEM.format(code="epds_total").replace("count", "mean")], "aggregate is 'mean'"),
        ("risk_items", ["both,両方,連鎖,chain,vertical_horizontal,,,,,,,理由,出典"], "vertical or horizontal"),
        ("risk_overrides", ["v1,abuse,epds,2,extreme"], "the tier extreme does not exist for v1 abuse"),
        ("risk_tiers", ["v1,abuse,extreme,3,極めて高い,20"], "rank 3 is there twice"),
        ("risk_tiers", ["v1,abuse,extreme,4,極めて高い,8"], "the graver tier extreme must begin above high"),
        ("risk_groups", ["odd,average,"], "combine is 'average': write sum or max"),
    ],
)
def test_a_planted_mistake_is_named_with_its_line(folder: Path, table: str, lines: list[str], words: str) -> None:
    line = add(folder, table, *lines)
    assert any(found.startswith(f"{table}.csv:{line}: ") and words in found for found in mistakes(folder))


def test_a_tier_gap_below_is_named(folder: Path) -> None:
    path = folder / "risk_tiers.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("v1,abuse,low,1,ローリスク,\n", "v1,abuse,low,1,ローリスク,1\n"),
        encoding="utf-8",
    )
    assert any("v1 abuse: no tier is open below" in found for found in mistakes(folder))


def test_an_item_without_legal_basis_is_named() -> None:
    obstacles = observation_obstacles(AS_OF) | {"epds_total": "EPDS合計 is 申請中"}
    found = [str(mistake) for mistake in check(read_definition(SEEDS), obstacles)]
    assert len(found) == 1
    assert "epds has no legal basis: EPDS合計 is 申請中" in found[0]


def test_all_mistakes_are_named_at_once_in_the_order_of_files_and_lines(folder: Path) -> None:
    add(folder, "risk_overrides", "v1,abuse,epds,2,extreme")
    add(folder, "risk_bands", "epds,3,5,10,,", "epds,4,5,10,,")
    named = [found.partition(": ")[0].split(":") for found in mistakes(folder)]
    assert [file for file, _ in named] == ["risk_bands.csv", "risk_bands.csv", "risk_overrides.csv"]
    assert int(named[0][1]) < int(named[1][1])


def test_the_hash_of_a_version_holds_what_makes_its_scores_and_nothing_else(folder: Path) -> None:
    before = version_hash(read_definition(folder), "v1")
    path = folder / "risk_items.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("妊娠届の遅れ", "届出の遅れ"), encoding="utf-8")
    add(folder, "risk_coefficients", "trial-1,truancy,loan,1,1")
    assert version_hash(read_definition(folder), "v1") == before
    add(folder, "risk_coefficients", "v1,abuse,loan,1,0.5")
    assert version_hash(read_definition(folder), "v1") != before
