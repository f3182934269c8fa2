"""Writes kanji_variants.csv: which kanji are taken for the same character when names are compared.

The source is the table in jntajis-python: the MJ shrink map (MJ縮退マップ) of the Character Information Technology
Promotion Council, CC BY-SA 2.1 JP, and the JIS shrink map (JIS縮退マップ) of the National Tax Agency, CC BY 4.0.
Run it after an update of the package: ``python seeds/build_kanji_variants.py``. The seed is what is used.
"""

from __future__ import annotations

import contextlib
import csv
import unicodedata
from pathlib import Path

from jntajis import MJShrinkSchemeCombo, TransliterationError, jnta_shrink_translit, mj_shrink_candidates

TABLE = Path(__file__).with_name("kanji_variants.csv")

# The map keeps characters of everyday use apart, also where families write one name with either of them.
SAME_NAME = {
    "斎": "斉", "齋": "斉", "齊": "斉",
    "龍": "竜", "嶋": "島", "瀧": "滝", "冨": "富", "埜": "野", "峯": "峰", "曾": "曽", "穐": "秋", "舘": "館",
    "薗": "園", "栢": "柏", "祢": "禰", "苅": "刈", "涌": "湧", "檜": "桧", "藪": "薮", "壺": "壷", "燈": "灯",
    "頴": "穎", "楳": "梅", "盃": "杯",
}  # fmt: skip

# Blocks that registers of people use: the basic plane, and the first supplementary one.
BLOCKS = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF)]
REGISTER_SCHEMES = [
    MJShrinkSchemeCombo.JIS_INCORPORATION_UCS_UNIFICATION_RULE,
    MJShrinkSchemeCombo.MOJ_NOTICE_582,
    MJShrinkSchemeCombo.MOJ_FAMILY_REGISTER_ACT_RELATED_NOTICE,
]


def jis_level(character: str) -> int:
    """1 for everyday kanji (JIS X 0208 level 1), 2 for the rest of JIS X 0208, 3 for all others."""
    try:
        encoded = character.encode("euc_jp")
    except UnicodeEncodeError:
        return 3
    if len(encoded) != 2:
        return 3
    return 1 if 16 <= encoded[0] - 0xA0 <= 47 else 2


def candidates(character: str) -> set[str]:
    """The other forms that the tables give for a character."""
    folded_forms: set[str] = set()
    for scheme in REGISTER_SCHEMES:
        folded_forms.update(mj_shrink_candidates(character, scheme))
    with contextlib.suppress(TransliterationError):
        folded_forms.add(jnta_shrink_translit(character))
    forms = {unicodedata.normalize("NFKC", form) for form in folded_forms}
    return {form for form in forms if len(form) == 1 and form not in {character, "\ufffd"}}


def folded(character: str, seen: frozenset[str] = frozenset()) -> str:
    """The form a character folds to: itself, where the tables name no other or more than one."""
    if character in SAME_NAME:
        return SAME_NAME[character]
    if jis_level(character) == 1 or character in seen:
        return character
    forms = candidates(character)
    for level in (1, 2, 3):
        of_level = {form for form in forms if jis_level(form) == level}
        if of_level:
            targets = {folded(form, seen | {character}) for form in of_level}
            return targets.pop() if len(targets) == 1 else character
    return character


def main() -> None:
    """Write the table, in the order of the code points."""
    rows = []
    for first, last in BLOCKS:
        for character in map(chr, range(first, last + 1)):
            # Raw text is NFKC already: what NFKC changes never gets here.
            if unicodedata.normalize("NFKC", character) == character and folded(character) != character:
                rows.append((character, folded(character)))
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["variant", "folded"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
