"""健康医療対策課: pregnancies, newborns, checkups, vaccinations."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    day,
    month_start,
    months_of,
)
from synthetic_city.circumstances import calibrated
from synthetic_city.extracts.shared import (
    City,
    correct_later,
    recent_part,
)
from synthetic_city.population import (
    FEMALE,
    MARRIED,
    YEAR,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text, integer_text


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
    if not len(twins):
        twins = chosen[:1]
    twin_due = unborn_due[np.isin(chosen, twins)]
    unborn_mothers = np.concatenate([chosen, twins])
    unborn_due = np.concatenate([unborn_due, twin_due])
    # Never born here: the pregnancy ended, or the mother moved away before the birth.
    lost = city.residents[
        (people.sex[city.residents] == FEMALE)
        & (np.abs(city.age(city.residents, city.as_of) - 31) < 10)
        & (rng.random(len(city.residents)) < 0.012)
    ]
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
    city.pregnancy_filed = filed
    city.pregnancy_named = named
    return Extract(
        "pregnancy_notifications",
        columns,
        Style(dates="era_spaced"),
        ("届出番号", "母_宛名番号", "届出年月日", "届出時週数", "分娩予定日"),
        ("届出年月日", "分娩予定日"),
        ("母_宛名番号",),
        recent=recent_part(filed, city.as_of, 40),
    )


def _births_per_year(city: City) -> float:
    return float(((city.birth > city.as_of - 730) & (city.birth <= city.as_of) & (city.people.native == 1)).sum()) / 2


def _take(rng: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    positive = np.flatnonzero(weights > 0)
    keys = np.log(weights[positive]) + rng.gumbel(size=len(positive))
    return positive[np.argsort(-keys, kind="stable")[:count]]


ANTENATAL_WEEKS = np.array([8, 12, 16, 20, 24, 26, 28, 30, 32, 34, 36, 37, 38, 39])
"""The weeks of the fourteen subsidised checkups."""


def antenatal_checkups(city: City) -> Extract:
    """Checkups before the birth: later and fewer where the mother is careless or the notification came late."""
    rng, c, parameters = city.own_rng(1), city.circumstances, city.parameters
    number, child, mothers, due = city.pregnancies
    rows = np.flatnonzero(due > city.as_of - round(parameters.antenatal_records_years * YEAR))
    end = np.where(child[rows] >= 0, city.birth[child[rows]], np.minimum(due[rows], city.as_of + 1))
    careless = c.carelessness[mothers[rows]] > 1
    missed = np.where(careless, parameters.antenatal_missed_careless, parameters.antenatal_missed)
    # The subsidy never starts before the notification; some wait on after it.
    begin = city.pregnancy_filed[rows] + np.where(
        careless, rng.integers(0, 40, len(rows)), rng.integers(0, 12, len(rows))
    )
    week = np.tile(ANTENATAL_WEEKS, (len(rows), 1))
    on = (due[rows] - 280)[:, None] + 7 * week + rng.integers(0, 7, week.shape)
    attended = (on >= begin[:, None]) & (on < end[:, None]) & (on <= city.as_of)
    attended &= rng.random(week.shape) >= missed[:, None]
    position, place = np.nonzero(attended)
    days, visit = on[position, place], np.cumsum(attended, axis=1)[position, place]
    row = rows[position]
    here = city.alive_and_here(mothers[row], days)
    order = np.flatnonzero(here)[np.argsort(days[here], kind="stable")]
    row, days, visit, weeks = row[order], days[order], visit[order], week[position, place][order]
    result = rng.choice(4, len(row), p=[0.93, 0.05, 0.015, 0.005])
    columns = {
        "届出番号": number[row],
        "母_宛名番号": city.numbers.text(mothers[row], days),
        "受診年月日": date_text(days, "slash"),
        "受診回": np.array([f"{count}回" for count in range(15)], dtype=object)[visit],
        "妊娠週数": np.array([f"{count}週" for count in range(45)], dtype=object)[weeks],
        "判定": choose_text(("異常なし", "要観察", "要精密検査", "要治療"), result),
    }
    return Extract(
        "antenatal_checkups",
        columns,
        Style(dates="slash", full_width_digits=("受診回",)),
        ("届出番号", "母_宛名番号", "受診年月日"),
        ("受診年月日",),
        ("母_宛名番号",),
        recent=recent_part(days, city.as_of, 40),
    )


def postnatal_care(city: City) -> Extract:
    """Stays, day care and visits after the birth: more often where the mother is exhausted."""
    rng, parameters = city.own_rng(2), city.parameters
    children, mother = city.newborn_pairs
    recent = city.birth[children] > city.as_of - round(parameters.postnatal_care_years * YEAR)
    children, mother = children[recent], mother[recent]
    positive = np.isin(children, city.epds_positive)
    chance = np.where(positive, parameters.postnatal_care_share_positive, parameters.postnatal_care_share)
    times = rng.poisson(np.where(rng.random(len(children)) < chance, 1.6, 0))
    position = np.repeat(np.arange(len(children)), times)
    days = city.birth[children[position]] + rng.integers(7, 300, len(position))
    ok = (days <= city.as_of) & city.alive_and_here(children[position], np.minimum(days, city.as_of))
    position, days = position[ok], days[ok]
    order = np.argsort(days, kind="stable")
    position, days = position[order], days[order]
    kind = rng.choice(3, len(days), p=[0.25, 0.5, 0.25])
    length = np.where(kind == 0, rng.integers(2, 8, len(days)), 1)
    columns = {
        "利用番号": np.array([f"PC{n:05d}" for n in range(1, len(days) + 1)], dtype=object),
        "母_宛名番号": city.numbers.text(mother[position], days),
        "児童_宛名番号": city.numbers.text(children[position], days),
        "利用開始年月日": date_text(days, "era_dots"),
        "利用種別": choose_text(("短期入所型", "通所型", "居宅訪問型"), kind),
        "利用日数": np.array([f"{count}日" for count in range(9)], dtype=object)[length],
    }
    return Extract(
        "postnatal_care",
        columns,
        Style("utf-8-bom", "era_dots"),
        ("利用番号", "母_宛名番号", "利用開始年月日", "利用種別"),
        ("利用開始年月日",),
        ("母_宛名番号",),
        recent=recent_part(days, city.as_of, 30),
    )


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
    positive = rng.random(len(children)) < calibrated(logit, city.parameters.postpartum_positive)
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
        "newborn_visits",
        columns,
        Style(dates="era_dots", trailer=True),
        ("児童_宛名番号",),
        (),
        ("児童_宛名番号",),
        recent=recent_part(on, city.as_of, 30),
    )


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
    extract = Extract(
        "infant_checkups",
        columns,
        Style("utf-16", "slash", delimiter="\t"),
        ("児童_宛名番号", "健診種別", "対象年月日"),
        ("対象年月日",),
        ("児童_宛名番号",),
        recent=recent_part(scheduled[order], city.as_of, 30),
    )
    return correct_later(
        city, extract, "体重", lambda text: f"{float(text) * 10:.1f}", ("児童_宛名番号", "健診種別", "対象年月日")
    )


VACCINES = (
    ("ヒブ", 1, 2),
    ("ヒブ", 2, 3),
    ("ヒブ", 3, 4),
    ("ヒブ", 4, 13),
    ("小児用肺炎球菌", 1, 2),
    ("小児用肺炎球菌", 2, 3),
    ("小児用肺炎球菌", 3, 4),
    ("小児用肺炎球菌", 4, 13),
    ("四種混合", 1, 3),
    ("四種混合", 2, 4),
    ("四種混合", 3, 5),
    ("四種混合", 4, 18),
    ("ＢＣＧ", 1, 6),
    ("麻しん風しん", 1, 13),
    ("麻しん風しん", 2, 65),
    ("水痘", 1, 13),
    ("水痘", 2, 20),
    ("日本脳炎", 1, 38),
    ("日本脳炎", 2, 39),
    ("日本脳炎", 3, 51),
)


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
        "vaccinations",
        columns,
        Style(
            dates="compact", headings={"宛名番号": "住民コード"}, half_width_headings=True, full_width_digits=("回数",)
        ),
        ("宛名番号", "ワクチン種別", "接種年月日"),
        ("接種年月日",),
        ("宛名番号",),
        recent=recent_part(on, city.as_of, 30),
    )
