"""The resident register as a standardised system (標準準拠システム) writes it: 122 headings, a row per state.

A record's rows are numbered; 最新フラグ marks the one in force. Some records have a row of an earlier state, some a
last row that was taken back (削除フラグ 1): the row before it is in force again. What a row means is what the register
says in the city's own layout; the support measures come as an extract of their own.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from synthetic_city.slips import read_day
from synthetic_city.writing import Extract, Style

_IN_ORDER = (
    "市区町村コード 宛名番号 個人履歴番号 個人履歴番号_枝番号 最新フラグ 改製番号 世帯番号 住民種別 住民状態 "
    "住民票コード 異動年月日 異動年月日_不詳フラグ 異動届出年月日 届出番号 異動事由 異動区分 通知日 "
    "記載等の種別 氏名 氏_日本人 名_日本人 氏名_フリガナ 氏_日本人_フリガナ 名_日本人_フリガナ "
    "氏名_フリガナ確認状況 性別 性別表記 生年月日_元号 生年月日 生年月日_不詳フラグ 続柄コード1 続柄表記 "
    "世帯主氏名 住所_市区町村コード 住所_町字コード 住所_都道府県 住所_市区郡町村名 住所_町字 "
    "住所_番地号表記 住所_方書 住所_郵便番号 住民となった年月日 住民となった年月日_不詳フラグ "
    "記載の異動年月日 記載の異動年月日_不詳フラグ 記載の事由 転入前住所_市区町村コード 転入前住所_町字コード "
    "転入前住所_都道府県 転入前住所_市区郡町村名 転入前住所_町字 転入前住所_番地号表記 転入前住所_郵便番号 "
    "本籍 本籍_町字 本籍_地番号または、街区符号 本籍_市区町村コード 本籍_町字コード 戸籍_筆頭者 "
    "戸籍_筆頭者_氏 戸籍_筆頭者_名 転出届出年月日 転出予定年月日 転出年月日（確定） 転入通知年月日 "
    "消除の事由 消除の届出年月日 消除の異動年月日 消除の異動年月日_不詳フラグ "
    "転出先住所（確定）_市区町村コード 転出先住所（確定）_都道府県 転出先住所（確定）_市区郡町村名 "
    "転出先住所（確定）_町字 転出先住所（確定）_番地号表記 転出先住所（確定）_方書 "
    "転出先住所（確定）_郵便番号 住所を定めた年月日 住所を定めた年月日_不詳フラグ 地区管理コード1 記載順位 "
    "成年被後見人_該当有無 除票フラグ 除票用データベース登録年月日 履歴選択不可フラグ 処理年月日 "
    "改製記載年月日 改製記載年月日_不詳フラグ 選挙人名簿登録有無 国保資格有無 国保資格取得年月日 "
    "後期高齢資格有無 後期高齢資格取得年月日 介護資格有無 介護資格取得年月日 年金資格有無 基礎年金番号 "
    "年金資格種別 年金資格取得年月日 年金資格喪失年月日 児童手当資格区分 児童手当受給開始年月 統合宛名フラグ "
    "他業務参照不可フラグ 業務ID 削除フラグ 操作者ID 操作年月日 操作時刻 外国人住民となった年月日 "
    "外国人住民となった年月日_不詳フラグ 在留カード等番号 在留カード等番号区分 国籍等_国名コード 国籍名等 "
    "第30条45規定区分 住居地の届出の有無 在留資格等コード 在留期間等コード_年 在留期間等コード_月 "
    "在留期間等コード_日 在留期間の満了の日 氏名_外国人ローマ字"
)
HEADINGS = tuple(_IN_ORDER.split(" "))
SAME = (
    "宛名番号", "世帯番号", "住民種別", "住民状態", "異動事由", "氏名", "氏名_フリガナ", "性別", "生年月日_不詳フラグ",
    "続柄コード1", "続柄表記",
)  # fmt: skip
DATES = ("異動年月日", "異動届出年月日", "住民となった年月日", "生年月日")
RELATIONS = {"11": "夫", "12": "妻", "13": "夫（未届）", "14": "妻（未届）", "20": "子", "51": "父", "52": "母"}
RELATIONS |= {"71": "兄", "74": "弟", "81": "姉", "84": "妹"}


def in_standard_layout(register: Extract, seed: int) -> Extract:
    """The extract of the register in the standard layout, with rows of earlier states and rows that were taken back."""
    rng = np.random.default_rng([seed, 13])
    given, count = register.columns, len(register)
    columns = {heading: np.full(count, "", dtype=object) for heading in HEADINGS}
    for heading in SAME:
        columns[heading] = given[heading].copy()
    for heading in DATES:
        columns[heading] = _iso(given[heading])
    names = [text.split("　") for text in given["氏名"]]
    columns["氏_日本人"] = np.array([parts[0] for parts in names], dtype=object)
    columns["名_日本人"] = np.array([parts[-1] if len(parts) > 1 else "" for parts in names], dtype=object)
    # The layout has one code of the relation: what takes several is written out.
    chains = list(zip(*(given[f"続柄コード{place}"] for place in range(1, 5)), strict=True))
    for row, codes in enumerate(chains):
        if codes[1]:
            columns["続柄コード1"][row] = ""
            columns["続柄表記"][row] = "の".join(RELATIONS.get(code, "") for code in codes if code)
    columns["住所_都道府県"][:], columns["住所_市区郡町村名"][:] = "新潟県", "佐渡市"
    columns["住所_町字"], columns["住所_番地号表記"] = given["町字"].copy(), given["番地"].copy()
    columns["住所_郵便番号"] = np.array([text.replace("-", "") for text in given["郵便番号"]], dtype=object)
    removed = given["住民状態"] != "1"
    columns["除票フラグ"] = np.where(removed, "1", "0").astype(object)
    columns["消除の異動年月日"] = np.where(removed, columns["異動年月日"], "").astype(object)
    columns["消除の事由"] = np.where(removed, given["異動事由"], "").astype(object)
    columns["個人履歴番号"][:], columns["個人履歴番号_枝番号"][:] = "2", "0"
    columns["最新フラグ"][:], columns["削除フラグ"][:] = "1", "0"

    # A move that was entered by mistake, and taken back.
    mistaken = np.flatnonzero(~removed & (rng.random(count) < 0.01))
    columns["最新フラグ"][mistaken] = "0"
    undone = {heading: values[mistaken].copy() for heading, values in columns.items()}
    undone["個人履歴番号"][:], undone["最新フラグ"][:], undone["削除フラグ"][:] = "3", "1", "1"
    undone["異動事由"][:], undone["住所_町字"][:], undone["住所_番地号表記"][:] = "16", "相川", "1番地"
    # A state before, corrected on the same day.
    changed = np.flatnonzero(~removed & (given["異動事由"] == "16") & (rng.random(count) < 0.2))
    before = {heading: values[changed].copy() for heading, values in columns.items()}
    before["個人履歴番号"][:], before["最新フラグ"][:], before["異動事由"][:] = "1", "0", "16"
    everything = {
        heading: np.concatenate([before[heading], undone[heading], values]) for heading, values in columns.items()
    }
    # The order of rows means nothing.
    order = rng.permutation(len(everything["宛名番号"]))
    return dataclasses.replace(
        register,
        columns={heading: values[order] for heading, values in everything.items()},
        style=Style("utf-8-bom", "iso", quote_all=True),
        date_columns=("生年月日",),
        spare_date="異動届出年月日",
    )


def _iso(texts: np.ndarray) -> np.ndarray:
    """Dates as the standard has them; what names no day stays as it is."""
    known: dict[str, str] = {}
    for text in texts:
        if text not in known:
            day = read_day(text)
            known[text] = day.isoformat() if day else text
    return np.array([known[text] for text in texts], dtype=object)
