"""市民課: the resident register and its history, filings, national health insurance."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    day,
    years_of,
)
from synthetic_city.extracts.shared import (
    City,
    recent_part,
)
from synthetic_city.names import half_width
from synthetic_city.places import MUNICIPALITY_NAMES, TOWN_MUNICIPALITY, TOWN_POSTCODE, TOWNS
from synthetic_city.population import (
    DEAD,
    DIVORCED,
    FILING_KINDS,
    LEFT,
    MALE,
    MARRIED,
    MOVED_WITHIN,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text, integer_text

END_OF_CERTIFICATES = day(2024, 12, 2)
"""From this day on no certificate of insurance is issued: 資格確認書, and 特別療養費 instead of 資格証明書."""


def resident_register(city: City) -> Extract:
    """Residents and removed records (除票); a person who came back under a new number has a row for each."""
    people, history, segments, numbers, rng = city.people, city.history, city.segments, city.numbers, city.rng
    limit = day(city.parameters.removed_records_from_year, 6, 20)
    order = np.lexsort((segments.start, segments.second, segments.person))
    person, second = segments.person[order], segments.second[order]
    last = np.append((person[1:] != person[:-1]) | (second[1:] != second[:-1]), True)
    rows = order[last]
    rows = rows[(segments.end[rows] > city.as_of) | (segments.end[rows] >= limit)]
    person, end = segments.person[rows], segments.end[rows].astype(np.int64)
    second = segments.second[rows]
    open_ = end > city.as_of
    dead = ~open_ & (people.status[person] == DEAD) & (people.ended[person] == end)
    status = np.where(open_, 1, np.where(dead, 3, 2))
    on = np.where(open_, city.as_of, end - 1)
    household = segments.household[rows]
    town, number, branch = history.address_at(household, on)
    start, why = segments.start[rows].astype(np.int64), segments.why[rows].astype(np.int64)
    moves = city.population.addresses
    moved_on = np.full(len(city.population.households), -OPEN, dtype=np.int64)
    np.maximum.at(moved_on, moves.household, moves.day)
    moved = (moved_on[household] > start) & (moved_on[household] <= on)
    why = np.where(moved, MOVED_WITHIN, why)
    changed = np.where(moved, moved_on[household], start)
    why = np.where(open_, why, np.where(dead, 21, LEFT))
    changed = np.where(open_, changed, end)
    stays = city.population.stays
    entering = np.flatnonzero((stays.why_in == 10) | (stays.why_in == 11))
    key = stays.person[entering].astype(np.int64) * 2 + stays.second[entering]
    since = np.full(2 * len(people), -OPEN, dtype=np.int64)
    np.maximum.at(since, key, stays.start[entering])
    became = since[person * 2 + second]
    became = np.where(became > -OPEN, became, np.minimum(people.registered[person], changed))
    codes = relation_columns(city, segments.relation[rows])
    written = np.full(len(rows), "", dtype=object)
    old_style = np.flatnonzero((rng.random(len(rows)) < 0.02) & (codes[1] == "") | (rng.random(len(rows)) < 0.004))
    for position, text in zip(
        old_style,
        relation_words(city, person[old_style], segments.relation[rows][old_style], household[old_style]),
        strict=True,
    ):
        if text:
            written[position] = text
            for column in codes:
                column[position] = ""
    protect_start, protect_end = protections_of(city, person)
    in_force = (protect_start < OPEN) & (protect_end > city.as_of)
    birth = date_text(city.birth[person], "era_dots_padded")
    unknown = np.flatnonzero((city.age(person, city.as_of) > 75) & (rng.random(len(rows)) < 0.0006))
    years = years_of(city.birth[person[unknown]])
    birth[unknown] = [
        f"昭和{year - 1925}年不詳" if year > 1926 else f"大正{year - 1911}年不詳" for year in years.tolist()
    ]
    flag = np.full(len(rows), "0", dtype=object)
    flag[unknown] = "1"
    name = city.full_name(person, on)
    filed = np.minimum(changed + rng.integers(0, 14, len(rows)), city.as_of)
    columns = {
        "宛名番号": np.where(second == 1, numbers.now(person), numbers.text(person, -OPEN)),
        "世帯番号": numbers.household_text(household),
        "氏名": name,
        "氏名_フリガナ": np.array([half_width(text) for text in city.kana(person, on)], dtype=object),
        "生年月日": birth,
        "生年月日_不詳フラグ": flag,
        "性別": choose_text(("1", "2"), people.sex[person]),
        "続柄コード1": codes[0],
        "続柄コード2": codes[1],
        "続柄コード3": codes[2],
        "続柄コード4": codes[3],
        "続柄表記": written,
        "住民種別": choose_text(("1", "2"), people.foreign[person]),
        "住民状態": integer_text(status),
        "異動事由": integer_text(why),
        "異動年月日": date_text(changed, "era_dots_padded"),
        "異動届出年月日": date_text(filed, "era_dots_padded"),
        "住民となった年月日": date_text(became, "era_dots_padded"),
        "郵便番号": choose_text([f"{code // 10000}-{code % 10000:04d}" for code in TOWN_POSTCODE.tolist()], town),
        "町字": TOWNS[town],
        "番地": house_number(number, branch, "番地"),
        "旧市町村": MUNICIPALITY_NAMES[TOWN_MUNICIPALITY[town]],
        "支援措置区分": np.where(in_force, "1", np.where(protect_start < OPEN, "9", "")).astype(object),
        "支援措置開始日": date_text(protect_start, "era_dots_padded"),
        "支援措置終了日": date_text(np.where(protect_start < OPEN, protect_end, OPEN), "era_dots_padded"),
    }
    return Extract(
        "resident_register",
        columns,
        Style(dates="era_dots_padded", trailer=True),
        ("宛名番号", "世帯番号", "氏名", "住民状態"),
        ("生年月日", "異動年月日"),
        ("宛名番号", "世帯番号"),
        "異動届出年月日",
    )


def relation_columns(city: City, relation: np.ndarray) -> list[np.ndarray]:
    """The four code columns for relation indices."""
    texts = city.history.relation_texts
    return [
        choose_text([codes[place] if len(codes) > place else "" for codes in texts], relation) for place in range(4)
    ]


def relation_words(city: City, persons: np.ndarray, relation: np.ndarray, household: np.ndarray) -> list[str]:
    """The relation written out, as old records have it (長男, 二女, 孫 …); empty where no word is used."""
    people, texts = city.people, city.history.relation_texts
    words = []
    heads = city.population.households.head[household]
    for person, number, head in zip(persons.tolist(), relation.tolist(), heads.tolist(), strict=True):
        codes = texts[number]
        if codes == ("20",):
            if people.adopter[person] == head and people.adopted_from[person] < OPEN:
                words.append("養子")
                continue
            parent = people.mother if people.mother[person] == head else people.father
            siblings = np.flatnonzero((parent[:] == head) & (people.sex == people.sex[person]))
            rank = int((people.birth[siblings] < people.birth[person]).sum())
            if people.sex[person] == MALE:
                words.append(("長男", "二男", "三男")[rank] if rank < 3 else "")
            else:
                words.append(("長女", "二女", "三女")[rank] if rank < 3 else "")
        elif codes == ("20", "20"):
            words.append("孫")
        elif len(codes) == 2 and codes[0] in ("51", "52") and codes[1] in ("51", "52"):
            words.append("祖父" if codes[1] == "51" else "祖母")
        else:
            words.append("")
    return words


def house_number(number: np.ndarray, branch: np.ndarray, style: str) -> np.ndarray:
    """House numbers as 12番地3, 12-3, 12の3."""
    join = {"番地": ("番地", "番地"), "-": ("-", ""), "の": ("の", "")}[style]
    return np.array(
        [f"{n}{join[0]}{b}" if b else f"{n}{join[1]}" for n, b in zip(number.tolist(), branch.tolist(), strict=True)],
        dtype=object,
    )


def protections_of(city: City, persons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each person's latest support measure (OPEN where there is none)."""
    protections = city.population.protections
    start = np.full(len(city.people), OPEN, dtype=np.int64)
    end = np.full(len(city.people), OPEN, dtype=np.int64)
    order = np.argsort(protections.start, kind="stable")
    start[protections.person[order]] = protections.start[order]
    end[protections.person[order]] = protections.end[order]
    return start[persons], end[persons]


def support_measures(city: City) -> Extract:
    """Every support measure in the order of its start: the last one of a person is marked as the latest."""
    protections = city.population.protections
    order = np.lexsort((protections.start, protections.person))
    order = order[(protections.start[order] <= city.as_of) & (city.numbers.now(protections.person[order]) != "")]
    person, start, end = protections.person[order], protections.start[order], protections.end[order]
    is_first = np.r_[True, person[1:] != person[:-1]] if len(person) else np.zeros(0, dtype=bool)
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(person)), 0))
    is_last = np.r_[person[1:] != person[:-1], True] if len(person) else np.zeros(0, dtype=bool)
    columns = {
        "宛名番号": city.numbers.now(person),
        "区分": np.full(len(person), "配偶者暴力", dtype=object),
        "開始年月日": date_text(start, "iso"),
        "終了年月日": date_text(np.where(end > city.as_of, OPEN, end), "iso"),
        "履歴番号": integer_text(np.arange(len(person)) - first + 1),
        "履歴番号_枝番号": np.full(len(person), "0", dtype=object),
        "最新フラグ": np.where(is_last, "1", "0").astype(object),
        "削除フラグ": np.full(len(person), "0", dtype=object),
    }
    return Extract(
        "support_measures",
        columns,
        Style(dates="iso"),
        ("宛名番号",),
        ("開始年月日", "終了年月日"),
        ("宛名番号",),
    )


def household_history(city: City) -> Extract:
    """Every stay in a household with an unchanged relation to its head, since 1980."""
    segments = city.segments
    codes = relation_columns(city, segments.relation)
    end = np.where(segments.end > city.as_of, OPEN, segments.end)
    days = np.where(segments.second == 1, OPEN - 1, -OPEN)
    columns = {
        "宛名番号": city.numbers.text(segments.person, days),
        "世帯番号": city.numbers.household_text(segments.household),
        "続柄コード1": codes[0],
        "続柄コード2": codes[1],
        "続柄コード3": codes[2],
        "続柄コード4": codes[3],
        "開始年月日": date_text(segments.start, "era_digit"),
        "終了年月日": date_text(end, "era_digit", "99999999"),
        "異動事由": choose_text([f"{n:03d}" for n in range(30)], segments.why),
    }
    return Extract(
        "household_history",
        columns,
        Style(dates="era_digit"),
        ("宛名番号", "世帯番号", "開始年月日"),
        ("開始年月日", "終了年月日"),
        ("宛名番号",),
    )


def parentage(city: City) -> Extract:
    """Births, recognitions, adoptions and their ends, as filed in the city."""
    filings = city.population.filings
    rows = np.flatnonzero((filings.day >= day(city.parameters.history_from_year)) & city.known[filings.child])
    rows = rows[np.argsort(filings.day[rows], kind="stable")]
    days = filings.day[rows].astype(np.int64)
    columns = {
        "届出番号": np.array([f"K{n:07d}" for n in range(1, len(rows) + 1)], dtype=object),
        "子_宛名番号": city.numbers.text(filings.child[rows], days),
        "父_宛名番号": city.numbers.text(filings.father[rows], days),
        "母_宛名番号": city.numbers.text(filings.mother[rows], days),
        "届出種別": choose_text(FILING_KINDS, filings.kind[rows]),
        "届出年月日": date_text(days, "era_long"),
    }
    return Extract(
        "parentage",
        columns,
        Style(dates="era_long"),
        ("届出番号", "子_宛名番号", "届出種別", "届出年月日"),
        ("届出年月日",),
        ("子_宛名番号",),
        recent=recent_part(days, city.as_of),
    )


def marriages(city: City) -> Extract:
    """Marriages and divorces, as filed in the city."""
    unions, limit = city.population.unions, day(city.parameters.history_from_year)
    wed = np.flatnonzero((unions.kind == MARRIED) & (unions.filed == 1) & (unions.start >= limit))
    parted = np.flatnonzero(
        (unions.kind == MARRIED) & (unions.end_kind == DIVORCED) & (unions.end >= limit) & (unions.end < OPEN)
    )
    union = np.concatenate([wed, parted])
    days = np.concatenate([unions.start[wed], unions.end[parted]]).astype(np.int64)
    kind = np.concatenate([np.zeros(len(wed), dtype=np.int64), np.ones(len(parted), dtype=np.int64)])
    ok = city.known[unions.husband[union]] & city.known[unions.wife[union]]
    union, days, kind = union[ok], days[ok], kind[ok]
    order = np.argsort(days, kind="stable")
    union, days, kind = union[order], days[order], kind[order]
    columns = {
        "届出番号": np.array([f"M{n:07d}" for n in range(1, len(union) + 1)], dtype=object),
        "夫_宛名番号": city.numbers.text(unions.husband[union], days),
        "妻_宛名番号": city.numbers.text(unions.wife[union], days),
        "届出種別": choose_text(("婚姻", "離婚"), kind),
        "届出年月日": date_text(days, "era_compact"),
    }
    return Extract(
        "marriages",
        columns,
        Style(dates="era_compact", newline="\n"),
        ("届出番号", "夫_宛名番号", "妻_宛名番号", "届出種別", "届出年月日"),
        ("届出年月日",),
        ("夫_宛名番号", "妻_宛名番号"),
    )


def national_health_insurance(city: City) -> Extract:
    """National health insurance: the self-employed, the retired, those without work, and their children."""
    people, rng = city.people, city.rng
    residents = city.residents
    age = city.age(residents, city.as_of)
    adult = age >= 18
    chance = np.interp(age, [18, 30, 60, 64, 66, 74.9, 75.1], [0.1, 0.12, 0.17, 0.3, 0.62, 0.6, 0.0])
    chance = chance * city.parameters.insurance_share / 0.21
    chance = np.clip(chance * np.exp(0.35 * city.circumstances.hardship[residents]), 0, 0.9)
    insured = np.zeros(len(people), dtype=bool)
    insured[residents[adult & (rng.random(len(residents)) < chance)]] = True
    children = residents[~adult]
    for parent in (people.father, people.mother):
        who = parent[children]
        with_parent = (who >= 0) & insured[who] & (people.household[who] == people.household[children])
        insured[children[with_parent & (rng.random(len(children)) < 0.8)]] = True
    persons = np.flatnonzero(insured)
    since = np.maximum(people.registered[persons], city.as_of - rng.gamma(1.5, 3000, len(persons)).astype(np.int64))
    since = np.maximum(since, city.birth[persons])
    former = residents[(rng.random(len(residents)) < 0.12) & ~insured[residents] & adult]
    former_start = np.maximum(people.registered[former], city.as_of - rng.integers(1500, 6000, len(former)))
    former_end = former_start + rng.integers(90, 1400, len(former))
    persons = np.concatenate([persons, former])
    start = np.concatenate([since, former_start]).astype(np.int64)
    end = np.concatenate([np.full(len(persons) - len(former), OPEN), former_end])
    end = np.where(end > city.as_of, OPEN, end)
    short = (city.circumstances.hardship[persons] > 1.1) & (rng.random(len(persons)) < 0.4)
    worse = short & (rng.random(len(persons)) < 0.2)
    reason = rng.choice(3, len(persons), p=[0.55, 0.3, 0.15])
    certificate = np.where(worse, "資格証明書", np.where(short, "短期証", "一般証"))
    since_then = np.where(worse, "特別療養費", "資格確認書")
    is_today = np.minimum(end, city.as_of) >= END_OF_CERTIFICATES
    columns = {
        "宛名番号": city.numbers.text(persons, start),
        "資格取得年月日": date_text(start, "compact"),
        "資格取得事由": choose_text(("社保離脱", "転入", "その他"), reason),
        "資格喪失年月日": date_text(end, "compact", "00000000"),
        "資格喪失事由": np.where(end < OPEN, choose_text(("社保加入", "転出", "後期高齢"), reason), "").astype(object),
        "証区分": np.where(is_today, since_then, certificate).astype(object),
    }
    return Extract(
        "national_health_insurance",
        columns,
        Style(dates="compact", no_date="00000000"),
        ("宛名番号", "資格取得年月日"),
        ("資格取得年月日",),
        ("宛名番号",),
    )
