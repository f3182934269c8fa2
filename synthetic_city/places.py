"""Places: the former municipalities with their weight, town names, postcodes, facilities and schools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Municipality:
    """A former municipality: its share of the residents (about 2020, approximate), towns and institutions."""

    name: str
    weight: float
    postcode: int
    towns: tuple[str, ...]
    primary_schools: tuple[str, ...]
    junior_schools: tuple[str, ...]
    nurseries: tuple[str, ...]


def _municipality(name: str, weight: float, postcode: int, towns: str, *facilities: str) -> Municipality:
    return Municipality(name, weight, postcode, tuple(towns.split()), *(tuple(f.split()) for f in facilities))


# Shares after the residents of the ten former municipalities about 2020 (national census, rounded).
MUNICIPALITIES = (
    _municipality(
        "両津市", 0.238, 9520011,
        "両津夷 両津湊 両津福浦 梅津 加茂歌代 河崎 住吉 吾潟 秋津 潟端 椎泊 水津 鷲崎 北小浦 浦川 春日 羽吉 原黒",
        "両津小学校 加茂小学校 河崎小学校 両津吉井小学校", "両津中学校 前浜中学校",
        "夷保育園 湊保育園 加茂保育園 吾潟保育園",
    ),
    _municipality(
        "相川町", 0.112, 9521501,
        "相川羽田町 相川下戸町 相川大間町 相川一町目 "
        "相川下山之神町 二見 米郷 高千 北田野浦 入川 姫津 達者 小川 戸中 鹿伏",
        "相川小学校 七浦小学校 高千小学校", "相川中学校 高千中学校", "相川保育園 七浦保育園",
    ),
    _municipality(
        "佐和田町", 0.160, 9521301,
        "河原田本町 河原田諏訪町 中原 窪田 八幡 沢根 沢根五十里 真光寺 長木 東大通 鍛冶町 二宮 石田 上長木",
        "河原田小学校 八幡小学校 二宮小学校 沢根小学校", "佐和田中学校",
        "河原田保育園 八幡保育園 沢根保育園 さわた保育園",
    ),
    _municipality(
        "金井町", 0.125, 9521201,
        "千種 泉 中興 吉井 金井新保 貝塚 大和 平清水 安養寺 水渡田 吉井本郷",
        "金井小学校", "金井中学校", "金井保育園 吉井保育園",
    ),
    _municipality(
        "新穂村", 0.070, 9520101,
        "新穂 新穂大野 新穂潟上 新穂皆川 新穂舟下 新穂正明寺 新穂青木 新穂瓜生屋 下新穂 新穂武井",
        "新穂小学校 行谷小学校", "新穂中学校", "新穂保育園 トキっ子保育園",
    ),
    _municipality(
        "畑野町", 0.078, 9520201,
        "畑野 宮川 栗野江 目黒町 小倉 松ケ崎 多田 三宮 坊ケ浦 浜河内 寺田",
        "畑野小学校 松ケ崎小学校", "南佐渡中学校", "畑野保育園 小倉保育園",
    ),
    _municipality(
        "真野町", 0.095, 9520301,
        "真野新町 吉岡 四日町 豊田 大須 西三川 背合 滝脇 静平 竹田 金丸 名古屋 長石",
        "真野小学校 西三川小学校", "真野中学校", "真野第一保育園 真野第二保育園",
    ),
    _municipality(
        "小木町", 0.048, 9520604,
        "小木町 小木 宿根木 江積 琴浦 木野浦 井坪 沢崎 強清水 小比叡",
        "小木小学校", "小木中学校", "小木保育園",
    ),
    _municipality(
        "羽茂町", 0.054, 9520504,
        "羽茂本郷 羽茂大石 羽茂滝平 羽茂村山 羽茂大橋 羽茂小泊 羽茂三瀬 羽茂亀脇 羽茂上山田",
        "羽茂小学校", "羽茂中学校", "羽茂保育園",
    ),
    _municipality(
        "赤泊村", 0.032, 9520711,
        "赤泊 徳和 三川 真浦 新谷 莚場 南新保 外山 柳沢 上川茂 杉野浦",
        "赤泊小学校", "赤泊中学校", "赤泊保育園",
    ),
)  # fmt: skip

# Where people come from, go to, or live when they are known to a school and not to the register.
OUTSIDE_ADDRESSES = (
    "新潟県新潟市中央区古町通", "新潟県新潟市東区松崎", "新潟県新潟市西区小針", "新潟県長岡市大手通",
    "新潟県上越市本町",
    "新潟県新発田市中央町", "東京都江戸川区平井", "埼玉県川口市芝", "神奈川県川崎市幸区塚越",
)  # fmt: skip

MUNICIPALITY_NAMES = np.array([place.name for place in MUNICIPALITIES], dtype=object)
WEIGHTS = np.array([place.weight for place in MUNICIPALITIES]) / sum(place.weight for place in MUNICIPALITIES)
TOWNS = np.array([town for place in MUNICIPALITIES for town in place.towns], dtype=object)
TOWN_MUNICIPALITY = np.array([number for number, place in enumerate(MUNICIPALITIES) for _ in place.towns])
TOWN_COUNT = np.array([len(place.towns) for place in MUNICIPALITIES])
TOWN_FIRST = np.cumsum(TOWN_COUNT) - TOWN_COUNT
TOWN_POSTCODE = np.array(
    [place.postcode + step for place in MUNICIPALITIES for step in range(len(place.towns))], dtype=np.int64
)
CITY_WORDS = ("佐渡市", "新潟県佐渡市", "")


def draw_towns(rng: np.random.Generator, municipality: np.ndarray) -> np.ndarray:
    """A town of each municipality; the first of its towns are the larger ones."""
    share = rng.random(len(municipality)) ** 1.4
    return (TOWN_FIRST[municipality] + (share * TOWN_COUNT[municipality]).astype(np.int64)).astype(np.int16)
