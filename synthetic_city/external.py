"""People as holders without 宛名番号 write them: older names, variants, slips, and people whom the register lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_city.calendar_days import (
    FULL_WIDTH,
    OPEN,
    day,
    month_start,
    school_years_of,
)
from synthetic_city.places import MUNICIPALITIES, OUTSIDE_ADDRESSES, TOWN_MUNICIPALITY, TOWNS
from synthetic_city.population import RESIDENT, YEAR
from synthetic_city.writing import date_text

if TYPE_CHECKING:
    from synthetic_city.extracts.shared import City

VOICED = str.maketrans("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "カキクケコサシスセソタチツテトハヒフヘホ")
SMALL = str.maketrans("ャュョッ", "ヤユヨツ")


@dataclass
class Pupils:
    """Who is in the school register. ``person`` is -1 for those whom the resident register lacks."""

    person: np.ndarray
    stranger: np.ndarray
    number: np.ndarray
    first_start: np.ndarray
    start: np.ndarray
    end: np.ndarray
    school: np.ndarray
    grade: np.ndarray
    sex: np.ndarray
    birth: np.ndarray
    written_on: np.ndarray


@dataclass
class Record:
    """How one source writes people, row by row."""

    name: np.ndarray
    kana: np.ndarray
    birth: np.ndarray
    sex: np.ndarray
    sex_missing: np.ndarray
    address: np.ndarray
    guardian: np.ndarray
    old_name: np.ndarray
    old_address: np.ndarray

    def birth_text(self, style: str) -> np.ndarray:
        """Birth dates in a style."""
        return date_text(self.birth, style)

    def sex_text(self, words: tuple[str, str], codes: tuple[str, str]) -> np.ndarray:
        """Sexes as codes (or words where the two are the same), empty where missing."""
        text = np.array(codes or words, dtype=object)[self.sex]
        text[self.sex_missing] = ""
        return text


class ExternalPeople:
    """Writes people the way outside holders do, and makes up those who are in no register."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.rng = np.random.default_rng([city.parameters.seed, 8])
        self.strangers: list[dict] = []
        self.identities: list[tuple[str, str, str, int, str]] = []
        """source, key, truth id, person (-1), hard case."""
        self.not_at_school = np.empty(0, dtype=np.int64)

    # --- records --------------------

    def spell(
        self, source: str, person: np.ndarray, valid: np.ndarray, written_on: np.ndarray, modern: bool = False
    ) -> Record:
        """Write people as known on the day of writing, with the slips of the source. Rows of -1 are left empty."""
        city, rng, p = self.city, self.rng, self.city.parameters
        names, people, history = city.names, city.people, city.history
        count = len(person)
        who = np.maximum(person, 0)
        surname = np.asarray(history.surname_at(who, written_on)).astype(np.int64)
        now = people.surname[who]
        given = people.given[who].astype(np.int64)
        written = surname.copy()
        for group, variants in names.variants.items():
            rows = np.flatnonzero(
                (names.surname_group[surname] == group) & (rng.random(count) < p.external_variant_share)
            )
            written[rows] = variants[rng.integers(0, len(variants), len(rows))]
        family = names.surnames[written].copy()
        for index, plain in names.gaiji_plain.items():
            common = names.surnames[np.flatnonzero(names.surname_group == names.surname_group[index])[0]]
            family[written == index] = plain if modern else common
        typed = given.copy()
        slips = np.flatnonzero(rng.random(count) < p.external_name_noise * 0.15)
        same_sound = {}
        for row in slips.tolist():
            sound = names.given_kana[given[row]]
            if sound not in same_sound:
                same_sound[sound] = np.flatnonzero(names.given_kana == sound)
            typed[row] = rng.choice(same_sound[sound])
        gap = np.array(["　", " ", ""], dtype=object)[rng.choice(3, count, p=[0.72, 0.22, 0.06])]
        name = family + gap + names.given[typed]
        kana = names.surname_kana[written] + np.where(gap == "", " ", gap) + names.given_kana[given]
        for row in np.flatnonzero(rng.random(count) < p.external_name_noise * 0.6).tolist():
            kana[row] = self._slip(kana[row])
        kana[rng.random(count) < 0.01] = ""
        birth = city.birth[who].copy()
        for row in np.flatnonzero(rng.random(count) < p.external_birth_noise).tolist():
            birth[row] = self._other_date(int(birth[row]))
        sex = people.sex[who].astype(np.int64)
        wrong = rng.random(count) < 0.0015
        sex = np.where(wrong, 1 - sex, sex)
        on = np.where(rng.random(count) < p.external_old_address, written_on - 900, written_on)
        on = np.maximum(on, city.birth[who] + 1)
        home = history.household_at(who, on)
        lost = home < 0
        home = np.where(lost, history.household_at(who, np.maximum(written_on, city.birth[who])), home)
        home = np.where(home < 0, people.last_household[who], home)
        home = np.where(home < 0, people.household[who], home)
        address = self._address(np.maximum(home, 0), on, source)
        address[(home < 0) | (rng.random(count) < 0.008)] = ""
        parent = self._guardian(who, np.maximum(written_on, city.birth[who] + 1))
        guardian = (
            names.surnames[history.surname_at(np.maximum(parent, 0), written_on)]
            + gap
            + names.given[people.given[np.maximum(parent, 0)]]
        )
        for index, plain in names.gaiji_plain.items():
            code = names.surnames[index][0]
            guardian = np.array(
                [
                    text.replace(
                        code,
                        plain[0]
                        if modern
                        else names.surnames[np.flatnonzero(names.surname_group == names.surname_group[index])[0]][0],
                    )
                    for text in guardian
                ],
                dtype=object,
            )
        guardian[parent < 0] = ""
        now_home = people.household[who]
        changed_home = (now_home >= 0) & (home != now_home)
        return Record(
            name,
            kana,
            birth,
            sex,
            rng.random(count) < 0.006,
            address,
            guardian,
            (surname != now) & (names.surname_group[surname] != names.surname_group[now]),
            changed_home,
        )

    def _guardian(self, who: np.ndarray, on: np.ndarray) -> np.ndarray:
        people, history = self.city.people, self.city.history
        home = history.household_at(who, on)
        guardians = np.full(len(who), -1, dtype=np.int64)
        for parent in (people.father, people.mother):
            candidate = parent[who].astype(np.int64)
            here = (candidate >= 0) & (guardians < 0) & (home >= 0) & (history.household_at(candidate, on) == home)
            guardians = np.where(here, candidate, guardians)
        return guardians

    def _address(self, households: np.ndarray, on: np.ndarray, source: str) -> np.ndarray:
        rng = self.rng
        town, number, branch = self.city.history.address_at(households, on)
        count = len(households)
        prefix = np.array(["佐渡市", "新潟県佐渡市", ""], dtype=object)[rng.choice(3, count, p=[0.62, 0.3, 0.08])]
        style = rng.choice(4, count, p=[0.45, 0.35, 0.1, 0.1])
        rest = []
        for kind, n, b in zip(style.tolist(), number.tolist(), branch.tolist(), strict=True):
            if kind == 0:
                rest.append(f"{n}番地{b}" if b else f"{n}番地")
            elif kind == 1:
                rest.append(f"{n}-{b}" if b else f"{n}")
            elif kind == 2:
                rest.append(f"{n}の{b}" if b else f"{n}番地")
            else:
                rest.append((f"{n}-{b}" if b else f"{n}").translate(FULL_WIDTH))
        return prefix + TOWNS[town] + np.array(rest, dtype=object)

    def _slip(self, kana: str) -> str:
        """One slip of a typist: a lost voicing mark, a large kana for a small one, a doubled or lost kana …"""
        rng = self.rng
        kind = int(rng.integers(5))
        if kind == 0 and kana.translate(VOICED) != kana:
            places = [i for i, c in enumerate(kana) if c.translate(VOICED) != c]
            place = places[rng.integers(len(places))]
            return kana[:place] + kana[place].translate(VOICED) + kana[place + 1 :]
        if kind == 1 and kana.translate(SMALL) != kana:
            return kana.translate(SMALL)
        if kind == 2 and ("ウ" in kana[1:] or "オオ" in kana):
            return kana.replace("オオ", "オー", 1) if "オオ" in kana else kana[0] + kana[1:].replace("ウ", "ー", 1)
        place = int(rng.integers(1, len(kana)))
        if kana[place] in " 　":
            place -= 1
        if kind == 3 and place:
            return kana[:place] + kana[place + 1 :]
        return kana[: place + 1] + kana[place:]

    def _other_date(self, number: int) -> int:
        """A birth date with transposed or mistyped digits, still a date."""
        rng = self.rng
        date = np.datetime64(number, "D").astype(object)
        options = []
        if date.day <= 12 and date.day != date.month:
            options.append(day(date.year, date.day, date.month))
        swapped = int(f"{date.day:02d}"[::-1])
        if 1 <= swapped <= 28 and swapped != date.day:
            options.append(day(date.year, date.month, swapped))
        options.append(day(date.year + (1 if date.year < 2020 else -1), date.month, min(date.day, 28)))
        return int(options[rng.integers(len(options))])

    # --- people whom the register lacks --------------------

    def stranger(self, case: str, **values: object) -> int:
        """Add a person who is in no register; returns the number."""
        self.strangers.append({"case": case, **values})
        return len(self.strangers) - 1

    def _made_up(self, case: str, age_low: float, age_high: float, outside: float = 0.8) -> int:
        city, rng, names = self.city, self.rng, self.city.names
        sex = int(rng.integers(2))
        birth = int(city.as_of - rng.uniform(age_low, age_high) * YEAR)
        surname = int(names.draw_surnames(rng, 1)[0])
        while names.surnames[surname][0] >= "\ue000" and names.surnames[surname][0] < "\uf900":
            surname = int(names.draw_surnames(rng, 1)[0])
        given = int(names.draw_given(rng, np.array([sex]), np.array([1970 + birth // 365]))[0])
        guardian = int(names.draw_given(rng, np.array([0]), np.array([1985]))[0])
        place = (
            OUTSIDE_ADDRESSES[rng.integers(len(OUTSIDE_ADDRESSES))] + f"{rng.integers(1, 900)}-{rng.integers(1, 30)}"
        )
        if rng.random() > outside:
            place = "佐渡市" + TOWNS[rng.integers(len(TOWNS))] + f"{rng.integers(1, 2400)}番地"
        return self.stranger(
            case,
            name=f"{names.surnames[surname]}　{names.given[given]}",
            kana=f"{names.surname_kana[surname]} {names.given_kana[given]}",
            birth=birth,
            sex=sex,
            address=place,
            guardian=f"{names.surnames[surname]}　{names.given[guardian]}",
        )

    def _absent_sibling(self, person: int) -> int:
        """A child who lives elsewhere while a sibling is in the register: same surname, the same father as guardian."""
        city, rng, names, people = self.city, self.rng, self.city.names, self.city.people
        number = self._made_up("sibling_not_in_register", 6.5, 14.5)
        values = self.strangers[number]
        surname = int(people.surname[person])
        if names.surnames[surname][0] >= "\ue000" and names.surnames[surname][0] < "\uf900":
            return number
        gap = rng.choice([1.2, -1.4, 2.1, -2.6])
        birth = int(city.birth[person] + gap * YEAR)
        low, high = city.as_of - 14.8 * YEAR, city.as_of - 6.2 * YEAR
        birth = int(np.clip(birth, low, high))
        if birth == city.birth[person]:
            birth += 40
        given = int(names.draw_given(rng, np.array([values["sex"]]), np.array([1970 + birth // 365]))[0])
        father = int(people.father[person]) if people.father[person] >= 0 else int(people.mother[person])
        values.update(
            name=f"{names.surnames[surname]}　{names.given[given]}",
            kana=f"{names.surname_kana[surname]} {names.given_kana[given]}",
            birth=birth,
            sibling=person,
            guardian=f"{names.surnames[people.surname[father]]}　{names.given[people.given[father]]}",
        )
        return number

    def _double_of(self, person: int) -> int:
        """A stranger of the same name and birth date as a person in the register."""
        city, names, people = self.city, self.city.names, self.city.people
        number = self._made_up("same_name_same_birth", 7, 14)
        surname = int(people.surname[person])
        if names.surnames[surname][0] >= "\ue000" and names.surnames[surname][0] < "\uf900":
            return number
        self.strangers[number].update(
            name=f"{names.surnames[surname]}　{names.given[people.given[person]]}",
            kana=f"{names.surname_kana[surname]} {names.given_kana[people.given[person]]}",
            birth=int(city.birth[person]),
            sex=int(people.sex[person]),
            double_of=person,
        )
        return number

    def centre_strangers(self, count: int) -> np.ndarray:
        """Children of other municipalities in the centre's books."""
        return np.array([self._made_up("not_in_register", 3, 25) for _ in range(count)], dtype=np.int64)

    def council_strangers(self, count: int) -> np.ndarray:
        """People without a residence record here who used a service."""
        return np.array([self._made_up("not_in_register", 20, 70, 0.5) for _ in range(count)], dtype=np.int64)

    def blend_strangers(self, record: Record, stranger: np.ndarray) -> None:
        """Put strangers into the rows that are theirs."""
        for row in np.flatnonzero(stranger >= 0).tolist():
            values = self.strangers[int(stranger[row])]
            record.name[row], record.kana[row] = values["name"], values["kana"]
            record.birth[row], record.sex[row] = values["birth"], values["sex"]
            record.address[row], record.guardian[row] = values["address"], values["guardian"]
            record.sex_missing[row] = record.old_name[row] = record.old_address[row] = False

    # --- the school register --------------------

    def enrol(self) -> None:
        """Fill ``pupils``: children of school age of the last years, and those whom the register lacks."""
        city, rng, people, p = self.city, self.rng, self.city.people, self.city.parameters
        limit = day(p.as_of.year - p.monthly_records_years)
        stays = city.population.stays
        persons = np.unique(stays.person[stays.end > limit]).astype(np.int64)
        birth = city.birth[persons]
        year = school_years_of(birth - 1)
        primary = month_start((year + 7 - 1970) * 12 + 3)
        junior = month_start((year + 13 - 1970) * 12 + 3)
        graduation = month_start((year + 16 - 1970) * 12 + 3)
        arrived = np.full(len(people), OPEN, dtype=np.int64)
        entering = np.flatnonzero(np.isin(stays.why_in, (10, 11)))
        np.minimum.at(arrived, stays.person[entering], stays.start[entering])
        first = np.maximum(primary, np.where(arrived[persons] < OPEN, arrived[persons], people.registered[persons]))
        gone = people.status[persons] != RESIDENT
        end = np.where(gone, np.minimum(people.ended[persons], graduation - 1), graduation - 1).astype(np.int64)
        chosen = (first <= city.as_of) & (end > limit) & (end > first) & (graduation > limit)
        home = city.history.household_at(persons, np.maximum(np.minimum(end, city.as_of) - 1, first))
        chosen &= home >= 0
        absent = chosen & (rng.random(len(persons)) < p.child_not_at_school) & (end > city.as_of)
        self.not_at_school = persons[absent]
        chosen &= ~absent
        persons, first, end, junior, primary, home, year = (
            values[chosen] for values in (persons, first, end, junior, primary, home, year)
        )
        at = np.minimum(end, city.as_of)
        in_junior = at >= junior
        start = np.where(in_junior, np.maximum(junior, first), first)
        town, _, _ = city.history.address_at(home, at - 1)
        municipality = TOWN_MUNICIPALITY[town]
        school = self._schools(municipality, in_junior)
        grade = school_years_of(at) - school_years_of(np.where(in_junior, junior, primary)) + 1
        count = max(2, round(p.school_not_in_register * len(persons)))
        unregistered = []
        candidates = persons[people.status[persons] == RESIDENT]
        for number in range(count):
            kind = number % 5
            if kind in (0, 1) and len(candidates):
                unregistered.append(self._absent_sibling(int(rng.choice(candidates))))
            elif kind == 2 and number % 10 == 2 and len(self.not_at_school):
                unregistered.append(self._double_of(int(rng.choice(self.not_at_school))))
            else:
                unregistered.append(self._made_up("not_in_register", 6.6, 14.4))
        strange_birth = np.array([self.strangers[n]["birth"] for n in unregistered], dtype=np.int64)
        strange_sex = np.array([self.strangers[n]["sex"] for n in unregistered], dtype=np.int64)
        strange_year = school_years_of(strange_birth - 1)
        strange_primary = month_start((strange_year + 7 - 1970) * 12 + 3)
        strange_junior = month_start((strange_year + 13 - 1970) * 12 + 3)
        strange_in_junior = city.as_of >= strange_junior
        strange_start = np.where(strange_in_junior, strange_junior, strange_primary)
        strange_start = np.maximum(strange_start, day(p.as_of.year - 3, 4))
        strange_start = np.minimum(strange_start, city.as_of)
        strange_school = self._schools(rng.integers(0, len(MUNICIPALITIES), count), strange_in_junior)
        strange_grade = (
            school_years_of(np.full(count, city.as_of))
            - school_years_of(np.where(strange_in_junior, strange_junior, strange_primary))
            + 1
        )
        total = len(persons) + count
        entry = np.concatenate([school_years_of(first), school_years_of(strange_start)])
        order = np.argsort(entry, kind="stable")
        sequence = np.empty(total, dtype=np.int64)
        sequence[order] = np.arange(1, total + 1)
        number = np.array([f"{y}{n:06d}" for y, n in zip(entry.tolist(), sequence.tolist(), strict=True)], dtype=object)
        keeps_old = rng.random(total) < p.external_old_name
        all_first = np.concatenate([first, strange_start])
        all_end = np.concatenate([end, np.full(count, OPEN)])
        written = np.where(keeps_old, all_first, np.minimum(all_end, city.as_of) - 1)
        written = np.maximum(written, all_first)
        # Those who graduated or left keep the end; for the others it lies ahead.
        shown_end = np.where(all_end > city.as_of, OPEN, all_end)
        self.pupils = Pupils(
            person=np.concatenate([persons, np.full(count, -1)]),
            stranger=np.concatenate([np.full(len(persons), -1), np.array(unregistered, dtype=np.int64)]),
            number=number,
            first_start=all_first,
            start=np.concatenate([start, strange_start]),
            end=shown_end,
            school=np.concatenate([school, strange_school]),
            grade=np.clip(np.concatenate([grade, strange_grade]), 1, 6),
            sex=np.concatenate([people.sex[persons], strange_sex]),
            birth=np.concatenate([city.birth[persons], strange_birth]),
            written_on=written,
        )

    def _schools(self, municipality: np.ndarray, junior: np.ndarray) -> np.ndarray:
        rng = self.rng
        draw = rng.random(len(municipality))
        names = []
        for place, is_junior, share in zip(municipality.tolist(), junior.tolist(), draw.tolist(), strict=True):
            schools = MUNICIPALITIES[place].junior_schools if is_junior else MUNICIPALITIES[place].primary_schools
            names.append(schools[int(share * len(schools))])
        return np.array(names, dtype=object)

    # --- the truth --------------------

    def remember(self, source: str, keys: np.ndarray, person: np.ndarray, record: Record, stranger: np.ndarray) -> None:
        """Who stands behind each key of a source, and what makes the record hard to link."""
        people, city = self.city.people, self.city
        inside = person[person >= 0]
        doubles = city.population.same_name
        mothers = people.mother[inside]
        kept_since = day(city.parameters.removed_records_from_year, 6, 20)
        several = np.bincount(mothers[mothers >= 0], minlength=len(people)) > 1
        for row, (key, who, odd) in enumerate(zip(keys.tolist(), person.tolist(), stranger.tolist(), strict=True)):
            if who < 0:
                self.identities.append((source, key, f"X{odd:06d}", -1, self.strangers[odd]["case"]))
                continue
            mother = people.mother[who]
            if who in doubles:
                case = "same_name_same_birth"
            elif people.twin[who] >= 0:
                case = "twin"
            elif record.old_name[row]:
                case = "changed_surname"
            elif people.second_from[who] < OPEN:
                case = "two_numbers"
            elif people.status[who] != RESIDENT:
                case = "removed_record" if people.ended[who] >= kept_since else "destroyed_record"
            elif record.old_address[row]:
                case = "moved"
            elif mother >= 0 and several[mother]:
                case = "sibling"
            else:
                case = "plain"
            self.identities.append((source, key, f"P{who:08d}", int(who), case))
