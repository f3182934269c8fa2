"""子ども若者課: what families use: visits, centres, temporary care, short stays, clubs after school, medical aid."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import OPEN, add_years, month_start, school_years_of
from synthetic_city.extracts.shared import City, recent_part, snapshots, spells
from synthetic_city.population import RESIDENT, YEAR
from synthetic_city.writing import Extract, Style, choose_text, date_text, integer_text


def home_visit_support(city: City) -> Extract:
    """Support by visits, year by year: of young mothers, the ill, and where children are neglected."""
    rng, parameters = city.own_rng(3), city.parameters
    yearly, why = [], {}
    for _, on, situation in snapshots(city, parameters.family_service_years):
        age = city.age(situation.children, on)
        young = situation.factors["young_mother"] & (age < 3)
        ill, neglected = situation.factors["parental_illness"], situation.factors["neglect"]
        chance = parameters.home_visit_share * (1 + 25 * young + 8 * ill + 12 * neglected) * (age < 15)
        chosen = rng.random(len(age)) < chance
        reason = np.where(young, 0, np.where(neglected, 3, np.where(ill, 2, rng.choice([1, 4, 5], len(age)))))
        yearly.append((on, situation.children[chosen]))
        why.update(zip(situation.children[chosen].tolist(), reason[chosen].tolist(), strict=True))
    person, start, end = spells(rng, yearly, city.as_of)
    start = np.maximum(start, city.birth[person] + 10)
    ok = (start < end) & (start <= city.as_of) & city.alive_and_here(person, np.minimum(start, city.as_of))
    person, start, end = person[ok], start[ok], end[ok]
    reason = np.array([why[child] for child in person.tolist()], dtype=np.int64)
    last = np.minimum(end, city.as_of)
    columns = {
        "支援番号": np.array([f"HV{n:04d}" for n in range(1, len(person) + 1)], dtype=object),
        "児童_宛名番号": city.numbers.text(person, start),
        "支援開始年月日": date_text(start, "era_long"),
        "支援終了年月日": date_text(end, "era_long"),
        "支援種別": choose_text(("専門的相談支援", "育児・家事援助"), rng.integers(0, 2, len(person))),
        "支援理由": choose_text(("若年の養育者", "育児不安", "産後の不調", "養育の困難", "家庭復帰", "その他"), reason),
        "訪問回数": integer_text(1 + rng.poisson((last - start) / 45)),
    }
    return Extract(
        "home_visit_support",
        columns,
        Style(dates="era_long"),
        ("支援番号", "児童_宛名番号", "支援開始年月日", "支援種別"),
        ("支援開始年月日",),
        ("児童_宛名番号",),
    )


USES = ("子育て支援センター", "一時保育", "ショートステイ", "トワイライトステイ", "病児・病後児保育")
REASONS = ("仕事", "疾病・出産", "介護・看護", "育児疲れ・育児不安", "冠婚葬祭", "その他")


def childcare_support_uses(city: City) -> Extract:
    """Uses of family centres and of care for hours or nights, child by child and year by year."""
    rng, parameters = city.own_rng(4), city.parameters
    parts = []
    for _, on, situation in snapshots(city, parameters.family_service_years):
        if on >= city.as_of:
            continue
        age = city.age(situation.children, on)
        worn = situation.factors["parental_illness"] | situation.factors["isolation"]
        hard = situation.factors["neglect"] | situation.factors["parental_illness"]
        yearly = np.stack(
            [
                np.where(age < 3, parameters.family_centre_uses, 0) * (1 - 0.5 * situation.factors["isolation"]),
                parameters.temporary_care_uses * (age < 6) * (1 + 2 * worn),
                parameters.short_stay_uses * (1 + 25 * hard),
                0.3 * parameters.short_stay_uses * (1 + 25 * hard),
                parameters.sick_care_uses * (age < 9),
            ]
        )
        times = rng.poisson(yearly)
        kind, position = (np.repeat(place, times.ravel()) for place in np.indices(times.shape).reshape(2, -1))
        days = on + rng.integers(0, 365, len(kind))
        child = situation.children[position]
        ok = (days <= city.as_of) & city.alive_and_here(child, np.minimum(days, city.as_of))
        parts.append((child[ok], days[ok], kind[ok], worn[position][ok]))
    child, days, kind, worn = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.argsort(days, kind="stable")
    child, days, kind, worn = child[order], days[order], kind[order], worn[order]
    reason = rng.choice(6, len(kind), p=[0.4, 0.2, 0.06, 0.12, 0.06, 0.16])
    reason = np.where(worn & (rng.random(len(kind)) < 0.45), 3, reason)
    nights = np.where(kind == 2, rng.integers(2, 8, len(kind)), 1)
    columns = {
        "利用番号": np.array([f"K{n:06d}" for n in range(1, len(kind) + 1)], dtype=object),
        "児童_宛名番号": city.numbers.text(child, days),
        "利用年月日": date_text(days, "compact"),
        "利用種別": choose_text(USES, kind),
        "利用日数": integer_text(nights),
        # A family centre is open to all: no reason is recorded.
        "利用理由": np.where(kind == 0, "", choose_text(REASONS, reason)).astype(object),
    }
    return Extract(
        "childcare_support_uses",
        columns,
        Style("utf-8", "compact", newline="\n"),
        ("利用番号", "児童_宛名番号", "利用年月日", "利用種別"),
        ("利用年月日",),
        ("児童_宛名番号",),
        recent=recent_part(days, city.as_of, 30),
    )


def after_school_club(city: City) -> Extract:
    """Enrolments in clubs after school, from the first year of primary school on."""
    rng, parameters = city.own_rng(5), city.parameters
    stays = city.population.stays
    children = np.unique(stays.person[stays.end > city.as_of - 6 * YEAR]).astype(np.int64)
    children = children[rng.random(len(children)) < parameters.after_school_share]
    first = school_years_of(city.birth[children] - 1) + 7
    start = month_start((first - 1970) * 12 + 3)
    years = rng.choice([1, 2, 3, 4, 6], len(children), p=[0.15, 0.2, 0.4, 0.1, 0.15])
    end = month_start((first + years - 1970) * 12 + 3) - 1
    early = rng.random(len(children)) < parameters.after_school_left_early
    end = np.where(early, start + rng.integers(40, 300, len(children)), end)
    gone = (city.people.status[children] != RESIDENT) & (city.people.ended[children] < end)
    end = np.where(gone, city.people.ended[children], end)
    ok = (start <= city.as_of) & (start > city.as_of - 7 * YEAR) & (end > start)
    ok &= city.alive_and_here(children, np.minimum(start, city.as_of))
    children, start, end, early, gone, years = (v[ok] for v in (children, start, end, early, gone, years))
    open_ = end > city.as_of
    reason = np.where(gone, 1, np.where(early, rng.choice([2, 3, 4], len(end)), np.where(years == 6, 0, 3)))
    columns = {
        "児童_宛名番号": city.numbers.text(children, start),
        "利用開始年月日": date_text(start, "iso"),
        "利用終了年月日": date_text(np.where(open_, OPEN, end), "iso", "9999-12-31"),
        "利用区分": choose_text(("通年", "長期休業", "一時"), rng.choice(3, len(end), p=[0.75, 0.2, 0.05])),
        "退会理由": np.where(
            open_, "", choose_text(("卒業", "転出", "保護者の就労の終了", "本人の希望", "その他"), reason)
        ).astype(object),
    }
    return Extract(
        "after_school_club",
        columns,
        Style("utf-8-bom", "iso", no_date="9999-12-31"),
        ("児童_宛名番号", "利用開始年月日"),
        ("利用開始年月日",),
        ("児童_宛名番号",),
    )


AIDS = ("子ども医療費助成", "ひとり親家庭等医療費助成", "重度心身障害者医療費助成")


def medical_aid(city: City) -> Extract:
    """Aid for every child of the city to 18, and beside it that of lone parents' and of disabled children."""
    rng, people, c = city.own_rng(6), city.people, city.circumstances
    stays = city.population.stays
    limit = city.as_of - round(city.parameters.medical_aid_years * YEAR)
    children = np.unique(stays.person[stays.end > limit]).astype(np.int64)
    children = children[city.birth[children] > limit - 18 * YEAR]
    arrived = np.where(people.registered[children] < OPEN, people.registered[children], city.birth[children])
    start = np.maximum(city.birth[children], arrived.astype(np.int64))
    end = month_start((school_years_of(add_years(city.birth[children], 18) - 1) + 1 - 1970) * 12 + 3)
    gone = people.status[children] != RESIDENT
    end = np.where(gone, np.minimum(end, people.ended[children]), end)
    ok = (start < end) & (start <= city.as_of) & (end > limit) & city.alive_and_here(children, start)
    # A few families never apply.
    ok &= rng.random(len(children)) < np.where(
        c.carelessness[np.maximum(people.mother[children], 0)] > 1.25, 0.97, 0.997
    )
    children, start, end = children[ok], start[ok], end[ok]
    disabled = c.disabled_child[children] & (rng.random(len(children)) < city.parameters.disabled_aid_share)
    yearly = []
    for _, on, situation in snapshots(city, 6):
        listed = situation.factors["single_parent"] & (city.age(situation.children, on) < 18)
        yearly.append((on, situation.children[listed & (rng.random(len(listed)) < 0.93)]))
    lone, lone_start, lone_end = spells(rng, yearly, city.as_of)
    lone_start = np.maximum(lone_start, city.birth[lone] + 20)
    fits = (lone_start < lone_end) & city.alive_and_here(lone, np.minimum(lone_start, city.as_of))
    lone, lone_start, lone_end = lone[fits], lone_start[fits], lone_end[fits]
    person = np.concatenate([children, lone, children[disabled]])
    begin = np.concatenate([start, lone_start, start[disabled] + 400])
    finish = np.concatenate([end, lone_end, end[disabled]])
    kind = np.repeat([0, 1, 2], [len(children), len(lone), int(disabled.sum())])
    ok = (begin < finish) & (begin <= city.as_of)
    person, begin, finish, kind = person[ok], begin[ok], finish[ok], kind[ok]
    columns = {
        "宛名番号": city.numbers.text(person, begin),
        "助成種別": choose_text(AIDS, kind),
        "資格取得年月日": date_text(begin, "era_short"),
        "資格喪失年月日": date_text(np.where(finish > city.as_of, OPEN, finish), "era_short"),
    }
    return Extract(
        "medical_aid",
        columns,
        Style(dates="era_short", headings={"宛名番号": "宛名コード"}, trailer=True),
        ("宛名番号", "助成種別", "資格取得年月日"),
        ("資格取得年月日",),
        ("宛名番号",),
    )
