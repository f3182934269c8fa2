"""Names: surnames of Sado and Niigata with their variant kanji, given names by generation, half-width kana."""

from __future__ import annotations

import unicodedata

import numpy as np

# Reading, weight, spellings (the first is the commonest). The weights follow the common surnames of Sado (本間 first by
# far, then 渡辺, 佐々木, 中川, 菊池, 山本, 斎藤 …) and of Niigata; they are approximate, since only their order
# matters.
SURNAME_TABLE = """
ホンマ 80 本間|夲間
ワタナベ 42 渡辺|渡邉|渡邊|渡部
ササキ 28 佐々木
ナカガワ 26 中川|仲川
キクチ 24 菊池|菊地
ヤマモト 22 山本
サイトウ 24 斎藤|齋藤|斉藤|齊藤
タカハシ 18 高橋|髙橋
サトウ 20 佐藤
スズキ 12 鈴木
コバヤシ 14 小林
イトウ 14 伊藤|伊東
イシヅカ 12 石塚
カネコ 14 金子
カトウ 12 加藤
コンドウ 12 近藤
ケラ 10 計良
ツチヤ 11 土屋|𡈽屋
イケダ 11 池田
フジイ 10 藤井
ナカムラ 10 中村
カサイ 7 笠井
ウスキ 6 臼杵|臼木
ナバタ 6 名畑
カイ 5 甲斐
ヘンミ 5 逸見|辺見|邊見
イワイ 4 祝|岩井
ハニュウ 5 羽生
イワサキ 8 岩崎|岩﨑
ヤマザキ 8 山崎|山﨑
ハマダ 7 浜田|濱田|濵田
ウジ 5 宇治
カワハラ 5 河原|川原
イチハシ 6 市橋
ナガシマ 5 長島|長嶋|永島
タカノ 8 高野|髙野
ヨシダ 9 吉田
サワダ 6 沢田|澤田
タカサワ 5 高沢|髙澤|高澤
ワタリ 3 渡
マツダ 6 松田
マツモト 6 松本
イノウエ 6 井上
キムラ 6 木村
ハヤシ 6 林
シミズ 7 清水
アベ 6 阿部|安部
コヤマ 5 小山
ノダ 4 野田
ノザキ 4 野崎|野﨑
アオキ 5 青木
ミウラ 5 三浦
オカザキ 4 岡崎|岡﨑
スガワラ 4 菅原
イシイ 5 石井
サカイ 5 酒井|坂井
ナカヤマ 4 中山
ウエスギ 2 上杉
タケウチ 4 竹内|武内
ホソノ 3 細野
カワグチ 4 川口
オオサキ 4 大崎|大﨑
ツカモト 4 塚本|塚夲
ハットリ 4 服部
キタ 3 北|喜多
ミナミ 3 南
オガワ 4 小川
トオヤマ 3 遠山
イガラシ 7 五十嵐
ホシノ 3 星野
マルヤマ 4 丸山
オオタ 4 太田|大田
ヤマダ 5 山田
ヒグチ 3 樋口
コジマ 4 小島|小嶋
ヤジマ 3 矢島|矢嶋
シブヤ 3 渋谷|澁谷
サクマ 2 佐久間
ハセガワ 7 長谷川
ウチダ 3 内田
オカモト 3 岡本
ハヤカワ 3 早川
フジタ 3 藤田
シダ 2 信田
ミズノ 3 水野
スエタケ 2 末武
クドウ 2 工藤
カミヤマ 2 神山
ツルマ 2 弦間|鶴間
ババ 3 馬場
ヒラタ 2 平田
ゴトウ 3 後藤
アンドウ 2 安藤|安東
ヤマグチ 3 山口
モリ 2 森
オノ 3 小野
サカタ 2 坂田|阪田
カワカミ 2 川上|河上
クボタ 2 久保田
トミタ 2 富田|冨田
ミヤザキ 2 宮崎|宮﨑
ミワ 2 三輪
マエダ 2 前田
コスギ 2 小杉
テラオ 2 寺尾
サカモト 2 坂本|阪本
シマダ 2 島田|嶋田
クラタ 2 倉田
イヌヤ 1 犬谷
ロクロウ 1 六郎
コウノ 2 河野
アラキ 2 荒木
ヨシザワ 2 吉沢|吉澤
ナカジマ 2 中島|中嶋
クワバラ 2 桑原
フカミ 1 深見
トキ 1 土岐|朱鷺
"""

# A private-use character (外字) stands in the resident system's CP932 for 𠮷 (U+20BB7), which CP932 does not have.
GAIJI_YOSHI = "\ue000"
GAIJI_SURNAMES = (("ヨシダ", GAIJI_YOSHI + "田", "𠮷田"), ("ツチヤ", "\ue001屋", "圡屋"))

RARE = set("夲")
RARE_SHARE = 0.02

FOREIGN = (
    (
        "グエン",
        "NGUYEN",
        (("ティ ラン", "THI LAN", 1), ("バン ドゥック", "VAN DUC", 0), ("ティ フオン", "THI HUONG", 1)),
    ),
    ("サントス", "SANTOS", (("マリア", "MARIA", 1), ("ジョセフ", "JOSEPH", 0), ("ローズ アン", "ROSE ANN", 1))),
    ("オウ", "王", (("シュウエイ", "秀英", 1), ("イ", "偉", 0), ("ホウ", "芳", 1))),
    ("リ", "李", (("ナ", "娜", 1), ("キョウ", "強", 0), ("セイ", "静", 1))),
    ("スリヤ", "SURYA", (("デウィ", "DEWI", 1), ("アグス", "AGUS", 0), ("プトリ", "PUTRI", 1))),
)

MALE_OLD = (
    "正マサ 和カズ 義ヨシ "
    "信ノブ 昭アキ 秀ヒデ 幸ユキ 英ヒデ 敏トシ 勝カツ 孝タカ 隆タカ 博ヒロ 光ミツ 文フミ 清キヨ 政マサ "
    "良ヨシ 武タケ 茂シゲ 重シゲ 利トシ 忠タダ 芳ヨシ 定サダ 末スエ 善ヨシ 豊トヨ 久ヒサ 春ハル",
    "雄オ 夫オ 男オ 一イチ 次ジ 之ユキ 彦ヒコ 治ジ 明アキ 行ユキ 則ノリ 美ミ 三ゾウ 郎ロウ 蔵ゾウ 平ヘイ 作サク 吉キチ",
    "弘ヒロシ 清キヨシ 茂シゲル 勇イサム 進ススム 勝マサル 正タダシ 実ミノル 昇ノボル 守マモル",
)
MALE_NEW = (
    "大ダイ 翔ショウ 健ケン "
    "拓タク 直ナオ 悠ユウ 陽ハル 蒼ソウ 颯ソウ 海カイ 優ユウ 晴ハル 結ユウ 奏ソウ 旭アサ 龍リュウ 隼ハヤ "
    "裕ユウ 康コウ 慎シン 雄ユウ 亮リョウ 啓ケイ 航コウ 涼リョウ 圭ケイ 琉リュウ 瑛エイ 智トモ 和カズ",
    "太タ 斗ト 真マ 樹キ 也ヤ 介スケ 輝キ 志シ 希キ 馬マ 平ヘイ 一イチ 生セイ 人ト 我ガ 吾ゴ 司ジ 汰タ",
    "蓮レン 湊ミナト 樹イツキ 翼ツバサ 陸リク 匠タクミ 律リツ 新アラタ 仁ジン 誠マコト 剛ツヨシ 学マナブ",
)
FEMALE_OLD = (
    "和カズ 幸サチ 節セツ "
    "美ミ 洋ヨウ 恵ケイ 京キョウ 久ヒサ 千チ 文フミ 信ノブ 光ミツ 静シズ 春ハル 敏トシ 順ジュン 良ヨシ "
    "栄エイ 昭アキ 芳ヨシ 悦エツ 富トミ 貞サダ 照テル 初ハツ 保ヤス 勝カツ 正マサ 礼レイ 澄スミ",
    "子コ 江エ 代ヨ 枝エ 美ミ 世ヨ 乃ノ 恵エ",
    "トミトミ ハルハル キヨキヨ ミツミツ ヨシヨシ シズシズ フミフミ キクキク 緑ミドリ 薫カオル",
)
FEMALE_NEW = (
    "結ユイ 陽ヒ 彩アヤ "
    "美ミ 愛アイ 優ユ 莉リ 咲サ 琴コト 花ハナ 千チ 真マ 奈ナ 七ナナ 理リ 菜ナ 心ココ 紗サ 友ユウ 麻マ "
    "沙サ 由ユ 智トモ 明アキ 直ナオ 佳カ 香カ 梨リ 夏ナツ 詩ウタ",
    "菜ナ 奈ナ 花カ 香カ 音ネ 子コ 美ミ 乃ノ 里リ 衣イ 海ミ 愛ナ 穂ホ 希キ 恵エ 葉ハ 沙サ 代ヨ",
    "さくらサクラ ひまりヒマリ "
    "あおいアオイ 凛リン 葵アオイ 楓カエデ 杏アン 茜アカネ 舞マイ 恵メグミ 瞳ヒトミ つむぎツムギ",
)


def _split(token: str) -> tuple[str, str]:
    for position in range(1, len(token)):
        if all("ァ" <= char <= "ヶ" or char == "ー" for char in token[position:]):
            if token[:position] != token[position:] and all("ァ" <= c <= "ヶ" for c in token):
                continue
            return token[:position], token[position:]
    half = len(token) // 2
    return token[:half], token[half:]


def _compose(firsts: str, seconds: str, singles: str) -> list[tuple[str, str]]:
    names = [
        (first[0] + second[0], first[1] + second[1])
        for first in map(_split, firsts.split())
        for second in map(_split, seconds.split())
        if first[0] != second[0]
    ]
    return names + [_split(single) for single in singles.split() for _ in range(6)]


class Names:
    """Tables of surnames and given names, indexed by integers.

    ``surnames`` and ``surname_kana`` are object arrays over every spelling; ``surname_group`` says which spellings are
    variants of one name. ``given`` and ``given_kana`` cover every given name; ``given_ranges[(sex, generation)]`` is
    the half-open range of those that fit a sex (0 male, 1 female) and a generation (0 old, 1 new).
    """

    def __init__(self) -> None:
        spellings: list[str] = []
        kana: list[str] = []
        group: list[int] = []
        weights: list[float] = []
        for number, line in enumerate(SURNAME_TABLE.strip().splitlines()):
            reading, weight, variants = line.split()
            forms = [form for form in variants.split("|") if _in_cp932(form)]
            rare = [RARE_SHARE if set(form) & RARE else 0.4 / (len(forms) - 1) for form in forms[1:]]
            shares = [1.0 - sum(rare), *rare]
            for form, share in zip(forms, shares, strict=True):
                spellings.append(form)
                kana.append(reading)
                group.append(number)
                weights.append(float(weight) * share)
        readings = {line.split()[0]: index for index, line in enumerate(SURNAME_TABLE.strip().splitlines())}
        self.gaiji_plain: dict[int, str] = {}
        for reading, form, plain in GAIJI_SURNAMES:
            self.gaiji_plain[len(spellings)] = plain
            spellings.append(form)
            kana.append(reading)
            group.append(readings[reading])
            weights.append(0.8)
        self.domestic_surnames = len(spellings)
        self.foreign_given: list[np.ndarray] = []
        given: list[tuple[str, str]] = []
        self.given_ranges: dict[tuple[int, int], tuple[int, int]] = {}
        for key, tables in {
            (0, 0): MALE_OLD,
            (0, 1): MALE_NEW,
            (1, 0): FEMALE_OLD,
            (1, 1): FEMALE_NEW,
        }.items():
            start = len(given)
            given += _compose(*tables)
            self.given_ranges[key] = (start, len(given))
        self.foreign_by_sex: list[list[tuple[int, int]]] = [[], []]
        for reading, form, persons in FOREIGN:
            spellings.append(form)
            kana.append(reading)
            group.append(max(group) + 1)
            weights.append(0.0)
            for given_kana, given_form, sex in persons:
                self.foreign_by_sex[sex].append((len(spellings) - 1, len(given)))
                given.append((given_form, given_kana))
        self.surnames = np.array(spellings, dtype=object)
        self.surname_kana = np.array(kana, dtype=object)
        self.surname_group = np.array(group)
        self.weights = np.array(weights) / sum(weights)
        self.given = np.array([name[0] for name in given], dtype=object)
        self.given_kana = np.array([name[1] for name in given], dtype=object)
        self.variants = {
            int(number): np.flatnonzero(self.surname_group == number)
            for number in np.unique(self.surname_group)
            if (self.surname_group == number).sum() > 1
        }

    def draw_surnames(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Surname indices of families, by weight."""
        return rng.choice(len(self.surnames), size=count, p=self.weights).astype(np.int16)

    def draw_given(self, rng: np.random.Generator, sex: np.ndarray, birth_year: np.ndarray) -> np.ndarray:
        """Given-name indices for sexes and birth years: the fashion turns between 1965 and 1990."""
        modern = rng.random(len(sex)) < np.clip((birth_year - 1965) / 25, 0, 1)
        given = np.zeros(len(sex), dtype=np.int16)
        for (a_sex, generation), (start, stop) in self.given_ranges.items():
            chosen = (sex == a_sex) & (modern == bool(generation))
            given[chosen] = rng.integers(start, stop, chosen.sum())
        return given


def _in_cp932(text: str) -> bool:
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _half_width_table() -> dict[int, str]:
    table: dict[int, str] = {ord("　"): " ", ord("・"): "･", ord("ー"): "ｰ"}
    halves = [chr(code) for code in range(0xFF66, 0xFF9E)]
    for half in halves:
        for mark in ("", "ﾞ", "ﾟ"):
            full = unicodedata.normalize("NFKC", half + mark)
            if len(full) == 1:
                table.setdefault(ord(full), half + mark)
    return table


HALF_WIDTH = _half_width_table()


def half_width(text: str) -> str:
    """Full-width katakana as half-width kana, with separate voicing marks."""
    return text.translate(HALF_WIDTH)
