"""社会福祉課 and 高齢福祉課: assistance, certificates, consultations, care."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    day,
)
from synthetic_city.circumstances import calibrated
from synthetic_city.extracts.shared import (
    City,
    in_want,
    lives_with_minors,
    recent_part,
    snapshots,
    spells,
)
from synthetic_city.population import (
    DEAD,
    HOME,
    RESIDENT,
    YEAR,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text


def public_assistance(city: City) -> Extract:
    """Households on public assistance, member by member."""
    people, rng, c = city.people, city.rng, city.circumstances
    history = city.history
    patience = rng.normal(0, 0.5, len(people))
    yearly = []
    for _, on, situation in snapshots(city, 12):
        here = np.unique(city.population.stays.person)
        heads = here[(city.birth[here] < on - 22 * YEAR)].astype(np.int64)
        home = history.household_at(heads, np.full(len(heads), on))
        is_head = (home >= 0) & (history.head_at(home, np.full(len(heads), on)) == heads)
        is_head &= city.population.households.kind[np.maximum(home, 0)] == HOME
        heads, home = heads[is_head], home[is_head]
        age = city.age(heads, on)
        with_children = np.zeros(len(city.population.households), dtype=np.float64)
        score = situation.score("poverty")
        np.maximum.at(with_children, situation.household[situation.household >= 0], score[situation.household >= 0])
        logit = 1.6 * c.hardship[heads] + 0.6 * c.illness[heads] + patience[heads] + 0.9 * (age > 65)
        logit = logit + with_children[home]
        share = city.parameters.public_assistance_share * 0.8
        rank = calibrated(logit, share)
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
        "public_assistance",
        columns,
        Style(dates="era_short", titles=("生活保護　世帯員一覧", "作成日　{date}", "")),
        ("ケース番号", "員番号", "宛名番号", "開始年月日"),
        ("開始年月日",),
        ("宛名番号",),
    )


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
    died = np.where(people.status[person] == DEAD, people.ended[person], OPEN)
    high = np.minimum(high, died)
    issued = (high - (high - since) * rng.random(len(person)) ** 1.4).astype(np.int64)
    returned = np.where(rng.random(len(person)) < 0.02, np.minimum(issued + 900, died), died)
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
        "disability_certificates",
        columns,
        Style(dates="era_dots", headings={"宛名番号": "宛名№"}, full_width_digits=("等級", "交付年月日")),
        ("宛名番号", "手帳種別", "交付年月日"),
        ("交付年月日",),
        ("宛名番号",),
    )


def livelihood_consultations(city: City) -> Extract:
    """Consultations of people in need: of parents when their household comes to want, of others at any time."""
    rng, c = city.rng, city.circumstances
    parents_rng = np.random.default_rng([city.parameters.seed, 12])
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
    ok &= ~lives_with_minors(city, person, days)
    parents, asked = in_want(city)
    came = (parents_rng.random(len(parents)) < 0.65) & (asked < city.as_of)
    person, days = np.concatenate([person[ok], parents[came]]), np.concatenate([days[ok], asked[came]])
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
        "livelihood_consultations",
        columns,
        Style("utf-8-bom", "iso", quote_all=True),
        ("相談番号", "宛名番号", "相談年月日"),
        ("相談年月日",),
        ("宛名番号",),
        recent=recent_part(days, city.as_of, 30),
    )


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
        "care_certifications",
        columns,
        Style(dates="era_dots", unpadded_ids=True, headings={"宛名番号": "宛名コード"}),
        ("宛名番号", "要介護度", "認定有効開始"),
        ("認定有効開始",),
        ("宛名番号",),
        "認定有効終了",
    )
