"""The truth behind the extracts: who is who, who is whose parent, which chains exist, who became a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from synthetic_city.calendar_days import OPEN, add_years, day
from synthetic_city.chains import Genogram, shared_households
from synthetic_city.circumstances import ABUSE_KINDS, DIFFICULTIES, EFFECTS, FACTORS, OBSERVABLE_IN
from synthetic_city.column_slips import ColumnSlip
from synthetic_city.extracts import City
from synthetic_city.population import DIVORCED, MARRIED, RESIDENT, UNNAMED
from synthetic_city.slips import Slip
from synthetic_city.writing import Planted, date_text, integer_text

MONTHS_OF_A_RECENT_CASE = 120


def write_csv(path: Path, headings: list[str], columns: Iterable[np.ndarray | list]) -> int:
    """Write columns of text as UTF-8 CSV; returns the number of rows."""
    texts = [_quoted([value if type(value) is str else str(value) for value in column]) for column in columns]
    rows = [",".join(row) for row in zip(*texts, strict=True)]
    path.write_text("\n".join([",".join(headings), *rows]) + "\n", encoding="utf-8")
    return len(rows)


def _quoted(values: list[str]) -> list[str]:
    """The values with quotes around those that hold a comma or a quote."""
    everything = "".join(values)
    if "," not in everything and '"' not in everything:
        return values
    return ['"' + value.replace('"', '""') + '"' if "," in value or '"' in value else value for value in values]


def iso(days: np.ndarray) -> np.ndarray:
    """Days as ISO dates; empty where open."""
    return date_text(np.asarray(days, dtype=np.int64), "iso")


class Truth:
    """Writes the truth files of a city."""

    def __init__(self, folder: Path, city: City) -> None:
        self.folder, self.city = folder, city
        self.people = city.people
        self.persons = np.unique(city.population.stays.person).astype(np.int64)
        self.persons = self.persons[city.known[self.persons]]
        self.inside = np.zeros(len(self.people) + 1, dtype=bool)
        self.inside[self.persons] = True
        self.atena = city.numbers.now(np.arange(len(self.people)))
        self.figures: dict[str, int] = {}

    def ids(self, persons: np.ndarray) -> np.ndarray:
        """Truth ids of people."""
        return np.array([f"P{person:08d}" for person in np.asarray(persons).tolist()], dtype=object)

    def write(self, name: str, headings: str, *columns: np.ndarray | list) -> None:
        """Write one file; headings are joined by commas."""
        self.figures[name] = write_csv(self.folder / f"{name}.csv", headings.split(","), columns)

    # --- who is who --------------------

    def write_people(self) -> None:
        """Everybody since 1980 and everybody whom the register lacks, with all their numbers."""
        city, people, persons = self.city, self.people, self.persons
        external = {name: {} for name in ("school_enrolment", "guidance_centre_cases", "social_council_services")}
        odd_keys: dict[str, dict[str, list[str]]] = {}
        for source, key, truth_id, person, _ in city.external.identities:
            if person >= 0:
                external[source].setdefault(person, []).append(key)
            else:
                odd_keys.setdefault(truth_id, {}).setdefault(source, []).append(key)
        keys = [["|".join(external[source].get(p, ())) for p in persons.tolist()] for source in external]
        second = people.second_from[persons] < OPEN
        protected = self.protected()
        surname, given = city.names.surnames[people.surname[persons]], city.names.given[people.given[persons]]
        kana = city.names.surname_kana[people.surname[persons]] + " " + city.names.given_kana[people.given[persons]]
        notes = np.full(len(people), "", dtype=object)
        notes[city.external.not_at_school] = "not_at_school"
        notes[list(city.population.same_name)] = "same_name_same_birth"
        rows = [
            self.ids(persons),
            self.atena[persons],
            np.where(second, city.numbers.text(persons, -OPEN), "").astype(object),
            *keys,
            surname + "　" + given,
            kana,
            iso(city.birth[persons]),
            np.array(["男", "女"], dtype=object)[people.sex[persons]],
            (people.status[persons] == RESIDENT).astype(int).tolist(),
            iso(np.where(people.status[persons] == 3, people.ended[persons], OPEN)),
            protected[persons].astype(int).tolist(),
            np.where(people.twin[persons] >= 0, self.ids(np.maximum(people.twin[persons], 0)), "").astype(object),
            notes[persons],
        ]
        odd = sorted(odd_keys)
        strangers = [city.external.strangers[int(truth_id[1:])] for truth_id in odd]
        odd_rows = [
            odd,
            [""] * len(odd),
            [""] * len(odd),
            *(["|".join(odd_keys[truth_id].get(source, ())) for truth_id in odd] for source in external),
            [values["name"] for values in strangers],
            [values["kana"] for values in strangers],
            iso(np.array([values["birth"] for values in strangers], dtype=np.int64)),
            ["男女"[values["sex"]] for values in strangers],
            [0] * len(odd),
            [""] * len(odd),
            [0] * len(odd),
            [""] * len(odd),
            [values["case"] for values in strangers],
        ]
        self.write(
            "people",
            "truth_person_id,atena_no,former_atena_no,school_person_no,centre_case_no,service_no,name,kana,birth_on,sex,"
            "is_resident,died_on,is_protected,twin_of,note",
            *([*one, *other] for one, other in zip(rows, odd_rows, strict=True)),
        )

    def write_identities(self) -> None:
        """Every record that has to be linked to a person, and what makes it hard.

        Where the register no longer has the person (destroyed_record), or never had, there is nothing to link to and
        ``atena_no`` is empty.
        """
        city = self.city
        rows = list(city.external.identities)
        former = self.persons[self.people.second_from[self.persons] < OPEN]
        for person, old in zip(former.tolist(), city.numbers.text(former, -OPEN).tolist(), strict=True):
            rows.append(("resident_register", old, f"P{person:08d}", person, "two_numbers"))
        numbers, children, _, due = city.pregnancies
        named = city.pregnancy_named
        for key, child, on, is_named in zip(
            numbers.tolist(), children.tolist(), due.tolist(), named.tolist(), strict=True
        ):
            if child >= 0:
                case = "born" if is_named else "born_without_number"
                rows.append(("pregnancy_notifications", key, f"P{child:08d}", child, case))
            else:
                case = "unborn" if on > city.as_of else "never_born_here"
                rows.append(("pregnancy_notifications", key, f"U{key}" if case == "unborn" else "", -1, case))
        self.write(
            "identities",
            "source_id,source_key,truth_person_id,atena_no,hard_case",
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
            [self.atena[row[3]] if row[3] >= 0 and row[4] != "destroyed_record" else "" for row in rows],
            [row[4] for row in rows],
        )

    def protected(self) -> np.ndarray:
        """Whether a support measure of each person is in force on the as-of date."""
        table = self.city.population.protections
        result = np.zeros(len(self.people), dtype=bool)
        order = np.argsort(table.start, kind="stable")
        result[table.person[order]] = table.end[order] > self.city.as_of
        return result

    # --- family --------------------

    def parent_edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """child, parent, is adoptive, from, to, and the extracts that state the edge (joined by |)."""
        people, persons = self.people, self.persons
        parts = []
        for parent, adoptive in ((people.mother, 0), (people.father, 0), (people.adopter, 1)):
            who = parent[persons].astype(np.int64)
            is_inside = (who >= 0) & self.inside[who]
            child = persons[is_inside]
            start = people.adopted_from[child] if adoptive else people.birth[child]
            end = people.adopted_to[child] if adoptive else np.full(len(child), OPEN)
            parts.append((child, who[is_inside], np.full(len(child), adoptive), start, end))
        child, parent, adoptive, start, end = (
            np.concatenate(columns).astype(np.int64) for columns in zip(*parts, strict=True)
        )
        stated = {name: self._pairs(pairs) for name, pairs in self._stated().items()}
        keys = self._pairs((child, parent))
        is_stated = {name: np.isin(keys, known) for name, known in stated.items()}
        words = ["|".join(name for name in is_stated if is_stated[name][row]) for row in range(len(child))]
        return child, parent, adoptive, start, end, words

    def _pairs(self, pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return pair[0].astype(np.int64) * len(self.people) + pair[1]

    def _stated(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Pairs (child, parent) that each extract states."""
        city, segments = self.city, self.city.segments
        filings = city.population.filings
        since = (filings.day >= day(city.parameters.history_from_year)) & city.known[filings.child]
        pairs = {}
        both = []
        for parent in (filings.mother, filings.father):
            rows = since & (parent >= 0) & (filings.kind != 3)
            both.append(np.stack([filings.child[rows], parent[rows]]))
        pairs["parentage"] = tuple(np.concatenate(both, axis=1))
        texts = city.history.relation_texts
        head = city.history.head_at(segments.household, segments.start)
        partner, _ = city.history.partner_at(head, segments.start)
        both = []
        for number, codes in enumerate(texts):
            rows = np.flatnonzero(segments.relation == number)
            who = segments.person[rows]
            spouse = len(codes) == 2 and codes[0] in ("11", "12", "13", "14")
            if codes == ("20",):
                both.append(np.stack([who, head[rows]]))
            elif codes in (("51",), ("52",)):
                both.append(np.stack([head[rows], who]))
            elif spouse and codes[1] == "20":
                both.append(np.stack([who, partner[rows]]))
            elif spouse and codes[1] in ("51", "52"):
                both.append(np.stack([partner[rows], who]))
        pairs["household_history"] = tuple(np.concatenate(both, axis=1))
        pairs["child_allowance"] = city.allowance_pairs
        _, child, mothers, _ = city.pregnancies
        named = city.pregnancy_named
        pairs["pregnancy_notifications"] = (child[named], mothers[named])
        pairs["newborn_visits"] = city.newborn_pairs
        return pairs

    def write_family(self) -> None:
        """parents.csv, partners.csv and households.csv."""
        city, people = self.city, self.people
        self.edges = self.parent_edges()
        child, parent, adoptive, start, end, stated = self.edges
        unnamed = (adoptive == 0) & (people.father[child] == parent) & (people.father_known[child] == UNNAMED)
        self.write(
            "parents",
            "child,parent,type,from,to,child_atena_no,parent_atena_no,stated_in",
            self.ids(child),
            self.ids(parent),
            np.where(adoptive == 1, "adoptive", np.where(unnamed, "biological_unnamed", "biological")),
            iso(start),
            iso(end),
            self.atena[child],
            self.atena[parent],
            stated,
        )
        unions = city.population.unions
        rows = np.flatnonzero(self.inside[unions.husband] & self.inside[unions.wife])
        ended = np.array(["", "divorce", "death", "separation", "marriage"], dtype=object)[unions.end_kind[rows]]
        self.write(
            "partners",
            "husband,wife,type,from,to,ended_by,husband_atena_no,wife_atena_no",
            self.ids(unions.husband[rows]),
            self.ids(unions.wife[rows]),
            np.where(unions.kind[rows] == MARRIED, "marriage", "unregistered"),
            iso(unions.start[rows]),
            iso(unions.end[rows]),
            ended,
            self.atena[unions.husband[rows]],
            self.atena[unions.wife[rows]],
        )
        segments = city.segments
        now = np.flatnonzero(segments.end > city.as_of)
        household = segments.household[now]
        _, inverse, counts = np.unique(household, return_inverse=True, return_counts=True)
        texts = np.array([" ".join(codes) for codes in city.history.relation_texts], dtype=object)
        self.write(
            "households",
            "household_no,truth_person_id,atena_no,relation,members",
            city.numbers.household_text(household),
            self.ids(segments.person[now]),
            self.atena[segments.person[now]],
            texts[segments.relation[now]],
            integer_text(counts[inverse]),
        )

    # --- cases --------------------

    def cases(self) -> list[tuple[str, str, int, int, int, str, str]]:
        """source, key, person, day, end, difficulty, abuse kind of every case of the extracts."""
        city, c = self.city, self.city.circumstances
        rows = []
        keys, numbers = city.council_rows
        for key, row in zip(keys.tolist(), numbers.tolist(), strict=True):
            rows.append(
                (
                    "council_cases",
                    key,
                    int(c.cases.child[row]),
                    int(c.cases.start[row]),
                    int(c.cases.end[row]),
                    DIFFICULTIES[c.cases.difficulty[row]],
                    ABUSE_KINDS[c.cases.abuse[row]],
                )
            )
        keys, numbers = city.centre_rows
        for key, row in zip(keys.tolist(), numbers.tolist(), strict=False):
            rows.append(
                (
                    "guidance_centre_cases",
                    key,
                    int(c.guidance.child[row]),
                    int(c.guidance.day[row]),
                    OPEN,
                    "",
                    ABUSE_KINDS[c.guidance.abuse[row]],
                )
            )
        keys, numbers = city.consultation_rows
        for key, row in zip(keys.tolist(), numbers.tolist(), strict=True):
            if c.consultations.abuse[row]:
                rows.append(
                    (
                        "child_consultations",
                        key,
                        int(c.consultations.child[row]),
                        int(c.consultations.day[row]),
                        OPEN,
                        "",
                        ABUSE_KINDS[c.consultations.abuse[row]],
                    )
                )
        return rows

    def write_cases(self) -> None:
        """cases.csv, outcomes.csv, factors.csv and effects.csv."""
        city, c = self.city, self.city.circumstances
        self.all_cases = self.cases()
        rows = self.all_cases
        person = np.array([row[2] for row in rows], dtype=np.int64)
        on, end = (np.array([row[place] for row in rows], dtype=np.int64) for place in (3, 4))
        council = np.array([row[0] == "council_cases" for row in rows])
        minor = on < add_years(city.birth[person], 18)
        self.write(
            "cases",
            "source_id,source_key,truth_person_id,atena_no,case_on,ended_on,is_open,is_under_18,difficulty,abuse_kind",
            [row[0] for row in rows],
            [row[1] for row in rows],
            self.ids(person),
            self.atena[person],
            iso(on),
            np.where(council, iso(end), ""),
            (council & (end > city.as_of)).astype(int),
            minor.astype(int),
            [row[5] for row in rows],
            [row[6] for row in rows],
        )
        anchor = np.array([city.as_of])
        outcome, who, begin, finish = [], [], [], []
        for name, lists in (("truancy", c.truants), ("young_carer", c.carers)):
            for before in sorted(lists):
                if before > 4:
                    continue
                start, stop = (int(add_years(anchor, -before + step)[0]) for step in (0, 1))
                outcome += [name] * len(lists[before])
                who += lists[before].tolist()
                begin += [start] * len(lists[before])
                finish += [stop - 1] * len(lists[before])
        for before in sorted(c.in_want):
            children, days = c.in_want[before]
            outcome += ["poverty"] * len(children)
            who += children.tolist()
            begin += days.tolist()
            finish += days.tolist()
        born = city.epds_positive
        outcome += ["postpartum_depression"] * len(born)
        who += born.tolist()
        begin += city.birth[born].tolist()
        finish += (city.birth[born] + 90).tolist()
        who_array = np.array(who, dtype=np.int64)
        self.write(
            "outcomes",
            "outcome,truth_person_id,atena_no,from,to",
            outcome,
            self.ids(who_array),
            self.atena[who_array],
            iso(np.array(begin)),
            iso(np.array(finish)),
        )
        names = list(FACTORS)
        parts: list[list] = [[], [], [], *([] for _ in names)]
        for before in (3, 2, 1, 0):
            situation = c.situations[before]
            on = int(add_years(anchor, -before)[0])
            parts[0] += iso(np.full(len(situation.children), on)).tolist()
            parts[1] += self.ids(situation.children).tolist()
            parts[2] += self.atena[situation.children].tolist()
            for place, name in enumerate(names, 3):
                parts[place] += situation.factors[name].astype(int).tolist()
        self.write("factors", "on,truth_person_id,atena_no," + ",".join(names), *parts)
        frozen = c.situations[1]
        effects = [
            (
                outcome,
                factor,
                effect,
                round(float(frozen.factors[factor].mean()), 4),
                FACTORS[factor],
                OBSERVABLE_IN[factor],
            )
            for outcome, table in EFFECTS.items()
            for factor, effect in table.items()
        ]
        self.write(
            "effects",
            "outcome,factor,effect,prevalence,description,observable_in",
            *([row[place] for row in effects] for place in range(6)),
        )

    # --- chains --------------------

    def write_chains(self, say: Callable[[str, float], None]) -> None:
        """Both chains over all edges there are; ``is_known`` where the extracts alone show the chain."""
        city, people = self.city, self.people
        number = np.array([int(text) if text else 0 for text in self.atena.tolist()], dtype=np.int64)
        order = self.persons[np.argsort(number[self.persons], kind="stable")]
        rank = np.full(len(people), -1, dtype=np.int64)
        rank[order] = np.arange(len(order))
        child, parent, _, _, _, stated = self.edges
        severed = self._severed()
        since = people.second_from.astype(np.int64)
        known = np.array([bool(words) for words in stated]) & ~severed[child]
        known &= ~(severed[parent] & (city.birth[child] < since[parent]))
        parents = np.stack([rank[child], rank[parent]], axis=1)
        unions = city.population.unions
        pair = np.flatnonzero(self.inside[unions.husband] & self.inside[unions.wife])
        partners = np.stack([rank[unions.husband[pair]], rank[unions.wife[pair]]], axis=1)
        segments = city.segments
        homes = shared_households(rank[segments.person], segments.household, segments.start, segments.end)
        filed = (
            (unions.filed[pair] == 1)
            & (unions.kind[pair] == MARRIED)
            & (unions.start[pair] >= day(city.parameters.history_from_year))
        )
        filed |= (unions.end_kind[pair] == DIVORCED) & (unions.end[pair] >= day(city.parameters.history_from_year))
        lasting = ~((severed[segments.person]) & (segments.second == 0))
        shown_homes = shared_households(
            rank[segments.person[lasting]],
            segments.household[lasting],
            segments.start[lasting],
            segments.end[lasting],
        )
        for partner in (unions.husband[pair], unions.wife[pair]):
            filed &= ~(severed[partner] & (unions.start[pair] < since[partner]))
        hidden = {int(rank[one]): int(since[one]) for one in np.flatnonzero(severed & (rank >= 0)).tolist()}
        subjects = [int(rank[one]) for one in city.current.tolist()]
        unborn = {}
        extra_known, extra_all = [], []
        for position, (key, mother, _) in enumerate(city.unborn):
            node = len(order) + position
            unborn[node] = key
            subjects.append(node)
            extra_known.append((node, int(rank[mother])))
            partner, union = city.history.partner_at(np.array([mother]), np.array([city.as_of]))
            if partner[0] >= 0 and unions.kind[union[0]] == MARRIED and self.inside[partner[0]]:
                extra_all.append((node, int(rank[partner[0]])))
        mothers = np.array(extra_known, dtype=np.int64).reshape(-1, 2)
        husbands = np.array(extra_all, dtype=np.int64).reshape(-1, 2)
        everything = Genogram(np.concatenate([parents, mothers, husbands]), np.concatenate([partners, homes]))
        shown = Genogram(np.concatenate([parents[known], mothers]), np.concatenate([partners[filed], shown_homes]))
        protected = set(rank[np.flatnonzero(self.protected() & (rank >= 0))].tolist())
        vertical_cases, recent_cases = self._case_ends(rank)
        segments_now = segments.end > city.as_of
        members: dict[int, set[int]] = {}
        for home, who in zip(
            segments.household[segments_now].tolist(), rank[segments.person[segments_now]].tolist(), strict=True
        ):
            members.setdefault(home, set()).add(who)
        home_of = people.household
        registered = self._birth_known(rank)
        vertical, horizontal = [], []
        for count, subject in enumerate(subjects):
            if subject in unborn:
                home = int(home_of[city.unborn[subject - len(order)][1]])
            else:
                home = int(home_of[order[subject]])
            household = members.get(home, set())
            for rows, find, ends in (
                (vertical, lambda g, s=subject: g.vertical(s, vertical_cases.keys(), protected), vertical_cases),
                (
                    horizontal,
                    lambda g, s=subject, h=household: g.horizontal(s, h, recent_cases.keys(), protected),
                    recent_cases,
                ),
            ):
                full, seen = find(everything), find(shown)
                for end in sorted(full.keys() | seen.keys()):
                    is_known = end in seen and (rows is horizontal or end in registered)
                    is_known &= ends[end][1] >= hidden.get(end, -OPEN)
                    steps, path = seen[end] if end in seen else full[end]
                    rows.append((subject, end, steps, path, ends[end], int(is_known)))
            if count % 500 == 0:
                say("truth", 0.3 + 0.7 * count / max(len(subjects), 1))
        label = self.atena[order].tolist()

        def name(node: int) -> str:
            return label[node] if node < len(order) else f"preg-{unborn[node]}"

        def truth_name(node: int) -> str:
            return f"P{order[node]:08d}" if node < len(order) else f"U{unborn[node]}"

        for file, rows in (("chains_vertical", vertical), ("chains_horizontal", horizontal)):
            self.write(
                file,
                "child,end_person,steps,path,child_atena_no,end_atena_no,path_atena_no,case_source_id,case_on,is_known",
                [truth_name(row[0]) for row in rows],
                [truth_name(row[1]) for row in rows],
                [row[2] for row in rows],
                [">".join(truth_name(node) for node in row[3]) for row in rows],
                [name(row[0]) for row in rows],
                [name(row[1]) for row in rows],
                [">".join(name(node) for node in row[3]) for row in rows],
                [row[4][0] for row in rows],
                iso(np.array([row[4][1] for row in rows], dtype=np.int64)),
                [row[5] for row in rows],
            )

    def _severed(self) -> np.ndarray:
        """Whether people came back under a new number after the record of the old one had been destroyed.

        Nothing in the extracts says that the two numbers are one person.
        """
        stays = self.city.population.stays
        limit = day(self.city.parameters.removed_records_from_year, 6, 20)
        last = np.full(len(self.people), -OPEN, dtype=np.int64)
        first_number = stays.second == 0
        np.maximum.at(last, stays.person[first_number], stays.end[first_number])
        return (self.people.second_from < OPEN) & (last < limit)

    def _case_ends(self, rank: np.ndarray) -> tuple[dict[int, tuple[str, int]], dict[int, tuple[str, int]]]:
        """People with a case as a minor (their first), and people with a case in the last 120 months (their latest)."""
        city = self.city
        as_of = np.array([city.as_of])
        limit = int(add_years(as_of, -MONTHS_OF_A_RECENT_CASE // 12)[0])
        minors: dict[int, tuple[str, int]] = {}
        recent: dict[int, tuple[str, int]] = {}
        for source, _, person, on, *_ in self.all_cases:
            if rank[person] < 0 or on > city.as_of:
                continue
            node = int(rank[person])
            if on < int(add_years(city.birth[person : person + 1], 18)[0]) and (
                node not in minors or on < minors[node][1]
            ):
                minors[node] = (source, on)
            if on > limit and (node not in recent or on > recent[node][1]):
                recent[node] = (source, on)
        return minors, recent

    def _birth_known(self, rank: np.ndarray) -> set[int]:
        """People whose birth date the register still has."""
        city, people = self.city, self.people
        limit = day(city.parameters.removed_records_from_year, 6, 20)
        has_row = (people.status == RESIDENT) | (people.ended >= limit)
        return set(rank[np.flatnonzero(has_row & (rank >= 0))].tolist())


def write_all(
    folder: Path, city: City, planted: list[Planted], slips: list[Slip], say: Callable[[str, float], None]
) -> dict[str, int]:
    """Write every truth file into a new folder; returns rows per file."""
    folder.mkdir(parents=True)
    truth = Truth(folder, city)
    say("truth", 0.0)
    truth.write_people()
    truth.write_identities()
    truth.write_family()
    say("truth", 0.2)
    truth.write_cases()
    truth.write_chains(say)
    truth.write(
        "dirty_rows",
        "source_id,file_name,line_number,heading,damage,expected",
        *(
            [getattr(row, name) for row in planted]
            for name in ("source", "file", "line", "heading", "damage", "expected")
        ),
    )
    truth.write(
        "slips",
        "source_id,file_name,line_number,heading,kind,meant,written,expected",
        *(
            [getattr(slip, name) for slip in slips]
            for name in ("source", "file", "line", "heading", "kind", "meant", "written", "expected")
        ),
    )
    corrections = city.corrections
    truth.write(
        "corrections",
        "source_id,source_key,heading,first_value,corrected_value",
        *([row[place] for row in corrections] for place in range(5)),
    )
    say("truth", 1.0)
    return truth.figures


def write_column_slips(folder: Path, city: City, made: list[ColumnSlip]) -> int:
    """Write which column of which file has gone wrong, and how; returns the rows."""
    truth = Truth(folder, city)
    names = ("folder", "source", "file", "heading", "kind")
    truth.write(
        "column_slips",
        "folder,source_id,file_name,heading,kind",
        *([getattr(slip, name) for slip in made] for name in names),
    )
    return len(made)
