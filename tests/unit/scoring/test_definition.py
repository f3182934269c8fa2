"""Mistakes that are planted in the definition in force are named with file, line and what to do."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kodomo.scoring.definition import TABLES, check, read_definition, version_hash
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.seeds import SEEDS

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
    return [str(mistake) for mistake in check(read_definition(folder), observation_obstacles(AS_OF))]


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
        ("risk_bands", ["epds,7,5,10,true,"], "epds: band 7 overlaps band 1 (line"),
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
        ("risk_items", ["odd,仮,生活,observations,loan,friends,12,count,,,,,"], "scope is 'friends'"),
        ("risk_items", ["odd,仮,生活,observations,loan,self,12,mean,,,,,"], "aggregate is 'mean'"),
        ("risk_items", ["both,両方,連鎖,chain,vertical_horizontal,,,,,,,理由,出典"], "vertical or horizontal"),
        ("risk_overrides", ["v1,abuse,epds,2,extreme"], "the tier extreme does not exist for v1 abuse"),
        ("risk_tiers", ["v1,abuse,extreme,3,極めて高い,20"], "rank 3 is there twice"),
        ("risk_tiers", ["v1,abuse,extreme,4,極めて高い,8"], "the graver tier extreme must begin above high"),
        ("risk_groups", ["odd,average,"], "combine is 'average': write sum or max"),
        ("risk_coefficients", ["v1,poverty,epds,1,１"], "coefficient is '１': write a number"),
        ("risk_coefficients", ["v1,poverty,epds,1,1_0"], "coefficient is '1_0': write a number"),
        ("risk_coefficients", ["v1,poverty"], "item_code, band_no is empty: fill it in"),
        ("risk_coefficients", ["v1,poverty,epds,1,1,2"], "more values than headings"),
        ("risk_bands", ["loan,1.5,2,3,,"], "band_no is '1.5': write a whole number"),
        ("risk_bands", ["loan,7,5,6,maybe,"], "when_missing is 'maybe': write true or false"),
        ("risk_items", ["epds,重複,医療,observation,epds_total,self,24,latest,,24,,,"], "epds is there twice"),
        ("risk_items", [ITEM.format(code="bullying").replace("count", "sum")], "bullying has no number to take"),
        ("risk_items", [ITEM.format(code="epds_total").replace("count", "")], "aggregate is empty: write one of"),
        ("risk_tiers", ["v1,abuse,extreme,,極めて高い,20"], "tier_rank is empty"),
        ("risk_overrides", ["v9,abuse,epds,2,high"], "the version v9 is not in risk_model_versions.csv"),
        ("risk_overrides", ["v1,abuse,epds,2,"], "at_least_tier is empty"),
        ("risk_model_versions", ["v7,,,,,,,,"], "status is empty: write one of"),
        ("risk_model_versions", ["v7,draft,,2026-13-01,,,,,"], "approved_on is '2026-13-01': write a date"),
        ("risk_model_versions", ["v7,draft,,,2026-05-01,2026-04-01,,,"], "valid_from is after valid_to"),
        ("risk_model_versions", ["v7,draft,,,,,,,"], "v7 has no coefficient: every score is 0"),
        ("risk_targets", ["v9,abuse,0,"], "the version v9 is not in risk_model_versions.csv"),
        ("risk_targets", ["v1,gambling,0,"], "there is no difficulty_type gambling"),
        ("risk_targets", ["v1,truancy,0,"], "v1 does not score truancy: the row changes nothing"),
        ("risk_targets", ["v1,abuse,12,12"], "the age range 12 to 12 holds no age"),
        ("risk_targets", ["v1,abuse,0,12", "v1,abuse,11,24"], "v1 abuse: the ages overlap those of line"),
        ("risk_targets", ["v1,abuse,,", "v1,abuse,,"], "v1 abuse: the ages overlap those of line"),
        ("risk_targets", ["v1,,0,"], "difficulty_type is empty: fill it in"),
        ("risk_targets", ["v1,abuse,six,"], "age_from_months is 'six': write a whole number"),
    ],
)
def test_a_planted_mistake_is_named_with_its_line(folder: Path, table: str, lines: list[str], words: str) -> None:
    line = add(folder, table, *lines)
    assert any(mistake.startswith(f"{table}.csv:{line}: ") and words in mistake for mistake in mistakes(folder))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.encode("cp932", "replace"), "the file is not UTF-8: save it as UTF-8."),
        (lambda text: text.encode("utf-16"), "the file is not UTF-8: save it as UTF-8."),
        (lambda _: b"", "the file is empty: write its heading row."),
        (lambda text: text.replace(",", ";").encode(), "the columns are separated by semicolons"),
        (lambda text: text.replace(",kind,", ",knd,", 1).encode(), "the column kind is missing: add it (is it knd?)."),
        (lambda text: text.replace("label_ja", "kind", 1).encode(), "the column kind is there twice: keep one."),
    ],
)
def test_unreadable_file_is_its_only_mistake(folder: Path, spoil: Callable, words: str) -> None:
    path = folder / "risk_items.csv"
    path.write_bytes(spoil(path.read_text(encoding="utf-8")))
    messages = mistakes(folder)
    assert len(messages) == 1
    assert messages[0].startswith(f"risk_items.csv:1: {words}")
    line = add(folder, "risk_bands", "epds,3,5,10,,")
    assert any(mistake.startswith(f"risk_bands.csv:{line}: epds: band 3 overlaps") for mistake in mistakes(folder))


def test_missing_and_unknown_files_are_named(folder: Path) -> None:
    (folder / "risk_tiers.csv").unlink()
    (folder / "risk_bands.csv").unlink()
    (folder / "risk_bands.csv").mkdir()
    assert mistakes(folder) == [
        "risk_bands.csv:1: the file cannot be read: Is a directory.",
        "risk_tiers.csv:1: the file is missing: add it with its heading row.",
    ]


def test_a_byte_order_mark_and_other_line_ends_are_no_mistakes(folder: Path) -> None:
    for table, ends in (("risk_items", b"\r\n"), ("risk_bands", b"\r")):
        path = folder / f"{table}.csv"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", ends))
    assert mistakes(folder) == []


def test_two_active_versions_of_one_difficulty_type_are_named(folder: Path) -> None:
    add(folder, "risk_tiers", "v9,abuse,low,1,ローリスク,")
    add(folder, "risk_coefficients", "v9,abuse,loan,1,1")
    line = add(folder, "risk_model_versions", "v9,active,,,,,,,")
    assert mistakes(folder) == [
        f"risk_model_versions.csv:{line}: v9 and v2 are both active for abuse: retire one, or make it a trial."
    ]


def test_a_tier_gap_below_is_named(folder: Path) -> None:
    path = folder / "risk_tiers.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("v1,abuse,low,1,ローリスク,\n", "v1,abuse,low,1,ローリスク,1\n"),
        encoding="utf-8",
    )
    assert any("v1 abuse: no tier is open below" in mistake for mistake in mistakes(folder))


def test_an_item_without_legal_basis_is_named() -> None:
    obstacles = observation_obstacles(AS_OF) | {"epds_total": "EPDS合計 is 申請中"}
    messages = [str(mistake) for mistake in check(read_definition(SEEDS), obstacles)]
    assert len(messages) == 1
    assert "epds has no legal basis: EPDS合計 is 申請中" in messages[0]


def test_all_mistakes_are_named_at_once_in_the_order_of_files_and_lines(folder: Path) -> None:
    add(folder, "risk_overrides", "trial-1,postpartum_depression,epds,2,extreme")
    add(folder, "risk_bands", "epds,3,5,10,,", "epds,4,5,10,,")
    named = [mistake.partition(": ")[0].split(":") for mistake in mistakes(folder)]
    assert [file for file, _ in named] == ["risk_bands.csv", "risk_bands.csv", "risk_overrides.csv"]
    assert int(named[0][1]) < int(named[1][1])


def test_the_hash_of_a_version_holds_what_makes_its_scores_and_nothing_else(folder: Path) -> None:
    before = version_hash(read_definition(folder), "v1")
    path = folder / "risk_items.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("妊娠届の遅れ", "届出の遅れ"), encoding="utf-8")
    add(folder, "risk_coefficients", "trial-1,truancy,loan,1,1", "trial-1,truancy,loan,9,1")
    add(folder, "risk_bands", "loan,9,,,true,")
    assert version_hash(read_definition(folder), "v1") == before
    add(folder, "risk_coefficients", "v1,abuse,loan,1,0.5")
    assert version_hash(read_definition(folder), "v1") != before


@pytest.mark.parametrize(
    ("difficulty", "ages"),
    [
        ("truancy", range(-9, 72)),  # before school
        ("young_carer", range(-9, 72)),
        ("postpartum_depression", range(12, 216)),  # after the first year
    ],
)
def test_child_of_an_age_for_which_the_type_makes_no_sense_is_not_scored_for_it(difficulty: str, ages: range) -> None:
    definition = read_definition(SEEDS)
    versions = {row["model_version"] for row in definition["risk_tiers"] if row["difficulty_type"] == difficulty}
    for version in versions:
        ranges = [
            row
            for row in definition["risk_targets"]
            if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
        ]
        assert ranges
        for age in ages:
            assert not any(
                age >= (-99 if row["age_from_months"] is None else row["age_from_months"])
                and age < (999 if row["age_to_months"] is None else row["age_to_months"])
                for row in ranges
            ), (version, age)


def test_no_item_keeps_ages_out_by_its_points() -> None:
    assert min(row["coefficient"] for row in read_definition(SEEDS)["risk_coefficients"]) >= 0


@pytest.mark.parametrize("line", ["v1,abuse,0,", "v1,abuse,,60"])
def test_hash_of_a_version_holds_the_ages_that_its_types_concern(folder: Path, line: str) -> None:
    before = version_hash(read_definition(folder), "v1")
    add(folder, "risk_targets", "trial-1,truancy,60,72")
    assert version_hash(read_definition(folder), "v1") == before
    add(folder, "risk_targets", line)
    assert version_hash(read_definition(folder), "v1") != before


def test_two_ranges_of_one_type_that_share_no_age_are_no_mistake(folder: Path) -> None:
    add(folder, "risk_targets", "v1,abuse,,12", "v1,abuse,12,24", "v1,poverty,36,")
    assert [mistake for mistake in mistakes(folder) if "risk_targets" in mistake] == []


def test_definition_without_targets_concerns_every_age(folder: Path) -> None:
    (folder / "risk_targets.csv").unlink()
    assert mistakes(folder) == []


def test_the_hash_holds_the_bands_that_keep_a_lowering_contribution_from_counting(folder: Path) -> None:
    add(folder, "risk_groups", "lowering,max,")
    add(folder, "risk_items", *(f"{code},{code},生活,observation,loan,self,,any,,,lowering,," for code in ("a", "b")))
    add(folder, "risk_bands", "a,1,1,,,", "b,1,2,,,")
    add(folder, "risk_coefficients", "v1,abuse,a,1,-1", "trial-1,truancy,a,1,1")
    versions = ("v1", "trial-1")
    before = [version_hash(read_definition(folder), version) for version in versions]
    add(folder, "risk_bands", "b,2,1,2,,")
    after = [version_hash(read_definition(folder), version) for version in versions]
    assert after[0] != before[0]
    assert after[1] == before[1]
