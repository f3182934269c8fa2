"""児童相談所 and 社会福祉協議会: people under the numbers of their own."""

from __future__ import annotations

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    years_of,
)
from synthetic_city.circumstances import ABUSE_KINDS
from synthetic_city.extracts.shared import (
    City,
    children_in_want,
    in_want,
    lives_with_minors,
)
from synthetic_city.writing import Extract, Style, choose_text, date_text


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
        "guidance_centre_cases",
        columns,
        Style(
            dates="era_long",
            quote_all=True,
            headings={"氏名_フリガナ": "カナ氏名", "生年月日": "生年月日（和暦）"},
        ),
        ("児相ケース番号", "氏名", "受付年月日", "相談種別"),
        ("受付年月日",),
        (),
    )


def social_council_services(city: City) -> Extract:
    """Loans and food of the social welfare council: to parents when their household comes to want, to others at any
    time; and meals of children who come by themselves."""
    rng, external, c = city.rng, city.external, city.circumstances
    parents_rng = np.random.default_rng([city.parameters.seed, 13])
    residents = city.residents[city.age(city.residents, city.as_of) > 20]
    chance = 1 / (1 + np.exp(-(-4.9 + 1.7 * c.hardship[residents])))
    persons = residents[rng.random(len(residents)) < chance]
    person = np.repeat(persons, 1 + rng.poisson(0.9, len(persons)))
    days = city.as_of - rng.integers(1, 3300, len(person))
    ok = city.alive_and_here(person, days) & (city.age(person, days) > 18)
    ok &= ~lives_with_minors(city, person, days)
    parents, asked = in_want(city)
    came = (parents_rng.random(len(parents)) < 0.65) & (asked < city.as_of) & np.isin(parents, city.residents)
    children, hungry = children_in_want(city)
    ate = (parents_rng.random(len(children)) < 0.12) & (hungry < city.as_of) & city.alive_and_here(children, hungry)
    ate &= (city.age(children, hungry) >= 6) & (city.age(children, hungry) < 18)
    person = np.concatenate([person[ok], parents[came], children[ate]]).astype(np.int64)
    days = np.concatenate([days[ok], asked[came], hungry[ate]])
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
    services = np.array(("生活福祉資金貸付", "フードバンク", "緊急小口資金", "子ども食堂"), dtype=object)
    service = services[rng.choice(4, len(person), p=[0.2, 0.5, 0.2, 0.1])]
    service[(person >= 0) & (city.age(np.maximum(person, 0), days) < 18)] = "子ども食堂"
    columns = {
        "利用番号": number,
        "氏名": record.name,
        "氏名_フリガナ": record.kana,
        "生年月日": np.where(missing, "", record.birth_text("iso")).astype(object),
        "性別": record.sex_text(("男", "女"), ("男", "女")),
        "住所": record.address,
        "利用種別": service,
        "利用年月日": date_text(days, "iso"),
    }
    return Extract(
        "social_council_services",
        columns,
        Style("utf-8", "iso", newline="\n", headings={"氏名_フリガナ": "フリガナ"}),
        ("利用番号", "氏名", "利用種別", "利用年月日"),
        ("利用年月日",),
        (),
    )
