"""Kana, kanji and addresses in the form in which they are compared, and the table of variant kanji."""

from __future__ import annotations

import csv
import unicodedata

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.unit.macros.rendering import SEEDS, evaluate, macro


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        ("ヤマダ タロウ", "ヤマダタロウ"),
        ("やまだ たろう", "ヤマダタロウ"),
        ("ヤマダ タロー", "ヤマダタロー"),
        ("ヤマダ タロ―", "ヤマダタロー"),
        ("ヤマダ タロ-", "ヤマダタロー"),
        ("ヤマダ タロ−", "ヤマダタロー"),
        ("きょうこ ゔぃぃ", "キョウコヴィィ"),
        ("シャルロッテ", "シャルロッテ"),
        ("ガ パ ヴ", "ガパヴ"),
        ("ゝゞ", "ヽヾ"),
        (None, None),
    ],
)
def test_kana(given: str | None, matched: str | None) -> None:
    assert evaluate(macro("match_kana"), [given]) == [matched]


def test_all_hiragana_become_katakana() -> None:
    hiragana = [chr(code) for code in range(0x3041, 0x3097)]
    assert evaluate(macro("match_kana"), [*hiragana]) == [chr(ord(kana) + 0x60) for kana in hiragana]


def test_half_width_kana_compose_before_they_are_matched() -> None:
    """Arrow's NFKC leaves ﾊﾟ decomposed; the engine's NFC composes it. Neither takes ガ for カ."""
    delivered = pa.array(["ﾊﾟﾋﾟﾌﾟ", "ｶﾞｷﾞｳﾞ", "ﾊﾞﾅﾅ", "ガ", "ﾔﾏﾀﾞ ﾀﾛｰ"])
    folded = pa.table({"text": pc.utf8_normalize(delivered, "NFKC")})
    with duckdb.connect() as connection:
        connection.register("folded", folded)
        raw = [text for (text,) in connection.execute("select nfc_normalize(text) from folded").fetchall()]
    assert evaluate(macro("match_kana"), raw) == ["パピプ", "ガギヴ", "バナナ", "ガ", "ヤマダタロー"]


@pytest.mark.parametrize(
    ("variants", "folded"),
    [
        (["髙橋", "高橋", "高 橋"], "高橋"),
        (["山﨑", "山崎"], "山崎"),
        (["渡邉", "渡邊", "渡辺"], "渡辺"),
        (["濵田", "濱田", "浜田"], "浜田"),
        (["𠮷田", "吉田"], "吉田"),
        (["齋藤", "齊藤", "斎藤", "斉藤"], "斉藤"),
        (["龍太", "竜太"], "竜太"),
        (["廣澤國惠", "広沢国恵"], "広沢国恵"),
        (["祐\U000e0100介", "祐介"], "祐介"),
        ([None], None),
    ],
)
def test_variant_kanji_fold_alike(variants: list[str | None], folded: str | None) -> None:
    assert evaluate(macro("match_kanji"), variants) == [folded] * len(variants)


def test_different_names_stay_apart() -> None:
    names = ["玉", "王", "功", "切", "書", "昼", "著", "着", "師", "帥", "太", "大", "末", "未", "土", "士"]
    assert evaluate(macro("match_kanji"), [*names]) == names


def test_table_of_variants_has_no_chain_and_no_ambiguity() -> None:
    with (SEEDS / "kanji_variants.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["variant"], row["folded"]) for row in csv.DictReader(file)]
    variants = [variant for variant, _ in rows]
    assert len(set(variants)) == len(variants)
    assert not {folded for _, folded in rows} & set(variants)
    assert all(len(variant) == len(folded) == 1 and variant != folded for variant, folded in rows)
    assert all(unicodedata.normalize("NFKC", variant) == variant for variant in variants)


def test_table_of_variants_is_what_its_script_makes() -> None:
    from seeds.build_kanji_variants import SAME_NAME, folded

    with (SEEDS / "kanji_variants.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["variant"], row["folded"]) for row in csv.DictReader(file)]
    assert [(variant, folded(variant)) for variant, _ in rows] == rows
    assert set(SAME_NAME.items()) <= set(rows)


@pytest.mark.parametrize(
    ("given", "matched", "building"),
    [
        ("両津夷1番地2", "両津夷1-2", None),
        ("両津夷1番2号", "両津夷1-2", None),
        ("両津夷1-2", "両津夷1-2", None),
        ("両津夷1−2", "両津夷1-2", None),
        ("両津夷1の2", "両津夷1-2", None),
        ("両津夷1ノ2", "両津夷1-2", None),
        ("両津夷 1番地の2", "両津夷1-2", None),
        ("大字両津字夷1番地", "両津夷1", None),
        ("本町三丁目5番6号", "本町3-5-6", None),
        ("本町3丁目5-6", "本町3-5-6", None),
        ("本町十丁目1", "本町10-1", None),
        ("本町十二丁目1", "本町12-1", None),
        ("本町二十丁目1", "本町20-1", None),
        ("本町二十三丁目1", "本町23-1", None),
        ("二宮二丁目1", "二宮2-1", None),
        ("霞ヶ丘1", "霞ケ丘1", None),
        ("霞が丘1", "霞ケ丘1", None),
        ("霞ケ丘1", "霞ケ丘1", None),
        ("夷1番地2 コーポ海101", "夷1-2", "コ-ポ海101"),
        ("夷1番地2号 101号室", "夷1-2", "101室"),
        ("夷1番地2メゾン佐渡", "夷1-2", "メゾン佐渡"),
        ("北1条西2丁目3-4", "北1条西2-3-4", None),
        ("相川栄町", "相川栄町", None),
        ("12番地甲", "12-甲", None),
        (None, None, None),
    ],
)
def test_addresses(given: str | None, matched: str | None, building: str | None) -> None:
    assert evaluate(macro("match_address"), [given]) == [matched]
    assert evaluate(macro("address_building"), [given]) == [building]
