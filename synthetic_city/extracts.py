"""The 27 extracts: which rows each system holds, as its file carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    add_years,
    day,
    month_start,
    months_of,
    school_years_of,
    spell_month,
    years_of,
)
from synthetic_city.circumstances import ABUSE_KINDS, DIFFICULTIES, Circumstances, Situation
from synthetic_city.external import ExternalPeople
from synthetic_city.history import History, Segments
from synthetic_city.names import Names, half_width
from synthetic_city.places import MUNICIPALITIES, MUNICIPALITY_NAMES, TOWN_MUNICIPALITY, TOWN_POSTCODE, TOWNS
from synthetic_city.population import (
    DEAD,
    DIVORCED,
    FEMALE,
    FILING_KINDS,
    HOME,
    LEFT,
    MALE,
    MARRIED,
    MOVED_WITHIN,
    RESIDENT,
    YEAR,
    Population,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text, integer_text

MEMOS = (
    "", "", "", "家庭訪問を実施。", "保護者より電話相談。", "園から連絡あり。関係機関で情報共有。",
    '"きょうだいの様子も確認,継続して見守る。"', '"夜間の泣き声あり。\n翌日訪問し、けがのないことを確認。"',
    "①家庭状況の確認②学校との連携", "養育に疲れの訴え。ｼｮｰﾄｽﾃｲの案内。",
)  # fmt: skip


class Numbers:
    """The numbers that the city's systems give: 宛名番号 and 世帯番号, in the order in which people came."""

    def __init__(self, population: Population) -> None:
        people = population.people
        rng = np.random.default_rng([population.parameters.seed, 3])
        registered = np.minimum(people.registered, people.second_from)
        known = np.flatnonzero(registered < OPEN)
        second = np.flatnonzero(people.second_from < OPEN)
        days = np.concatenate([registered[known], people.second_from[second]])
        order = np.argsort(days, kind="stable")
        values = np.empty(len(days), dtype=np.int64)
        values[order] = 1_000_000 + np.cumsum(rng.integers(1, 9, len(days)))
        self.first = np.zeros(len(people), dtype=np.int64)
        self.second = np.zeros(len(people), dtype=np.int64)
        self.first[known], self.second[second] = values[: len(known)], values[len(known) :]
        self.second_from = people.second_from
        self.household = 20_000_000 + np.cumsum(rng.integers(1, 6, len(population.households)))
        self._padded = np.full(len(people), "", dtype=object)
        stays = np.unique(population.stays.person)
        self._padded[stays] = [f"{value:015d}" for value in self.first[stays].tolist()]
        self._padded_second = {int(person): f"{self.second[person]:015d}" for person in second}

    def value(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        """The 宛名番号 in force for each person on a day, as an integer (0: none)."""
        return np.where(days >= self.second_from[persons], self.second[persons], self.first[persons])

    def text(self, persons: np.ndarray, days: np.ndarray | int) -> np.ndarray:
        """The same as text of 15 digits; empty for -1 and for people without a number."""
        persons = np.asarray(persons, dtype=np.int64)
        text = self._padded[persons].copy()
        for position in np.flatnonzero(np.broadcast_to(days, persons.shape) >= self.second_from[persons]):
            text[position] = self._padded_second[int(persons[position])]
        text[persons < 0] = ""
        return text

    def now(self, persons: np.ndarray) -> np.ndarray:
        """The latest number of each person, as text of 15 digits."""
        return self.text(persons, OPEN - 1)

    def household_text(self, households: np.ndarray) -> np.ndarray:
        """Household numbers as text of 15 digits."""
        known, inverse = np.unique(households, return_inverse=True)
        table = np.array([f"{self.household[number]:015d}" for number in known.tolist()], dtype=object)
        return table[inverse] if len(known) else np.empty(0, dtype=object)


class City:
    """Everything that the builders of extracts and of the truth look at."""

    def __init__(
        self, population: Population, history: History, circumstances: Circumstances, segments: Segments, names: Names
    ) -> None:
        self.population, self.history, self.circumstances = population, history, circumstances
        self.segments, self.names = segments, names
        self.people = population.people
        self.parameters, self.as_of = population.parameters, population.as_of
        self.numbers = Numbers(population)
        self.rng = np.random.default_rng([self.parameters.seed, 5])
        self.residents = np.flatnonzero(self.people.status == RESIDENT)
        self.known = self.numbers.first > 0
        self.birth = self.people.birth.astype(np.int64)
        self.current = circumstances.situations[0].children
        self.external = ExternalPeople(self)
        self.truth_keys: dict[str, list] = {}
        self.unborn: list[tuple[str, int, int]] = []

    def age(self, persons: np.ndarray, on: int | np.ndarray) -> np.ndarray:
        """Age in years."""
        return (on - self.birth[persons]) / YEAR

    def full_name(self, persons: np.ndarray, days: np.ndarray, gap: str = "　") -> np.ndarray:
        """Surname and given name as the register writes them on a day."""
        surname = self.history.surname_at(persons, days)
        return self.names.surnames[surname] + gap + self.names.given[self.people.given[persons]]

    def kana(self, persons: np.ndarray, days: np.ndarray, gap: str = " ") -> np.ndarray:
        """The same in katakana."""
        surname = self.history.surname_at(persons, days)
        return self.names.surname_kana[surname] + gap + self.names.given_kana[self.people.given[persons]]

    def alive_and_here(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Whether each person is resident on a day."""
        return self.history.household_at(persons, np.asarray(days)) >= 0

    def first_home_year(self) -> int:
        """The first year of monthly records."""
        return self.parameters.as_of.year - self.parameters.monthly_records_years


def snapshots(city: City, years: int) -> list[tuple[int, int, Situation]]:
    """(years before, day, situation of the children then), oldest first, for the last years and the as-of date."""
    anchor = np.array([city.as_of])
    return [
        (before, int(add_years(anchor, -before)[0]), city.circumstances.situations[before])
        for before in range(years, -1, -1)
        if before in city.circumstances.situations
    ]


def spells(
    rng: np.random.Generator, yearly: list[tuple[int, np.ndarray]], as_of: int, stay: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs of consecutive years in which somebody is in a yearly list → person, start, end (OPEN while it goes on)."""
    persons = np.concatenate([list_ for _, list_ in yearly]) if yearly else np.empty(0, dtype=np.int64)
    index = np.concatenate([np.full(len(list_), number) for number, (_, list_) in enumerate(yearly)])
    days = np.array([on for on, _ in yearly] + [OPEN], dtype=np.int64)
    order = np.lexsort((index, persons))
    persons, index = persons[order], index[order]
    opens = np.append(True, (persons[1:] != persons[:-1]) | (index[1:] != index[:-1] + 1))[: len(persons)]
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(persons)) - 1
    start = days[index[first]] - rng.integers(0, 330, len(first))
    ended = index[last] < len(yearly) - 1
    end = np.where(ended, days[index[last]] + rng.integers(1, 330, len(first)), OPEN)
    end = np.where(end > as_of, OPEN, end)
    return persons[first].astype(np.int64), start, end


# --- citizens -----------------------------------------------------------------------------------------------------------


def resident_register(city: City) -> Extract:
    """Residents and removed records (除票); somebody who came back under a new number has a row for each."""
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
        "続柄コード1": codes[0], "続柄コード2": codes[1], "続柄コード3": codes[2], "続柄コード4": codes[3],
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
    }  # fmt: skip
    return Extract(
        "resident_register", columns, Style(dates="era_dots_padded", trailer=True),
        ("宛名番号", "世帯番号", "氏名", "住民状態"), ("生年月日", "異動年月日"), ("宛名番号", "世帯番号"), "異動届出年月日",
    )  # fmt: skip


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


def household_history(city: City) -> Extract:
    """Every stay in a household with an unchanged relation to its head, since 1980."""
    segments = city.segments
    codes = relation_columns(city, segments.relation)
    end = np.where(segments.end > city.as_of, OPEN, segments.end)
    days = np.where(segments.second == 1, OPEN - 1, -OPEN)
    columns = {
        "宛名番号": city.numbers.text(segments.person, days),
        "世帯番号": city.numbers.household_text(segments.household),
        "続柄コード1": codes[0], "続柄コード2": codes[1], "続柄コード3": codes[2], "続柄コード4": codes[3],
        "開始年月日": date_text(segments.start, "era_digit"),
        "終了年月日": date_text(end, "era_digit", "99999999"),
        "異動事由": choose_text([f"{n:03d}" for n in range(30)], segments.why),
    }  # fmt: skip
    return Extract(
        "household_history", columns, Style(dates="era_digit"), ("宛名番号", "世帯番号", "開始年月日"),
        ("開始年月日", "終了年月日"), ("宛名番号",),
    )  # fmt: skip


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
        "parentage", columns, Style(dates="era_long"), ("届出番号", "子_宛名番号", "届出種別", "届出年月日"),
        ("届出年月日",), ("子_宛名番号",), recent=_recent(days, city.as_of),
    )  # fmt: skip


def _recent(days: np.ndarray, as_of: int, within: int = 60) -> np.ndarray:
    return (days > as_of - within).astype(np.int64)


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
        "marriages", columns, Style(dates="era_compact", newline="\n"),
        ("届出番号", "夫_宛名番号", "妻_宛名番号", "届出種別", "届出年月日"), ("届出年月日",), ("夫_宛名番号", "妻_宛名番号"),
    )  # fmt: skip


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
    columns = {
        "宛名番号": city.numbers.text(persons, start),
        "資格取得年月日": date_text(start, "compact"),
        "資格取得事由": choose_text(("社保離脱", "転入", "その他"), reason),
        "資格喪失年月日": date_text(end, "compact", "00000000"),
        "資格喪失事由": np.where(end < OPEN, choose_text(("社保加入", "転出", "後期高齢"), reason), "").astype(object),
        "証区分": np.where(worse, "資格証明書", np.where(short, "短期証", "一般証")).astype(object),
    }
    return Extract(
        "national_health_insurance", columns, Style(dates="compact", no_date="00000000"), ("宛名番号", "資格取得年月日"),
        ("資格取得年月日",), ("宛名番号",),
    )  # fmt: skip


# --- child --------------------------------------------------------------------------------------------------------------


def custodian_at(city: City, children: np.ndarray, on: np.ndarray, father_first: bool) -> np.ndarray:
    """The parent with whom each child lives on a day (or -1): the father of a couple first, or the mother."""
    people, history = city.people, city.history
    home = history.household_at(children, on)
    order = (people.father, people.mother) if father_first else (people.mother, people.father)
    found = np.full(len(children), -1, dtype=np.int64)
    for parent in order:
        who = parent[children].astype(np.int64)
        here = (who >= 0) & (home >= 0) & (history.household_at(who, on) == home) & (found < 0)
        found = np.where(here, who, found)
    return found


def child_allowance(city: City) -> Extract:
    """One row for each recipient of a child's allowance since 2010, and for the next one after a separation."""
    people, rng = city.people, city.rng
    limit = day(2010, 4)
    stays = city.population.stays
    persons = np.unique(stays.person[(stays.end > limit)]).astype(np.int64)
    children = persons[city.birth[persons] > limit - 15 * 365]
    entering = np.flatnonzero(np.isin(stays.why_in, (10, 11)))
    arrived = np.full(len(people), OPEN, dtype=np.int64)
    np.minimum.at(arrived, stays.person[entering], stays.start[entering])
    start = np.maximum(
        np.maximum(city.birth[children], limit), np.where(arrived[children] < OPEN, arrived[children], 0)
    )
    end_of_right = month_start((school_years_of(add_years(city.birth[children], 18) - 1) - 1970 + 1) * 12 + 3)
    here = city.alive_and_here(children, start) & (start < end_of_right) & (start <= city.as_of)
    children, start, end_of_right = children[here], start[here], end_of_right[here]
    gone = people.status[children] != RESIDENT
    end = np.where(gone, people.ended[children], OPEN).astype(np.int64)
    end = np.minimum(end, np.where(end_of_right <= city.as_of, end_of_right, OPEN))
    first = custodian_at(city, children, start, father_first=True)
    last_day = np.minimum(end, city.as_of) - 1
    last = custodian_at(city, children, np.maximum(last_day, start), father_first=True)
    changed = (last >= 0) & (last != first) & (first >= 0) & (last_day - start > 60)
    switch = np.where(changed, separation_day(city, children, first, start, last_day), OPEN)
    rows = [
        (first, start, np.minimum(end, switch), first >= 0),
        (last, np.where(changed, switch + 1, start), end, changed & (switch < end - 1)),
    ]
    recipient = np.concatenate([r[valid] for r, _, _, valid in rows])
    child = np.concatenate([children[valid] for _, _, _, valid in rows])
    begin = np.concatenate([s[valid] for _, s, _, valid in rows])
    finish = np.concatenate([e[valid] for _, _, e, valid in rows])
    finish = np.where(finish > city.as_of, OPEN, finish)
    city.allowance_pairs = (child, recipient)
    apart = city.history.household_at(recipient, np.minimum(finish, city.as_of) - 1) != city.history.household_at(
        child, np.minimum(finish, city.as_of) - 1
    )
    late = (city.circumstances.carelessness[recipient] > 1.0) & (rng.random(len(child)) < 0.3)
    columns = {
        "受給者_宛名番号": city.numbers.text(recipient, begin),
        "児童_宛名番号": city.numbers.text(child, begin),
        "認定年月日": date_text(begin, "era_dots"),
        "資格喪失年月日": date_text(finish, "era_dots"),
        "同居別居": np.where(apart, "別居", "同居").astype(object),
        "現況届提出": np.where(late, "無", "有").astype(object),
    }
    return Extract(
        "child_allowance", columns, Style(dates="era_dots", headings={"児童_宛名番号": "児童宛名番号"}),
        ("受給者_宛名番号", "児童_宛名番号", "認定年月日"), ("認定年月日",), ("受給者_宛名番号", "児童_宛名番号"),
    )  # fmt: skip


def separation_day(
    city: City, children: np.ndarray, first: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The day between two days on which the child and the first recipient stopped living together (yearly steps, then days)."""
    low, high = low.copy(), high.copy()
    for _ in range(14):
        middle = (low + high) // 2
        together = (city.history.household_at(children, middle) == city.history.household_at(first, middle)) & (
            city.history.household_at(first, middle) >= 0
        )
        low, high = np.where(together, middle, low), np.where(together, high, middle)
    return high


def child_rearing_allowance(city: City) -> Extract:
    """Allowance for children of lone parents with a small income."""
    rng, c = city.rng, city.circumstances
    yearly, reasons = [], {}
    claims = rng.random(len(city.people)) < 0.9
    for _, on, situation in snapshots(city, 12):
        children = situation.children
        mother = city.people.mother[children]
        lone = situation.factors["single_parent"] & (city.age(children, on) < 18)
        parent = np.where(situation.mother_here, mother, city.people.father[children])
        well_off = c.hardship[parent] < -1.0
        listed = children[lone & claims[children] & ~well_off]
        yearly.append((on, listed))
        reasons.update(zip(listed.tolist(), parent[lone & claims[children] & ~well_off].tolist(), strict=True))
    person, start, end = spells(rng, yearly, city.as_of)
    start = np.maximum(start, city.birth[person] + 20)
    recipient = np.array([reasons[child] for child in person.tolist()], dtype=np.int64)
    ok = (start < end) & (recipient >= 0)
    person, start, end, recipient = person[ok], start[ok], end[ok], recipient[ok]
    widowed = np.zeros(len(person), dtype=bool)
    other = np.where(city.people.mother[person] == recipient, city.people.father[person], city.people.mother[person])
    widowed = (other >= 0) & (city.people.status[other] == DEAD) & (city.people.ended[other] <= start + 400)
    unmarried = city.people.father_known[person] >= 2
    partial = c.hardship[recipient] < 0.3
    columns = {
        "受給者_宛名番号": city.numbers.text(recipient, start),
        "児童_宛名番号": city.numbers.text(person, start),
        "認定年月日": date_text(start, "slash"),
        "受給事由": np.where(widowed, "死亡", np.where(unmarried, "未婚の母", "離婚")).astype(object),
        "支給区分": np.where(partial, "一部支給", "全部支給").astype(object),
        "資格喪失年月日": date_text(end, "slash"),
    }
    return Extract(
        "child_rearing_allowance", columns,
        Style(dates="slash", formula_ids=("受給者_宛名番号", "児童_宛名番号"), newline="\n"),
        ("受給者_宛名番号", "児童_宛名番号", "認定年月日"), ("認定年月日",), ("児童_宛名番号",),
    )  # fmt: skip


def nursery_rows(city: City) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Enrolments: child, first day, last day (OPEN), nursery (index into all nurseries)."""
    people, rng = city.people, city.rng
    first_year = city.parameters.as_of.year - 14
    stays = city.population.stays
    persons = np.unique(stays.person[stays.end > day(first_year)]).astype(np.int64)
    children = persons[city.birth[persons] > day(first_year - 3)]
    children = children[rng.random(len(children)) < city.parameters.nursery_share]
    age = rng.choice([0, 1, 2, 3], len(children), p=[0.18, 0.42, 0.2, 0.2])
    year = school_years_of(city.birth[children] - 1) + 1 + age
    start = month_start((year - 1970) * 12 + 3)
    late = rng.random(len(children)) < 0.2
    start = np.where(late, month_start((year - 1970) * 12 + 3 + rng.integers(1, 11, len(children))), start)
    start = np.maximum(start, city.birth[children] + 60)
    school = month_start((school_years_of(city.birth[children] - 1) + 7 - 1970) * 12 + 3)
    arrived = people.registered[children]
    start = np.where(arrived > start, month_start(months_of(arrived.astype(np.int64)) + 1), start)
    home = city.history.household_at(children, start)
    ok = (home >= 0) & (start < school - 30) & (start <= city.as_of)
    children, start, school, home = children[ok], start[ok], school[ok], home[ok]
    end = school - 1
    gone = (people.status[children] != RESIDENT) & (people.ended[children] < end)
    end = np.where(gone, people.ended[children], end)
    end = np.where(end > city.as_of, OPEN, end)
    town, _, _ = city.history.address_at(home, start)
    municipality = TOWN_MUNICIPALITY[town]
    counts = np.array([len(place.nurseries) for place in MUNICIPALITIES])
    first = np.append(0, np.cumsum(counts)[:-1])
    nursery = first[municipality] + (rng.random(len(children)) * counts[municipality]).astype(np.int64)
    keep = end > start
    return children[keep], start[keep], end[keep], nursery[keep]


def nursery_enrolment(city: City) -> Extract:
    """Enrolments in nurseries."""
    rng = city.rng
    city.nursery = nursery_rows(city)
    children, start, end, nursery = city.nursery
    names = [name for place in MUNICIPALITIES for name in place.nurseries]
    school = month_start((school_years_of(city.birth[children] - 1) + 7 - 1970) * 12 + 3)
    columns = {
        "児童_宛名番号": city.numbers.text(children, start),
        "施設名": choose_text(names, nursery),
        "入所年月日": date_text(start, "iso"),
        "退所年月日": date_text(end, "iso"),
        "保育必要量": choose_text(("標準時間", "短時間"), (rng.random(len(children)) < 0.3).astype(int)),
        "退所理由": np.where(end == OPEN, "", np.where(end == school - 1, "卒園", "転出")).astype(object),
    }
    return Extract(
        "nursery_enrolment", columns, Style("utf-8-bom", "iso"), ("児童_宛名番号", "施設名", "入所年月日"),
        ("入所年月日",), ("児童_宛名番号",),
    )  # fmt: skip


def monthly(
    start: np.ndarray, end: np.ndarray, first: int, last: int, skip: tuple[int, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Row position and month number for every month in which a stay is open, between two month numbers."""
    low = np.maximum(months_of(start), first)
    high = np.minimum(months_of(np.where(end >= OPEN, 20_000, end)), last)
    count = np.maximum(high - low + 1, 0)
    position = np.repeat(np.arange(len(start)), count)
    month = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count) + low[position]
    if skip:
        keep = ~np.isin(month % 12 + 1, skip)
        position, month = position[keep], month[keep]
    return position, month


def years_before(city: City, months: np.ndarray) -> np.ndarray:
    """Which year back from the as-of date a month lies in (0: not over yet), as the situations are numbered."""
    end = int(months_of(np.array([city.as_of]))[0])
    return np.maximum((end - months + 11) // 12, 1)


def factor_by_month(
    city: City, children: np.ndarray, months: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The factors of children in the year of each month."""
    result = {name: np.zeros(len(children), dtype=bool) for name in names}
    before = years_before(city, months)
    for number in np.unique(before):
        situation = city.circumstances.situations.get(int(number))
        if situation is None:
            continue
        rows = np.flatnonzero(before == number)
        order = np.argsort(situation.children)
        place = np.searchsorted(situation.children[order], children[rows])
        place = np.minimum(place, len(order) - 1)
        found = situation.children[order][place] == children[rows]
        for name in names:
            result[name][rows] = found & situation.factors[name][order[place]]
    return result


def in_year_lists(city: City, lists: dict[int, np.ndarray], children: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Whether each child stands in the list of the year of each month."""
    result = np.zeros(len(children), dtype=bool)
    before = years_before(city, months)
    for number in np.unique(before):
        rows = before == number
        result[rows] = np.isin(children[rows], lists.get(int(number), np.empty(0)))
    return result


def nursery_attendance(city: City) -> Extract:
    """Days absent by month: more, and more often without a word, where the child is neglected."""
    rng = city.rng
    children, start, end, _ = city.nursery
    last = int(months_of(np.array([city.as_of]))[0]) - 1
    position, month = monthly(start, end, last - 12 * city.parameters.monthly_records_years + 1, last)
    child = children[position]
    factors = factor_by_month(city, child, month, ("neglect", "parental_illness", "poverty", "violence"))
    days = np.array([20, 19, 22, 21, 22, 21, 22, 21, 21, 22, 20, 21])[month % 12]
    rate = 0.07 + 0.05 * factors["neglect"] + 0.03 * factors["parental_illness"] + 0.02 * factors["violence"]
    rate = rate + 0.03 * np.isin(month % 12, (0, 1, 11))
    absent = rng.binomial(days, rate)
    without = rng.binomial(absent, 0.03 + 0.25 * factors["neglect"] + 0.05 * factors["poverty"])
    columns = {
        "児童_宛名番号": city.numbers.text(child, month_start(month)),
        "年月": spell_month(month, "era_dots"),
        "在籍日数": integer_text(days),
        "欠席日数": integer_text(absent),
        "無断欠席日数": integer_text(without),
    }
    return Extract(
        "nursery_attendance", columns, Style("utf-8", "iso"), ("児童_宛名番号", "年月", "在籍日数", "欠席日数"), (),
        ("児童_宛名番号",), recent=(month == last).astype(np.int64),
    )  # fmt: skip


def child_consultations(city: City) -> Extract:
    """Consultations of the child consultation centre, with reports of abuse."""
    rng, table = city.rng, city.circumstances.consultations
    rows = np.flatnonzero((table.day >= day(2003, 4)) & city.known[table.child] & (table.day <= city.as_of))
    rows = rows[np.argsort(table.day[rows], kind="stable")]
    days = table.day[rows].astype(np.int64)
    abuse = table.abuse[rows]
    kinds = np.where(abuse > 0, 0, 1 + table.difficulty[rows] % 4)
    abuser = rng.choice(4, len(rows), p=[0.45, 0.4, 0.1, 0.05])
    columns = {
        "相談番号": np.array([f"S{n:06d}" for n in range(1, len(rows) + 1)], dtype=object),
        "児童_宛名番号": city.numbers.text(table.child[rows], days),
        "受付年月日": date_text(days, "era_sign"),
        "相談種別": choose_text(("児童虐待", "養護相談", "育成相談", "不登校相談", "障害相談"), kinds),
        "相談経路": choose_text(
            ("学校", "保育所", "近隣・知人", "警察", "医療機関", "家族・親族", "児童相談所", "保健センター"),
            rng.choice(8, len(rows), p=[0.22, 0.12, 0.12, 0.2, 0.06, 0.14, 0.08, 0.06]),
        ),
        "虐待種別": choose_text(ABUSE_KINDS, abuse),
        "虐待者続柄": np.where(abuse > 0, choose_text(("実母", "実父", "実父以外の父親", "その他"), abuser), "").astype(
            object
        ),
        "所見": choose_text(MEMOS, rng.integers(0, len(MEMOS), len(rows))),
    }
    city.consultation_rows = (columns["相談番号"], rows)
    return Extract(
        "child_consultations", columns, Style(dates="era_sign"), ("相談番号", "児童_宛名番号", "受付年月日", "相談種別"),
        ("受付年月日",), ("児童_宛名番号",), recent=_recent(days, city.as_of, 30),
    )  # fmt: skip


def council_cases(city: City) -> Extract:
    """Cases of the council for children in need, with those of the old paper ledgers."""
    rng, table = city.rng, city.circumstances.cases
    rows = np.flatnonzero((table.listed == 1) & city.known[table.child] & (table.start <= city.as_of))
    rows = rows[np.argsort(table.start[rows], kind="stable")]
    start, end = table.start[rows].astype(np.int64), table.end[rows].astype(np.int64)
    end = np.where(end > city.as_of, OPEN, end)
    age = city.age(table.child[rows], start)
    abuse = table.abuse[rows]
    kind = np.where(abuse > 0, 0, np.where((age < 0.4) & (rng.random(len(rows)) < 0.5), 2, 1))
    styles = ("era_long", "era_dots", "slash", "era_short")
    ledger = np.where(start < day(2005, 4), rng.integers(0, 4, len(rows)), 2)
    written = np.select(
        [ledger == number for number in range(4)], [date_text(start, style) for style in styles]
    ).astype(object)
    agency = np.where(
        abuse > 0, rng.choice(2, len(rows), p=[0.75, 0.25]), rng.choice(3, len(rows), p=[0.6, 0.2, 0.2]) * 2 % 5
    )
    columns = {
        "ケース番号": np.array([f"Y{n:05d}" for n in range(1, len(rows) + 1)], dtype=object),
        "児童_宛名番号": city.numbers.text(table.child[rows], start),
        "登録年月日": written,
        "終結年月日": date_text(end, "slash"),
        "区分": choose_text(("要保護児童", "要支援児童", "特定妊婦"), kind),
        "主な困難": choose_text(DIFFICULTIES, table.difficulty[rows]),
        "虐待種別": choose_text(ABUSE_KINDS, abuse),
        "主担当機関": choose_text(
            ("子ども若者課", "児童相談所", "健康医療対策課", "子ども相談センター", "教育委員会"), agency
        ),
    }
    city.council_rows = (columns["ケース番号"], rows)
    return Extract(
        "council_cases", columns, Style("utf-8-bom", "slash", titles=("要保護児童対策地域協議会　ケース一覧", "")),
        ("ケース番号", "児童_宛名番号", "登録年月日", "区分"), ("登録年月日",), ("児童_宛名番号",),
    )  # fmt: skip


def dv_consultations(city: City) -> Extract:
    """Consultations about violence by a partner."""
    rng, unions = city.rng, city.population.unions
    limit = day(city.parameters.as_of.year - 15)
    rows = np.flatnonzero((unions.violent == 1) & (unions.end > limit) & (unions.start < city.as_of - 100))
    rows = rows[rng.random(len(rows)) < 0.45]
    low = np.maximum(unions.start[rows], limit).astype(np.int64)
    high = np.minimum(unions.end[rows], city.as_of).astype(np.int64)
    count = 1 + rng.poisson(0.8, len(rows))
    position = np.repeat(np.arange(len(rows)), count)
    days = low[position] + (rng.random(len(position)) * (high - low)[position]).astype(np.int64)
    days = np.where(
        rng.random(len(days)) < 0.4, np.maximum(high[position] - rng.integers(0, 90, len(days)), low[position]), days
    )
    person = np.where(rng.random(len(days)) < 0.95, unions.wife[rows][position], unions.husband[rows][position]).astype(
        np.int64
    )
    others = city.residents[
        (city.people.sex[city.residents] == FEMALE) & (rng.random(len(city.residents)) < 0.0012)
        & (city.age(city.residents, city.as_of) > 18)
    ]  # fmt: skip
    person = np.concatenate([person, others])
    days = np.concatenate([days, city.as_of - rng.integers(30, 2500, len(others))])
    ok = city.alive_and_here(person, days) & (days <= city.as_of)
    person, days = person[ok], days[ok]
    order = np.argsort(days, kind="stable")
    person, days = person[order], days[order]
    kind = rng.choice(4, len(person), p=[0.4, 0.4, 0.15, 0.05])
    columns = {
        "相談番号": np.array([f"D{n:05d}" for n in range(1, len(person) + 1)], dtype=object),
        "相談者_宛名番号": city.numbers.text(person, days),
        "受付年月日": date_text(days, "era_dots_wide"),
        "区分": choose_text(("身体的暴力", "精神的暴力", "経済的暴力", "性的暴力"), kind),
    }
    return Extract(
        "dv_consultations", columns, Style(dates="era_dots_wide"), ("相談番号", "相談者_宛名番号", "受付年月日"),
        ("受付年月日",), ("相談者_宛名番号",),
    )  # fmt: skip


# --- health -------------------------------------------------------------------------------------------------------------


def births_since(city: City, years: int) -> np.ndarray:
    """Children born in the city (their mother resident) in the last years."""
    people = city.people
    limit = city.as_of - round(years * YEAR)
    children = np.flatnonzero((people.birth > limit) & (people.birth <= city.as_of) & (people.mother >= 0) & city.known)
    births = city.birth[children]
    at_home = city.history.household_at(people.mother[children].astype(np.int64), births)
    mine = city.history.household_at(children, births)
    return children[(at_home >= 0) & (mine == at_home)]


def pregnancy_notifications(city: City) -> Extract:
    """Notifications of pregnancies: of the children born since, of those not yet born, of some never born here."""
    people, rng, c = city.people, city.rng, city.circumstances
    children = births_since(city, 18)
    mother = people.mother[children].astype(np.int64)
    due = city.birth[children] + rng.normal(4, 9, len(children)).astype(np.int64)
    twin = people.twin[children]
    due = np.where((twin >= 0) & (twin < children), -OPEN, due)
    first = {int(child): int(value) for child, value in zip(children, due, strict=True)}
    due = np.array([first.get(int(t), 0) if d == -OPEN else d for t, d in zip(twin, due, strict=True)], dtype=np.int64)

    # Unborn: mothers drawn as for the births of the coming months.
    weights, women = city.population.fertility(city.as_of)
    expected = _births_per_year(city) * 0.58
    chosen = women[_take(rng, weights, rng.poisson(expected))]
    unborn_due = city.as_of + rng.integers(1, 212, len(chosen))
    twins = chosen[rng.random(len(chosen)) < 0.012]
    twin_due = unborn_due[np.isin(chosen, twins)]
    unborn_mothers = np.concatenate([chosen, twins])
    unborn_due = np.concatenate([unborn_due, twin_due])
    # Never born here: the pregnancy ended, or the mother moved away before the birth.
    lost = city.residents[
        (people.sex[city.residents] == FEMALE) & (np.abs(city.age(city.residents, city.as_of) - 31) < 10)
        & (rng.random(len(city.residents)) < 0.012)
    ]  # fmt: skip
    lost_due = city.as_of - rng.integers(120, 2500, len(lost))
    child = np.concatenate([children, np.full(len(unborn_mothers) + len(lost), -1)])
    mothers = np.concatenate([mother, unborn_mothers, lost]).astype(np.int64)
    due = np.concatenate([due, unborn_due, lost_due]).astype(np.int64)
    late = 1.6 * (c.carelessness[mothers] > 1) + 0.8 * (c.hardship[mothers] > 1)
    weeks = np.clip(rng.normal(9 + 2.5 * late, 2.2 + 1.5 * late), 5, 39).astype(np.int64)
    weeks = np.where((late > 1.5) & (rng.random(len(weeks)) < 0.15), rng.integers(22, 38, len(weeks)), weeks)
    same = np.isin(mothers, twins) & (child < 0)
    filed = due - 280 + 7 * weeks
    filed = np.where(filed > city.as_of, city.as_of - rng.integers(0, 20, len(filed)), filed)
    weeks = np.clip((filed - (due - 280)) // 7, 4, 40)
    partner, union = city.history.partner_at(mothers, filed)
    married = (partner >= 0) & (city.population.unions.kind[union] == MARRIED)
    here = city.alive_and_here(mothers, filed)
    keep = here & (weeks >= 4)
    order = np.flatnonzero(keep)[np.argsort(filed[keep], kind="stable")]
    child, mothers, due, filed, weeks, married, same = (
        v[order] for v in (child, mothers, due, filed, weeks, married, same)
    )

    def yes(high: np.ndarray, usual: float, raised: float) -> np.ndarray:
        return rng.random(len(mothers)) < np.where(high, raised, usual)

    number = np.array([f"N{n:06d}" for n in range(1, len(order) + 1)], dtype=object)
    # The child's number is entered some weeks after the birth; for a few it never was.
    named = (child >= 0) & (city.birth[child] < city.as_of - 25) & (rng.random(len(child)) > 0.004)
    columns = {
        "届出番号": number,
        "母_宛名番号": city.numbers.text(mothers, filed),
        "届出年月日": date_text(filed, "era_spaced"),
        "届出時週数": integer_text(weeks),
        "分娩予定日": date_text(due, "era_spaced"),
        "婚姻状況": np.where(married, "既婚", "未婚").astype(object),
        "喫煙": np.where(yes(c.carelessness[mothers] > 0.8, 0.03, 0.2), "○", "").astype(object),
        "飲酒": np.where(yes(c.carelessness[mothers] > 0.8, 0.015, 0.06), "○", "").astype(object),
        "精神科既往": np.where(yes(c.illness[mothers] > 1.2, 0.03, 0.55), "○", "").astype(object),
        "支援者なし": np.where(yes(c.loneliness[mothers] > 1.0, 0.02, 0.35), "○", "").astype(object),
        "経済不安": np.where(yes(c.hardship[mothers] > 1.0, 0.06, 0.5), "○", "").astype(object),
        "出生児_宛名番号": np.where(
            named, city.numbers.text(child, np.where(child >= 0, city.birth[child], 0)), ""
        ).astype(object),
    }
    waiting = np.flatnonzero((child < 0) & (due > city.as_of))
    city.unborn = [(number[i], int(mothers[i]), int(due[i])) for i in waiting.tolist()]
    city.pregnancies = (number, child, mothers, due)
    city.pregnancy_named = named
    return Extract(
        "pregnancy_notifications", columns, Style(dates="era_spaced"),
        ("届出番号", "母_宛名番号", "届出年月日", "届出時週数", "分娩予定日"), ("届出年月日", "分娩予定日"), ("母_宛名番号",),
        recent=_recent(filed, city.as_of, 40),
    )  # fmt: skip


def _births_per_year(city: City) -> float:
    return float(((city.birth > city.as_of - 730) & (city.birth <= city.as_of) & (city.people.native == 1)).sum()) / 2


def _take(rng: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    positive = np.flatnonzero(weights > 0)
    keys = np.log(weights[positive]) + rng.gumbel(size=len(positive))
    return positive[np.argsort(-keys, kind="stable")[:count]]


def newborn_visits(city: City) -> Extract:
    """Visits to newborns, with the mother's EPDS."""
    people, rng, c = city.people, city.rng, city.circumstances
    children = births_since(city, 12)
    mother = people.mother[children].astype(np.int64)
    births = city.birth[children]
    on = births + rng.integers(18, 75, len(children))
    keep = (on <= city.as_of) & city.alive_and_here(children, np.minimum(on, city.as_of))
    children, mother, births, on = children[keep], mother[keep], births[keep], on[keep]
    situation = c.situation(children, births + 1)
    twin = people.twin[children] >= 0
    logit = situation.score("postpartum_depression") + 0.7 * twin
    from synthetic_city.circumstances import _calibrated

    positive = rng.random(len(children)) < _calibrated(logit, city.parameters.postpartum_positive)
    city.epds_positive = children[positive]
    city.newborn_pairs = (children, mother)
    epds = np.where(positive, 9 + rng.poisson(3.2, len(children)), np.minimum(rng.poisson(3.2, len(children)), 8))
    epds = np.minimum(epds, 30)
    item_10 = np.where(positive & (rng.random(len(children)) < 0.12), rng.integers(1, 4, len(children)), 0)
    refused = rng.random(len(children)) < np.where(situation.factors["neglect"], 0.08, 0.008)
    weeks = np.clip(np.round(rng.normal(39.1 - 2.4 * twin, 1.5)), 25, 42).astype(np.int64)
    weight = np.clip(rng.normal(3020, 370, len(children)) - 130 * (39 - weeks) - 250 * twin, 500, 4700).astype(np.int64)
    visited = date_text(np.where(refused, OPEN, on), "era_dots")
    columns = {
        "児童_宛名番号": city.numbers.text(children, births),
        "母_宛名番号": city.numbers.text(mother, births),
        "出生体重": np.array([f"{value:,}g" if value % 3 else f"{value}g" for value in weight.tolist()], dtype=object),
        "在胎週数": np.array(
            [f"{value}週" if value % 7 == 0 else str(value) for value in weeks.tolist()], dtype=object
        ),
        "訪問年月日": visited,
        "訪問拒否": np.where(refused, "有", "無").astype(object),
        "EPDS合計": np.where(refused, "", integer_text(epds)).astype(object),
        "EPDS項目10": np.where(refused, "", integer_text(item_10)).astype(object),
    }
    columns["出生体重"] = np.array([f'"{text}"' if "," in text else text for text in columns["出生体重"]], dtype=object)
    return Extract(
        "newborn_visits", columns, Style(dates="era_dots", trailer=True), ("児童_宛名番号",), (), ("児童_宛名番号",),
        recent=_recent(on, city.as_of, 30),
    )  # fmt: skip


CHECKUPS = (("４か月児健診", 4), ("10か月児健診", 10), ("1歳6か月児健診", 18), ("3歳児健診", 39), ("5歳児健診", 62))


def infant_checkups(city: City) -> Extract:
    """Checkups of infants: missed more often, and more decayed teeth, where the child is neglected."""
    people, rng, c = city.people, city.rng, city.circumstances
    stays = np.unique(city.population.stays.person[city.population.stays.end > day(city.parameters.as_of.year - 12)])
    children = stays[city.birth[stays] > city.as_of - 18 * YEAR].astype(np.int64)
    careless = c.carelessness[np.maximum(people.mother[children], 0)] > 1.25
    rows = []
    for kind, (_, months) in enumerate(CHECKUPS):
        on = month_start(months_of(city.birth[children]) + months) + rng.integers(0, 28, len(children))
        ok = (on <= city.as_of) & (on > day(city.parameters.as_of.year - 17))
        ok &= city.alive_and_here(children, np.minimum(on, city.as_of))
        rows.append((children[ok], on[ok], np.full(ok.sum(), kind), careless[ok]))
    child, scheduled, kind, careless = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    missed = rng.random(len(child)) < np.where(careless, 0.16, 0.022)
    attended = np.where(missed, OPEN, scheduled + rng.choice([0, 0, 0, 0, 14, 28, 60], len(child)))
    missed |= attended > city.as_of
    attended = np.where(missed, OPEN, attended)
    months = np.array([age for _, age in CHECKUPS])[kind]
    girl = people.sex[child] == FEMALE
    height = 63 + 0.0 * months + np.interp(months, [4, 10, 18, 39, 62], [0, 9.5, 17.5, 32.5, 46]) - 1.2 * girl
    height = height + rng.normal(0, 2.6, len(child)) - 1.0 * careless
    weight = np.interp(months, [4, 10, 18, 39, 62], [6.8, 8.8, 10.4, 14.4, 18.2]) - 0.3 * girl
    weight = weight * rng.normal(1, 0.09, len(child)) - 0.35 * careless
    decayed = np.where(
        months >= 18, rng.poisson(np.interp(months, [18, 39, 62], [0.03, 0.35, 0.9]) * np.where(careless, 3.2, 1)), 0
    )
    develops = np.where(
        c.disabled_child[child] & (rng.random(len(child)) < 0.6), 2, (rng.random(len(child)) < 0.09).astype(int)
    )
    hard = rng.random(len(child)) < 0.07 + 0.22 * c.disabled_child[child] + 0.12 * careless
    done = attended < OPEN
    reason = np.where(missed & (rng.random(len(child)) < 0.5), rng.choice(4, len(child)) + 1, 0)
    order = np.argsort(scheduled, kind="stable")

    def when_done(text: np.ndarray) -> np.ndarray:
        return np.where(done, text, "").astype(object)[order]

    columns = {
        "児童_宛名番号": city.numbers.text(child, scheduled)[order],
        "健診種別": choose_text([name for name, _ in CHECKUPS], kind)[order],
        "対象年月日": date_text(scheduled, "slash")[order],
        "受診年月日": date_text(attended, "slash")[order],
        "未受診理由": choose_text(("", "連絡なし", "都合がつかない", "他院で受診", "入院中"), reason)[order],
        "身長": when_done(np.array([f"{v:.1f}cm" for v in height.tolist()], dtype=object)),
        "体重": when_done(np.array([f"{v:.2f}" for v in weight.tolist()], dtype=object)),
        "う歯数": when_done(integer_text(decayed)),
        "発達判定": when_done(choose_text(("異常なし", "要観察", "要精密"), develops)),
        "育てにくさ": when_done(np.where(hard, "はい", "いいえ")),
    }
    return Extract(
        "infant_checkups", columns, Style("utf-16", "slash", delimiter="\t"),
        ("児童_宛名番号", "健診種別", "対象年月日"), ("対象年月日",), ("児童_宛名番号",),
        recent=_recent(scheduled[order], city.as_of, 30),
    )  # fmt: skip


VACCINES = (
    ("ヒブ", 1, 2), ("ヒブ", 2, 3), ("ヒブ", 3, 4), ("ヒブ", 4, 13), ("小児用肺炎球菌", 1, 2), ("小児用肺炎球菌", 2, 3),
    ("小児用肺炎球菌", 3, 4), ("小児用肺炎球菌", 4, 13), ("四種混合", 1, 3), ("四種混合", 2, 4), ("四種混合", 3, 5),
    ("四種混合", 4, 18), ("ＢＣＧ", 1, 6), ("麻しん風しん", 1, 13), ("麻しん風しん", 2, 65), ("水痘", 1, 13),
    ("水痘", 2, 20), ("日本脳炎", 1, 38), ("日本脳炎", 2, 39), ("日本脳炎", 3, 51),
)  # fmt: skip


def vaccinations(city: City) -> Extract:
    """Doses given; those of neglected children are late or missing."""
    people, rng, c = city.people, city.rng, city.circumstances
    stays = np.unique(city.population.stays.person[city.population.stays.end > day(city.parameters.as_of.year - 6)])
    children = stays[city.birth[stays] > city.as_of - 12 * YEAR].astype(np.int64)
    careless = c.carelessness[np.maximum(people.mother[children], 0)] > 1.25
    parts = []
    for number, (_, _, months) in enumerate(VACCINES):
        delay = rng.gamma(1.2, 14, len(children)) + careless * rng.gamma(1.2, 60, len(children))
        on = month_start(months_of(city.birth[children]) + months) + 5 + delay.astype(np.int64)
        given = rng.random(len(children)) < np.where(careless, 0.8, 0.975)
        given &= (on <= city.as_of) & city.alive_and_here(children, np.minimum(on, city.as_of))
        parts.append((children[given], on[given], np.full(given.sum(), number)))
    child, on, vaccine = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(on, kind="stable")
    child, on, vaccine = child[order], on[order], vaccine[order]
    columns = {
        "宛名番号": city.numbers.text(child, on),
        "ワクチン種別": choose_text([name for name, _, _ in VACCINES], vaccine),
        "回数": choose_text([str(dose) for _, dose, _ in VACCINES], vaccine),
        "接種年月日": date_text(on, "compact"),
    }
    return Extract(
        "vaccinations", columns,
        Style(dates="compact", headings={"宛名番号": "住民コード"}, half_width_headings=True, full_width_digits=("回数",)),
        ("宛名番号", "ワクチン種別", "接種年月日"), ("接種年月日",), ("宛名番号",), recent=_recent(on, city.as_of, 30),
    )  # fmt: skip


# --- welfare and elderly ------------------------------------------------------------------------------------------------


def public_assistance(city: City) -> Extract:
    """Households on public assistance, member by member."""
    people, rng, c = city.people, city.rng, city.circumstances
    history = city.history
    from synthetic_city.circumstances import _calibrated

    patience = rng.normal(0, 0.5, len(people))
    yearly = []
    for before, on, situation in snapshots(city, 12):
        here = np.unique(city.population.stays.person)
        heads = here[(city.birth[here] < on - 22 * YEAR)].astype(np.int64)
        home = history.household_at(heads, np.full(len(heads), on))
        is_head = (home >= 0) & (history.head_at(home, np.full(len(heads), on)) == heads)
        is_head &= city.population.households.kind[np.maximum(home, 0)] == HOME
        heads, home = heads[is_head], home[is_head]
        age = city.age(heads, on)
        with_children = np.zeros(len(city.population.households), dtype=np.float64)
        score = situation.score("public_assistance")
        np.maximum.at(with_children, situation.household[situation.household >= 0], score[situation.household >= 0])
        logit = 1.6 * c.hardship[heads] + 0.6 * c.illness[heads] + patience[heads] + 0.9 * (age > 65)
        logit = logit + with_children[home]
        share = city.parameters.public_assistance_share * 0.8
        rank = _calibrated(logit, share)
        # The same households stay on it: a fixed draw per head, so that spells last.
        fixed = np.random.default_rng([city.parameters.seed, 6]).random(len(people))
        chosen = home[fixed[heads] < rank]
        residents = here[np.isin(history.household_at(here.astype(np.int64), np.full(len(here), on)), chosen)]
        yearly.append((on, residents.astype(np.int64)))
    person, start, end = spells(rng, yearly, city.as_of)
    inside = city.alive_and_here(person, np.maximum(start, city.birth[person]))
    start = np.maximum(start, city.birth[person])
    gone = people.status[person] != RESIDENT
    end = np.where(gone & (people.ended[person] < np.minimum(end, OPEN)), people.ended[person], end)
    keep = inside & (end > start)
    person, start, end = person[keep], start[keep], end[keep]
    home = history.household_at(person, start)
    order = np.lexsort((city.birth[person], home))
    person, start, end, home = person[order], start[order], end[order], home[order]
    _, inverse = np.unique(home, return_inverse=True)
    member = np.arange(len(home)) - np.searchsorted(home, home, side="left") + 1
    # One case starts on one day.
    first = np.full(inverse.max(initial=0) + 1, OPEN)
    np.minimum.at(first, inverse, start)
    start = np.where((start - first[inverse] < 330) & (first[inverse] > city.birth[person]), first[inverse], start)
    start = np.maximum(start, people.registered[person])
    stopped = (end < OPEN) & (rng.random(len(end)) < 0.2)
    columns = {
        "ケース番号": choose_text([f"H{n:05d}" for n in range(1, inverse.max(initial=0) + 2)], inverse),
        "員番号": choose_text([f"{n:02d}" for n in range(200)], np.minimum(member, 199)),
        "宛名番号": city.numbers.text(person, start),
        "開始年月日": date_text(start, "era_short"),
        "停止年月日": date_text(np.where(stopped, end - 25, OPEN), "era_short"),
        "廃止年月日": date_text(end, "era_short"),
        "廃止理由": np.where(
            end < OPEN, choose_text(("収入増", "転出", "死亡", "その他"), rng.integers(0, 4, len(end))), ""
        ).astype(object),
        "単併給区分": choose_text(("単給", "併給"), (rng.random(len(end)) < 0.8).astype(int)),
    }
    return Extract(
        "public_assistance", columns,
        Style(dates="era_short", titles=("生活保護　世帯員一覧", "作成日　{date}", "")),
        ("ケース番号", "員番号", "宛名番号", "開始年月日"), ("開始年月日",), ("宛名番号",),
    )  # fmt: skip


def disability_certificates(city: City) -> Extract:
    """Certificates: physical with age, mental with illness, intellectual from childhood."""
    people, rng, c = city.people, city.rng, city.circumstances
    persons = np.unique(
        city.population.stays.person[city.population.stays.end > day(city.parameters.as_of.year - 10)]
    ).astype(np.int64)
    age = city.age(persons, city.as_of)
    physical = (
        rng.random(len(persons))
        < np.interp(age, [0, 20, 50, 65, 80, 95], [0.002, 0.006, 0.02, 0.05, 0.11, 0.17])
        * city.parameters.disability_share
        / 0.055
    )
    mental = (c.illness[persons] > 1.5) & (age > 15) & (age < 80) & (rng.random(len(persons)) < 0.28)
    intellectual = c.disabled_child[persons] & (age < 60) & (rng.random(len(persons)) < 0.22)
    kinds = [np.flatnonzero(chosen) for chosen in (physical, mental, intellectual)]
    position = np.concatenate(kinds)
    kind = np.repeat([0, 1, 2], [len(rows) for rows in kinds])
    person = persons[position]
    low = np.where(kind == 2, city.birth[person] + 3 * 365, city.birth[person] + np.where(kind == 1, 17, 1) * 365)
    high = np.minimum(np.where(kind == 2, city.birth[person] + 14 * 365, city.as_of), city.as_of)
    since = np.maximum(low, people.registered[person])
    ok = (since < high) & (since < OPEN)
    person, kind, since, high = person[ok], kind[ok], since[ok], high[ok]
    issued = (high - (high - since) * rng.random(len(person)) ** 1.4).astype(np.int64)
    returned = np.where(people.status[person] == DEAD, people.ended[person], OPEN)
    returned = np.where(rng.random(len(person)) < 0.02, issued + 900, returned)
    returned = np.where(returned > city.as_of, OPEN, returned)
    grade = np.where(kind == 2, 0, rng.integers(1, 4, len(person)) + (kind == 0) * rng.integers(0, 3, len(person)))
    words = np.where(
        kind == 2, np.where(rng.random(len(person)) < 0.4, "Ａ", "Ｂ"), choose_text([f"{n}級" for n in range(8)], grade)
    )
    columns = {
        "宛名番号": city.numbers.text(person, issued),
        "手帳種別": choose_text(("身体障害者手帳", "精神障害者保健福祉手帳", "療育手帳"), kind),
        "等級": words.astype(object),
        "交付年月日": date_text(issued, "era_dots"),
        "返還年月日": date_text(returned, "era_dots"),
    }
    return Extract(
        "disability_certificates", columns,
        Style(dates="era_dots", headings={"宛名番号": "宛名№"}, full_width_digits=("等級", "交付年月日")),
        ("宛名番号", "手帳種別", "交付年月日"), ("交付年月日",), ("宛名番号",),
    )  # fmt: skip


def livelihood_consultations(city: City) -> Extract:
    """Consultations of people in need."""
    rng, c = city.rng, city.circumstances
    persons = np.unique(
        city.population.stays.person[city.population.stays.end > day(city.parameters.as_of.year - 10)]
    ).astype(np.int64)
    persons = persons[city.age(persons, city.as_of) > 20]
    chance = 1 / (1 + np.exp(-(-4.6 + 1.5 * c.hardship[persons] + 0.4 * c.loneliness[persons])))
    persons = persons[rng.random(len(persons)) < chance]
    count = 1 + rng.poisson(0.7, len(persons))
    person = np.repeat(persons, count)
    days = city.as_of - rng.integers(1, 3650, len(person))
    ok = city.alive_and_here(person, days) & (city.age(person, days) > 18)
    person, days = person[ok], days[ok]
    order = np.argsort(days, kind="stable")
    person, days = person[order], days[order]
    columns = {
        "相談番号": np.array([f"L{n:05d}" for n in range(1, len(person) + 1)], dtype=object),
        "宛名番号": city.numbers.text(person, days),
        "相談年月日": date_text(days, "iso"),
        "主訴": choose_text(
            ("収入・生活費", "家賃・住まい", "仕事探し", "債務", "病気・健康", "家族関係", "ひきこもり"),
            rng.choice(7, len(person), p=[0.4, 0.13, 0.14, 0.1, 0.1, 0.08, 0.05]),
        ),
    }
    return Extract(
        "livelihood_consultations", columns, Style("utf-8-bom", "iso", quote_all=True),
        ("相談番号", "宛名番号", "相談年月日"), ("相談年月日",), ("宛名番号",), recent=_recent(days, city.as_of, 30),
    )  # fmt: skip


def care_certifications(city: City) -> Extract:
    """Certifications of long-term care; the current one of each person and some before it."""
    people, rng, c = city.people, city.rng, city.circumstances
    persons = np.unique(
        city.population.stays.person[city.population.stays.end > day(city.parameters.as_of.year - 8)]
    ).astype(np.int64)
    begin = np.maximum(np.maximum(c.care_from[persons], people.registered[persons]), city.birth[persons] + 40 * 365)
    last = np.where(people.status[persons] == RESIDENT, city.as_of, people.ended[persons])
    ok = begin < last
    persons, begin, last = persons[ok], begin[ok], last[ok].astype(np.int64)
    level = np.minimum(rng.poisson(1.1, len(persons)), 4)
    span = np.where(level < 2, 365, 730)
    count = np.clip((last - begin) // span + 1, 1, 3)
    position = np.repeat(np.arange(len(persons)), count)
    step = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
    behind = count[position] - 1 - step
    whole = (last - begin)[position] // span[position]
    start = begin[position] + (whole - behind) * span[position]
    end = start + span[position] - 1
    grade = np.clip(level[position] - behind + rng.integers(0, 2, len(position)), 0, 6)
    keep = start > day(city.parameters.as_of.year - 8)
    person, start, end, grade = persons[position][keep], start[keep], end[keep], grade[keep]
    columns = {
        "宛名番号": np.array([text.lstrip("0") for text in city.numbers.text(person, start)], dtype=object),
        "要介護度": choose_text(("要支援1", "要支援2", "要介護1", "要介護2", "要介護3", "要介護4", "要介護5"), grade),
        "認定有効開始": date_text(start, "era_dots"),
        "認定有効終了": date_text(end, "era_dots"),
    }
    return Extract(
        "care_certifications", columns, Style(dates="era_dots", unpadded_ids=True, headings={"宛名番号": "宛名コード"}),
        ("宛名番号", "要介護度", "認定有効開始"), ("認定有効開始",), ("宛名番号",), "認定有効終了",
    )  # fmt: skip


# --- education ----------------------------------------------------------------------------------------------------------


def school_enrolment(city: City) -> Extract:
    """Pupils and recent graduates, each under the number of the school register."""
    external = city.external
    external.enrol()
    school = external.pupils
    record = external.spell("school_enrolment", school.person, school.start, school.written_on)
    external.blend_strangers(record, school.stranger)
    external.remember("school_enrolment", school.number, school.person, record, school.stranger)
    columns = {
        "学籍番号": school.number,
        "氏名": record.name,
        "氏名_フリガナ": np.array([half_width(text) for text in record.kana], dtype=object),
        "生年月日": record.birth_text("era_dots"),
        "性別": record.sex_text(("男", "女"), ("1", "2")),
        "住所": record.address,
        "保護者氏名": record.guardian,
        "学校名": school.school,
        "学年": integer_text(school.grade, 0),
        "在籍開始": date_text(school.start, "era_dots"),
        "在籍終了": date_text(school.end, "era_dots"),
    }
    return Extract(
        "school_enrolment", columns,
        Style(dates="era_dots", titles=("学齢簿　在籍一覧（基準日　{date}）",), trailer=True, headings={"氏名_フリガナ": "氏名カナ"}),
        ("学籍番号", "氏名", "生年月日", "学校名", "在籍開始"), ("生年月日", "在籍開始"), (),
    )  # fmt: skip


def school_attendance(city: City) -> Extract:
    """Days absent, late and early, and visits to the nurse, by month; no rows for August."""
    rng, school = city.rng, city.external.pupils
    last = int(months_of(np.array([city.as_of]))[0]) - 1
    position, month = monthly(
        school.first_start, school.end, last - 12 * city.parameters.monthly_records_years + 1, last, skip=(8,)
    )
    child = school.person[position]
    inside = child >= 0
    factors = factor_by_month(
        city, child, month, ("neglect", "parental_illness", "child_disability", "violence", "poverty")
    )
    truant = inside & in_year_lists(city, city.circumstances.truants, child, month)
    carer = inside & in_year_lists(city, city.circumstances.carers, child, month)
    days = np.array([17, 19, 16, 18, 20, 21, 14, 0, 20, 21, 20, 16])[month % 12]
    rate = 0.015 + 0.012 * factors["neglect"] + 0.01 * factors["parental_illness"] + 0.008 * factors["violence"]
    rate = np.where(truant, rng.beta(1.6, 2.0, len(child)), rate + 0.02 * carer)
    absent = rng.binomial(days, np.clip(rate * np.exp(rng.normal(0, 0.4, len(child))), 0, 1))
    late = rng.poisson(0.12 + 0.8 * factors["neglect"] + 0.9 * carer + 1.0 * truant)
    early = rng.poisson(0.08 + 0.25 * truant + 0.3 * carer)
    nurse = rng.poisson(0.25 + 0.5 * factors["violence"] + 0.4 * factors["child_disability"] + 0.5 * truant)
    order = np.argsort(month, kind="stable")
    columns = {
        "学籍番号": school.number[position][order],
        "年月": spell_month(month[order], "iso"),
        "授業日数": integer_text(days[order]),
        "欠席日数": integer_text(absent[order]),
        "遅刻": integer_text(np.minimum(late, days)[order]),
        "早退": integer_text(np.minimum(early, days)[order]),
        "保健室利用": integer_text(nurse[order]),
    }
    city.external.truant_rows = (position, month, truant)
    return Extract(
        "school_attendance", columns, Style("utf-8-bom", "iso"), ("学籍番号", "年月", "授業日数", "欠席日数"), (), (),
        recent=(month[order] == last).astype(np.int64),
    )  # fmt: skip


def school_years(city: City, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Pupil position and school year for each of the last years in which a pupil was enrolled."""
    school = city.external.pupils
    last = int(school_years_of(np.array([city.as_of - 1]))[0])
    positions, numbers = [], []
    for year in range(last - years + 1, last + 1):
        october = day(year, 10)
        chosen = np.flatnonzero((school.first_start <= october) & (school.end > october) & (october <= city.as_of))
        positions.append(chosen)
        numbers.append(np.full(len(chosen), year))
    return np.concatenate(positions), np.concatenate(numbers)


def school_aid(city: City) -> Extract:
    """School aid by school year."""
    rng, school, people = city.rng, city.external.pupils, city.people
    position, year = school_years(city, 5)
    child = school.person[position]
    month = (year - 1970) * 12 + 9
    factors = factor_by_month(city, child, month, ("poverty", "single_parent", "many_children"))
    steady = np.random.default_rng([city.parameters.seed, 7]).random(len(people))
    share = city.parameters.school_aid_share
    chance = (
        np.where(factors["poverty"], 0.5, 0.055) + 0.22 * factors["single_parent"] + 0.04 * factors["many_children"]
    )
    aided = (child >= 0) & (steady[child] < chance * share / 0.145)
    needy = aided & factors["poverty"] & (rng.random(len(child)) < 0.1)
    columns = {
        "学籍番号": school.number[position[aided]],
        "年度": integer_text(year[aided]),
        "認定区分": np.where(needy[aided], "要保護", "準要保護").astype(object),
    }
    return Extract(
        "school_aid", columns, Style("utf-8-bom", full_width_digits=("年度",)), ("学籍番号", "年度", "認定区分")
    )


def school_checkups(city: City) -> Extract:
    """Heights, weights and teeth by school year."""
    rng, school = city.rng, city.external.pupils
    position, year = school_years(city, 5)
    child = school.person[position]
    month = (year - 1970) * 12 + 9
    factors = factor_by_month(city, child, month, ("neglect", "poverty"))
    girl = school.sex[position] == FEMALE
    age = (day(2000, 6) - day(2000) + (year - 1970) * YEAR - school.birth[position]) / YEAR
    height = np.interp(age, [6, 8, 10, 12, 13, 14, 15], [116, 128, 139, 152, 158, 163, 166])
    height = np.where(girl, np.interp(age, [6, 8, 10, 12, 13, 14, 15], [115.5, 127, 140, 152, 155, 156.5, 157]), height)
    height = height + rng.normal(0, 5.2, len(child)) - 0.8 * factors["neglect"]
    weight = 16.5 * (height / 100) ** 2 * np.interp(age, [6, 15], [0.95, 1.2]) * rng.normal(1, 0.13, len(child))
    weight = weight * np.where(factors["neglect"] & (rng.random(len(child)) < 0.4), 0.88, 1)
    decayed = rng.poisson(np.where(factors["neglect"], 2.2, 0.6) + 0.4 * factors["poverty"])
    untreated = rng.binomial(decayed, np.where(factors["neglect"], 0.7, 0.25))
    columns = {
        "学籍番号": school.number[position],
        "年度": choose_text([f"令和{n}" if n > 0 else f"平成{n + 30}" for n in range(-30, 60)], year - 2018 + 30),
        "身長": np.array([f"{v:.1f}" for v in height.tolist()], dtype=object),
        "体重": np.array([f"{v:.1f}kg" for v in weight.tolist()], dtype=object),
        "う歯数": integer_text(decayed),
        "未処置歯数": integer_text(untreated),
    }
    columns["年度"] = integer_text(year)
    return Extract(
        "school_checkups", columns, Style(repeated_heading_every=20_000), ("学籍番号", "年度"),
    )  # fmt: skip


def school_consultations(city: City) -> Extract:
    """Records of bullying, truancy, and of what school social workers heard."""
    rng, school = city.rng, city.external.pupils
    position, month, truant = city.external.truant_rows
    carer = in_year_lists(city, city.circumstances.carers, school.person[position], month)
    chance = np.where(truant, 0.05, 0.0006) + np.where(carer & (school.person[position] >= 0), 0.012, 0)
    rows = np.flatnonzero(rng.random(len(position)) < chance)
    first = month_start(month[rows])
    days = first + rng.integers(0, 28, len(rows))
    kind = np.where(
        truant[rows], rng.choice(3, len(rows), p=[0.75, 0.15, 0.1]), rng.choice(3, len(rows), p=[0.1, 0.5, 0.4])
    )
    kind = np.where(carer[rows] & ~truant[rows], 3, kind)
    order = np.argsort(days, kind="stable")
    columns = {
        "記録番号": np.array([f"R{n:05d}" for n in range(1, len(rows) + 1)], dtype=object),
        "学籍番号": school.number[position[rows]][order],
        "発生年月日": date_text(days, "era_long")[order],
        "種別": choose_text(("不登校", "いじめ", "SSW", "ヤングケアラー"), kind)[order],
        "概要": choose_text(MEMOS, rng.integers(0, len(MEMOS), len(rows)))[order],
    }
    return Extract(
        "school_consultations", columns, Style(dates="era_long"), ("記録番号", "学籍番号", "発生年月日", "種別"),
        ("発生年月日",), (), recent=_recent(days[order], city.as_of, 30),
    )  # fmt: skip


# --- guidance centre and social council -----------------------------------------------------------------------------------


def guidance_centre_cases(city: City) -> Extract:
    """Cases of the prefecture's child guidance centre."""
    rng, external, table = city.rng, city.external, city.circumstances.guidance
    rows = np.flatnonzero(city.known[table.child] & (table.day <= city.as_of))
    rows = rows[np.argsort(table.day[rows], kind="stable")]
    strangers = external.centre_strangers(max(2, round(0.015 * len(rows))))
    person = np.concatenate([table.child[rows], np.full(len(strangers), -1)]).astype(np.int64)
    days = np.concatenate([table.day[rows], city.as_of - rng.integers(30, 4000, len(strangers))]).astype(np.int64)
    abuse = np.concatenate([table.abuse[rows], rng.integers(0, 4, len(strangers))])
    held = np.concatenate([table.held[rows], np.full(len(strangers), OPEN)]).astype(np.int64)
    held_to = np.concatenate([table.held_to[rows], np.full(len(strangers), OPEN)]).astype(np.int64)
    placed = np.concatenate([table.placed[rows], np.zeros(len(strangers), dtype=np.int8)])
    stranger = np.concatenate([np.full(len(rows), -1), strangers]).astype(np.int64)
    number = np.array([f"{years_of(np.array([d]))[0]}-{n:05d}" for n, d in enumerate(days.tolist(), 1)], dtype=object)
    record = external.spell("guidance_centre_cases", person, days, days)
    external.blend_strangers(record, stranger)
    external.remember("guidance_centre_cases", number, person, record, stranger)
    missing = rng.random(len(person)) < city.parameters.external_birth_missing
    other = rng.choice(4, len(person))
    columns = {
        "児相ケース番号": number,
        "氏名": record.name,
        "氏名_フリガナ": record.kana,
        "生年月日": np.where(missing, "", record.birth_text("era_long")).astype(object),
        "性別": record.sex_text(("男", "女"), ("男", "女")),
        "住所": record.address,
        "保護者氏名": record.guardian,
        "受付年月日": date_text(days, "era_long"),
        "相談種別": np.where(abuse > 0, "児童虐待", choose_text(("養護", "育成", "非行", "障害"), other)).astype(
            object
        ),
        "虐待種別": choose_text(ABUSE_KINDS, abuse),
        "一時保護開始": date_text(held, "era_long"),
        "一時保護終了": date_text(held_to, "era_long"),
        "措置": np.where(placed == 1, "施設入所", np.where(abuse > 0, "児童福祉司指導", "助言指導")).astype(object),
    }
    city.centre_rows = (number, rows)
    return Extract(
        "guidance_centre_cases", columns, Style(dates="era_long", quote_all=True), ("児相ケース番号", "氏名", "受付年月日", "相談種別"),
        ("受付年月日",), (),
    )  # fmt: skip


def social_council_services(city: City) -> Extract:
    """Loans and food of the social welfare council."""
    rng, external, c = city.rng, city.external, city.circumstances
    residents = city.residents[city.age(city.residents, city.as_of) > 20]
    chance = 1 / (1 + np.exp(-(-4.9 + 1.7 * c.hardship[residents])))
    persons = residents[rng.random(len(residents)) < chance]
    person = np.repeat(persons, 1 + rng.poisson(0.9, len(persons)))
    days = city.as_of - rng.integers(1, 3300, len(person))
    ok = city.alive_and_here(person, days) & (city.age(person, days) > 18)
    person, days = person[ok].astype(np.int64), days[ok]
    strangers = external.council_strangers(max(2, round(0.02 * len(person))))
    person = np.concatenate([person, np.full(len(strangers), -1)])
    stranger = np.concatenate([np.full(len(days), -1), strangers]).astype(np.int64)
    days = np.concatenate([days, city.as_of - rng.integers(30, 3000, len(strangers))])
    order = np.argsort(days, kind="stable")
    person, days, stranger = person[order], days[order], stranger[order]
    record = external.spell("social_council_services", person, days, days, modern=True)
    external.blend_strangers(record, stranger)
    number = np.array([f"W{n:05d}" for n in range(1, len(person) + 1)], dtype=object)
    external.remember("social_council_services", number, person, record, stranger)
    missing = rng.random(len(person)) < city.parameters.external_birth_missing * 2
    columns = {
        "利用番号": number,
        "氏名": record.name,
        "氏名_フリガナ": record.kana,
        "生年月日": np.where(missing, "", record.birth_text("iso")).astype(object),
        "性別": record.sex_text(("男", "女"), ("男", "女")),
        "住所": record.address,
        "利用種別": choose_text(
            ("生活福祉資金貸付", "フードバンク", "緊急小口資金", "子ども食堂"),
            rng.choice(4, len(person), p=[0.2, 0.5, 0.2, 0.1]),
        ),
        "利用年月日": date_text(days, "iso"),
    }
    return Extract(
        "social_council_services", columns, Style("utf-8", "iso", newline="\n"), ("利用番号", "氏名", "利用種別", "利用年月日"),
        ("利用年月日",), (),
    )  # fmt: skip


BUILDERS: tuple[Callable[[City], Extract], ...] = (
    resident_register, household_history, parentage, marriages, national_health_insurance, child_allowance,
    child_rearing_allowance, nursery_enrolment, nursery_attendance, child_consultations, council_cases,
    dv_consultations, pregnancy_notifications, newborn_visits, infant_checkups, vaccinations, public_assistance,
    disability_certificates, livelihood_consultations, care_certifications, school_enrolment, school_attendance,
    school_aid, school_checkups, school_consultations, guidance_centre_cases, social_council_services,
)  # fmt: skip


def build_all(city: City) -> Iterator[Extract]:
    """Every extract, one after the other, so that only one is in memory."""
    for builder in BUILDERS:
        yield builder(city)
