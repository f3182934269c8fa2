"""教育委員会: pupils, attendance, aid, checkups, consultations."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    day,
    month_start,
    months_of,
    school_years_of,
    spell_month,
)
from synthetic_city.extracts.memos import MEMOS
from synthetic_city.extracts.shared import (
    City,
    correct_later,
    factor_by_month,
    in_year_lists,
    monthly,
    recent_part,
)
from synthetic_city.names import half_width
from synthetic_city.population import (
    FEMALE,
    YEAR,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text, integer_text


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
        "school_enrolment",
        columns,
        Style(
            dates="era_dots",
            titles=("学齢簿　在籍一覧（基準日　{date}）",),
            trailer=True,
            headings={"氏名_フリガナ": "氏名カナ"},
        ),
        ("学籍番号", "氏名", "生年月日", "学校名", "在籍開始"),
        ("生年月日", "在籍開始"),
        (),
    )


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
    extract = Extract(
        "school_attendance",
        columns,
        Style("utf-8-bom", "iso"),
        ("学籍番号", "年月", "授業日数", "欠席日数"),
        (),
        (),
        recent=(month[order] == last).astype(np.int64),
    )
    return correct_later(city, extract, "欠席日数", lambda text: "1" if text == "0" else "0", ("学籍番号", "年月"))


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
        "school_checkups",
        columns,
        Style(repeated_heading_every=1_500),
        ("学籍番号", "年度"),
    )


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
        "school_consultations",
        columns,
        Style(dates="era_long"),
        ("記録番号", "学籍番号", "発生年月日", "種別"),
        ("発生年月日",),
        (),
        recent=recent_part(days[order], city.as_of, 30),
    )


def education_consultations(city: City) -> Extract:
    """Consultations of the board of education, by the number of the pupil and, for some, the 宛名番号 beside it."""
    rng, school = city.own_rng(7), city.external.pupils
    position, month, truant = city.external.truant_rows
    inside = school.person[position] >= 0
    carer = inside & in_year_lists(city, city.circumstances.carers, school.person[position], month)
    chance = np.where(truant, 0.03, 0.0009) + 0.004 * carer
    rows = np.flatnonzero(rng.random(len(position)) < chance)
    days = month_start(month[rows]) + rng.integers(0, 28, len(rows))
    topic = rng.choice(8, len(rows), p=[0.08, 0.1, 0.26, 0.2, 0.16, 0.08, 0.06, 0.06])
    topic = np.where(truant[rows] & (rng.random(len(rows)) < 0.8), 0, topic)
    topic = np.where(carer[rows] & ~truant[rows] & (rng.random(len(rows)) < 0.6), 5, topic)
    order = np.argsort(days, kind="stable")
    rows, days, topic = rows[order], days[order], topic[order]
    columns = {
        "相談番号": np.array([f"E{n:05d}" for n in range(1, len(rows) + 1)], dtype=object),
        "学籍番号": school.number[position[rows]],
        "宛名番号": _known_numbers(city, rng, position[rows], days),
        "相談年月日": date_text(days, "era_short"),
        "相談種別": choose_text(
            ("不登校", "いじめ", "発達・特別支援", "学習・進路", "友人関係", "家庭・養育", "行動・非行", "その他"),
            topic,
        ),
        "相談方法": choose_text(("来所", "電話", "訪問"), rng.choice(3, len(rows), p=[0.5, 0.35, 0.15])),
        "相談者": choose_text(("本人", "保護者", "学校"), rng.choice(3, len(rows), p=[0.15, 0.6, 0.25])),
    }
    return Extract(
        "education_consultations",
        columns,
        Style(dates="era_short"),
        ("相談番号", "学籍番号", "相談年月日", "相談種別"),
        ("相談年月日",),
        (),
        recent=recent_part(days, city.as_of, 30),
    )


def education_support_centre(city: City) -> Extract:
    """Pupils who come to the centre instead of school: some of those who stay away, from a month on."""
    rng, school = city.own_rng(8), city.external.pupils
    position, month, truant = city.external.truant_rows
    year = school_years_of(month_start(month))
    pairs = np.unique(np.stack([position[truant], year[truant]], axis=1), axis=0)
    pairs = pairs[rng.random(len(pairs)) < city.parameters.support_centre_share]
    position, year = pairs[:, 0], pairs[:, 1]
    start = month_start((year - 1970) * 12 + 3 + rng.integers(1, 9, len(year))) + rng.integers(0, 20, len(year))
    start = np.maximum(start, school.first_start[position])
    end = np.minimum(month_start((year + 1 - 1970) * 12 + 3) - 1, school.end[position])
    ok = (start < end) & (start <= city.as_of)
    position, start, end = position[ok], start[ok], end[ok]
    last = np.minimum(end, city.as_of)
    columns = {
        "学籍番号": school.number[position],
        "宛名番号": _known_numbers(city, rng, position, start),
        "通室開始年月日": date_text(start, "slash"),
        "通室終了年月日": date_text(np.where(end > city.as_of, OPEN, end), "slash"),
        "利用形態": choose_text(("通室", "オンライン", "訪問"), rng.choice(3, len(end), p=[0.75, 0.15, 0.1])),
        "通室日数": integer_text(rng.binomial(np.maximum((last - start) * 5 // 7, 0), 0.45)),
    }
    return Extract(
        "education_support_centre",
        columns,
        Style("utf-8-bom", "slash", titles=("教育支援センター　利用者一覧",)),
        ("学籍番号", "通室開始年月日"),
        ("通室開始年月日",),
        (),
    )


def _known_numbers(city: City, rng: np.random.Generator, position: np.ndarray, days: np.ndarray) -> np.ndarray:
    """The 宛名番号 of pupils where the board has looked it up, else empty."""
    person = city.external.pupils.person[position]
    known = (person >= 0) & (rng.random(len(person)) < city.parameters.pupil_number_known)
    return np.where(known, city.numbers.text(np.where(known, person, -1), days), "").astype(object)
