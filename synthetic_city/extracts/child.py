"""子ども若者課: allowances, nurseries, consultations and cases."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    add_years,
    day,
    month_start,
    months_of,
    school_years_of,
    spell_month,
)
from synthetic_city.circumstances import ABUSE_KINDS, DIFFICULTIES
from synthetic_city.extracts.memos import MEMOS
from synthetic_city.extracts.shared import (
    City,
    correct_later,
    custodian_at,
    factor_by_month,
    monthly,
    recent_part,
    snapshots,
    spells,
)
from synthetic_city.places import MUNICIPALITIES, TOWN_MUNICIPALITY
from synthetic_city.population import (
    DEAD,
    FEMALE,
    RESIDENT,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text, integer_text


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
        "child_allowance",
        columns,
        Style(dates="era_dots", headings={"児童_宛名番号": "児童宛名番号"}),
        ("受給者_宛名番号", "児童_宛名番号", "認定年月日"),
        ("認定年月日",),
        ("受給者_宛名番号", "児童_宛名番号"),
    )


def separation_day(
    city: City, children: np.ndarray, first: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The day between two days on which the child and the first recipient stopped living together."""
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
        "child_rearing_allowance",
        columns,
        Style(dates="slash", formula_ids=("受給者_宛名番号", "児童_宛名番号"), newline="\n"),
        ("受給者_宛名番号", "児童_宛名番号", "認定年月日"),
        ("認定年月日",),
        ("児童_宛名番号",),
    )


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
        "nursery_enrolment",
        columns,
        Style("utf-8-bom", "iso", blank_line_every=400),
        ("児童_宛名番号", "施設名", "入所年月日"),
        ("入所年月日",),
        ("児童_宛名番号",),
    )


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
    extract = Extract(
        "nursery_attendance",
        columns,
        Style("utf-8", "iso"),
        ("児童_宛名番号", "年月", "在籍日数", "欠席日数"),
        (),
        ("児童_宛名番号",),
        recent=(month == last).astype(np.int64),
    )
    return correct_later(city, extract, "欠席日数", lambda text: "1" if text == "0" else "0", ("児童_宛名番号", "年月"))


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
        "child_consultations",
        columns,
        Style(dates="era_sign"),
        ("相談番号", "児童_宛名番号", "受付年月日", "相談種別"),
        ("受付年月日",),
        ("児童_宛名番号",),
        recent=recent_part(days, city.as_of, 30),
    )


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
        "council_cases",
        columns,
        Style("utf-8-bom", "slash", titles=("要保護児童対策地域協議会　ケース一覧", "")),
        ("ケース番号", "児童_宛名番号", "登録年月日", "区分"),
        ("登録年月日",),
        ("児童_宛名番号",),
    )


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
        (city.people.sex[city.residents] == FEMALE)
        & (rng.random(len(city.residents)) < 0.0012)
        & (city.age(city.residents, city.as_of) > 18)
    ]
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
        "dv_consultations",
        columns,
        Style(dates="era_dots_wide", headings={"受付年月日": " 受付年月日 ", "区分": "区分　"}),
        ("相談番号", "相談者_宛名番号", "受付年月日"),
        ("受付年月日",),
        ("相談者_宛名番号",),
    )
