"""A genogram by its conventions: a family as an SVG picture, and in words.

Squares are male, circles female, diamonds of unknown sex, triangles before birth. The child has a double border. A line
joins a couple: dashed where it is not married, with one stroke where it lives apart, with two where it has parted. Its
children hang below the line. Who has died is crossed out. A frame is round those who live in one household.
Graphviz lays it out; generations are rows.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from kodomo.errors import KodomoError
from kodomo.programs import require_program

SECONDS = 10
MARRIED, UNREGISTERED, UNKNOWN_KIND = "marriage", "unregistered", ""
MALE, FEMALE = "男", "女"
_FONT = "Noto Sans CJK JP"


@dataclass(frozen=True)
class Member:
    """A person of the family. ``cases`` is the number of cases, None where the reader may not know of them."""

    person_id: str
    name: str
    role: str
    sex: str = ""
    year: int | None = None
    is_child: bool = False
    is_unborn: bool = False
    is_deceased: bool = False
    household_id: str | None = None
    cases: int | None = None
    is_withheld: bool = False
    is_on_chain: bool = False


@dataclass(frozen=True)
class Couple:
    """Two partners, in the order in which they are drawn. ``kind`` is empty where it is withheld or unknown."""

    first_id: str
    second_id: str
    kind: str = MARRIED
    is_over: bool = False
    lives_apart: bool = False

    @property
    def label(self) -> str:
        """The relation in words."""
        if self.kind == UNKNOWN_KIND:
            return "配偶"
        over, now = ("離婚", "婚姻") if self.kind == MARRIED else ("内縁（解消）", "内縁")
        return over if self.is_over else f"{now}（別居）" if self.lives_apart else now


@dataclass(frozen=True)
class Family:
    """The people of a genogram. ``parents``: parent, child, whether by adoption. ``housemates`` lived together once."""

    members: tuple[Member, ...]
    couples: tuple[Couple, ...] = ()
    parents: tuple[tuple[str, str, bool], ...] = ()
    housemates: tuple[tuple[str, str], ...] = ()

    def member(self, person_id: str) -> Member:
        """One person. Raises StopIteration for one who is not in the family."""
        return next(member for member in self.members if member.person_id == person_id)

    @property
    def shows_cases(self) -> bool:
        """Whether the reader may know of cases."""
        return any(member.cases is not None for member in self.members)

    def residence(self, member: Member) -> str:
        """With whom a person lives, in words: with the child, or with others of the picture by a letter."""
        if member.is_child or member.household_id is None:
            return "—"
        return self.households().get(member.household_id, "別世帯")

    def households(self) -> dict[str, str]:
        """Households of several people: 同居 of the child's own, 別世帯A, 別世帯B … of others."""
        own = next((one.household_id for one in self.members if one.is_child), None)
        homes = [one.household_id for one in self.members if one.household_id]
        shared = [home for home in dict.fromkeys(homes) if homes.count(home) > 1 and home != own]
        names = {home: f"別世帯{chr(ord('A') + number)}" for number, home in enumerate(shared)}
        return {**({own: "同居"} if own and homes.count(own) > 1 else {}), **names}


def read_family(
    child: Mapping[str, Any],
    edges: Iterable[Mapping[str, Any]],
    sheet: Iterable[Mapping[str, Any]] = (),
    steps: Iterable[Mapping[str, Any]] = (),
    *,
    withheld: str = "withheld",
) -> Family:
    """The family of a child from rows of ``bi_family_member``, ``bi_family_sheet`` and ``bi_chain_step``.

    The sheet gives relations and cases; without it no case is marked. Everyone on the way of a chain is in it.
    """
    edges, sheet, steps = list(edges), list(sheet), [row for row in steps if row.get("step_person_id")]
    members: dict[str, Member] = {}
    relations = {row["relative_id"]: row for row in sheet}

    def add(person_id: str, name: str, role: str, sex: str, birth: Any, **more: Any) -> None:
        relation = relations.get(person_id)
        if person_id not in members:
            members[person_id] = Member(
                person_id,
                _plain(name),
                relation["relation_label"] if relation else role,
                sex,
                birth.year if birth else None,
                cases=int(relation["case_count"] or 0) if relation else None,
                **more,
            )

    own = child["person_id"]
    members[own] = Member(
        own,
        child.get("display_name") or child["child_label"],
        "本人",
        child.get("sex") or "",
        child["birth_on"].year if child.get("birth_on") else None,
        is_child=True,
        is_unborn=bool(child.get("is_unborn")),
        household_id=child.get("household_id"),
    )
    for row in edges:
        for end in ("from", "to"):
            add(
                row[f"{end}_person_id"],
                row[f"{end}_label"],
                row[f"{end}_role_label"],
                row.get(f"{end}_sex") or "",
                row.get(f"{end}_birth_on"),
                is_deceased=bool(row.get(f"{end}_is_deceased")),
                household_id=row.get(f"{end}_household_id"),
                is_withheld=row.get("protection") == withheld and row.get("is_dv_protected", True),
            )
    for row in steps:
        add(
            row["step_person_id"],
            row["step_label"],
            row.get("step_relation_label") or "連鎖の経路の人",
            row.get("step_sex") or "",
            row.get("step_birth_on"),
            is_deceased=bool(row.get("step_is_deceased")),
        )
    on_chain = {row["step_person_id"] for row in steps} - {own}
    ends = {row["end_person_id"] for row in steps}
    couples: dict[frozenset[str], Couple] = {}
    parents: dict[tuple[str, str], bool] = {}
    housemates: dict[frozenset[str], tuple[str, str]] = {}
    for row in edges:
        first, second = row["from_person_id"], row["to_person_id"]
        if row["link_type"] == "parent_of":
            parents.setdefault((first, second), row.get("link_kind") == "adoptive")
        else:
            couples.setdefault(frozenset((first, second)), _couple(row, members))
    before: dict[tuple[Any, ...], str] = {}
    for row in sorted(steps, key=lambda row: (row["chain_type"], row["end_person_id"], row["step_no"])):
        way = (row["chain_type"], row["end_person_id"])
        previous, here = before.get(way), row["step_person_id"]
        before[way] = here
        if previous is None or previous == here:
            continue
        match row.get("step_link"):
            case "parent":
                parents.setdefault((here, previous), row.get("step_link_kind") == "adoptive")
            case "child":
                parents.setdefault((previous, here), row.get("step_link_kind") == "adoptive")
            case "partner":
                kind, is_over = row.get("step_link_kind") or UNKNOWN_KIND, bool(row.get("step_link_is_over"))
                couples.setdefault(frozenset((previous, here)), Couple(*sorted((previous, here)), kind, is_over))
            case "housemate":
                housemates.setdefault(frozenset((previous, here)), (previous, here))
    # Brothers and sisters are joined by their parents.
    parents_of: dict[str, set[str]] = defaultdict(set)
    for parent, child_id in parents:
        parents_of[child_id].add(parent)
    lodgers = [pair for pair in housemates.values() if parents_of[pair[0]].isdisjoint(parents_of[pair[1]])]
    shown = [
        replace(
            member,
            is_on_chain=person_id in on_chain,
            cases=max(member.cases or 0, 1) if person_id in ends and person_id in on_chain else member.cases,
        )
        for person_id, member in members.items()
    ]
    return Family(
        tuple(sorted(shown, key=lambda member: (not member.is_child, member.year or 9999, member.person_id))),
        tuple(sorted(couples.values(), key=lambda couple: (couple.first_id, couple.second_id))),
        tuple(sorted((parent, child_id, adopted) for (parent, child_id), adopted in parents.items())),
        tuple(sorted(lodgers)),
    )


def _couple(row: Mapping[str, Any], members: Mapping[str, Member]) -> Couple:
    first, second = row["from_person_id"], row["to_person_id"]
    kind = row.get("link_kind") or UNKNOWN_KIND
    is_over = bool(kind) and row.get("validity_label") == "過去"
    homes = [members[person_id].household_id for person_id in (first, second)]
    is_gone = any(members[person_id].is_deceased for person_id in (first, second))
    return Couple(first, second, kind, is_over and not is_gone, not is_over and all(homes) and homes[0] != homes[1])


def _plain(name: str) -> str:
    """A label of the graph without the year that is shown beside it: 本間　葵（2015年生）."""
    return re.sub(r"（\d{4}年生）(\d*)$", r"\1", name or "")


# ---- generations


def generations(family: Family) -> dict[str, int]:
    """The row of each person, 0 for the oldest: parents above their children, couples side by side.

    Where marriages across generations contradict each other, descent wins over marriage, and marriage over household.
    """
    ids = [member.person_id for member in family.members]
    groups = {person_id: person_id for person_id in ids}

    def root(person_id: str) -> str:
        while groups[person_id] != person_id:
            person_id = groups[person_id]
        return person_id

    for first, second in [(c.first_id, c.second_id) for c in family.couples] + list(family.housemates):
        one, other = root(first), root(second)
        if one == other:
            continue
        before = dict(groups)
        groups[max(one, other)] = min(one, other)
        if _rows(ids, family.parents, root) is None:
            groups.clear()
            groups.update(before)
    rows = _rows(ids, family.parents, root)
    if rows is None:
        # A person who is an own ancestor on paper: everyone in one row is still a picture.
        return dict.fromkeys(ids, 0)
    return rows


def _rows(ids: list[str], parents: Iterable[tuple[str, str, bool]], root: Any) -> dict[str, int] | None:
    """Rows of people whose groups share one; None where a group would stand above itself."""
    below: dict[str, dict[str, int]] = defaultdict(dict)
    for parent, child, _ in parents:
        one, other = root(parent), root(child)
        if one == other:
            return None
        below[one][other] = 1
        below[other].setdefault(one, -1)
        if below[other][one] != -1 or below[one][other] != 1:
            return None
    row: dict[str, int] = {}
    for start in dict.fromkeys(root(person_id) for person_id in ids):
        if start in row:
            continue
        row[start], waiting, component = 0, [start], [start]
        while waiting:
            here = waiting.pop(0)
            for neighbour, step in sorted(below[here].items()):
                if neighbour not in row:
                    row[neighbour] = row[here] + step
                    waiting.append(neighbour)
                    component.append(neighbour)
                elif row[neighbour] != row[here] + step:
                    return None
        top = min(row[group] for group in component)
        for group in component:
            row[group] -= top
    return {person_id: row[root(person_id)] for person_id in ids}


# ---- layout

_WIDTH, _HEIGHT, _SYMBOL = 96.0, 96.0, 34.0
_POINTS = 72.0
_MARGIN = 14.0
_PARENTS_KIND = "parents"
_SWEEPS = 6
"""How often rows are ordered by the rows above and below them."""


_Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class _Placed:
    """Centres of people, and boxes that together are the frame of a household, in pixels."""

    people: Mapping[str, tuple[float, float]]
    frames: tuple[tuple[str, tuple[_Box, ...]], ...]
    width: float
    height: float


def with_unmarried_parents(family: Family) -> Family:
    """The family with a couple for each two parents of one child, also where no record joins them."""
    known = {frozenset((couple.first_id, couple.second_id)) for couple in family.couples}
    added: dict[frozenset[str], Couple] = {}
    for mates in _parents_of(family).values():
        if len(mates) == 2 and frozenset(mates) not in known:
            sexes = {person_id: family.member(person_id).sex for person_id in mates}
            first, second = sorted(mates, key=lambda person_id: (sexes[person_id] != MALE, person_id))
            added.setdefault(frozenset(mates), Couple(first, second, _PARENTS_KIND))
    return replace(family, couples=(*family.couples, *added.values()))


def _parents_of(family: Family) -> dict[str, list[str]]:
    """Parents of each person: of more than two, by birth before by adoption."""
    parents_by_child: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for parent, child_id, is_adopted in family.parents:
        parents_by_child[child_id].append((is_adopted, parent))
    return {child_id: [parent for _, parent in sorted(parents)[:2]] for child_id, parents in parents_by_child.items()}


def row_orders(family: Family, rows: Mapping[str, int]) -> list[list[str]]:
    """Each row from left to right: partners side by side, those of one household together, children below parents."""
    blocks = {row: _blocks(family, [p for p in rows if rows[p] == row]) for row in sorted(set(rows.values()))}
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for parent, child_id, _ in family.parents:
        above[child_id].append(parent)
        below[parent].append(child_id)
    for sweep in range(_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for row in sorted(blocks, reverse=sweep % 2 == 1):
            place = {
                person_id: number / max(1, sum(map(len, (p for block in line for p in block))))
                for line in blocks.values()
                for number, person_id in enumerate(person for block in line for unit in block for person in unit)
            }
            blocks[row] = [_sorted_block(block, neighbours, place) for block in blocks[row]]
            blocks[row].sort(key=lambda block: _middle([p for unit in block for p in unit], neighbours, place))
    return [[person for block in blocks[row] for unit in block for person in unit] for row in sorted(blocks)]


def _middle(people: Iterable[str], neighbours: Mapping[str, list[str]], place: Mapping[str, float]) -> float:
    """Where the relatives of some people stand on the average; where the people stand, if they have none."""
    people = list(people)
    near = [place[other] for person_id in people for other in neighbours.get(person_id, ())]
    near = near or [place[person_id] for person_id in people]
    return sum(near) / len(near)


def _sorted_block(
    block: list[list[str]], neighbours: Mapping[str, list[str]], place: Mapping[str, float]
) -> list[list[str]]:
    turned = []
    for unit in block:
        halves = unit[: len(unit) // 2], unit[(len(unit) + 1) // 2 :]
        left, right = (_middle(half, neighbours, place) if half else 0.0 for half in halves)
        turned.append(unit[::-1] if right < left else unit)
    return sorted(turned, key=lambda unit: _middle(unit, neighbours, place))


def _blocks(family: Family, people: list[str]) -> list[list[list[str]]]:
    """The people of a row as blocks of units: a unit is joined by couples, a block by households."""
    partners: dict[str, list[str]] = defaultdict(list)
    for couple in family.couples:
        if couple.first_id in people and couple.second_id in people:
            partners[couple.first_id].append(couple.second_id)
            partners[couple.second_id].append(couple.first_id)
    order = {member.person_id: number for number, member in enumerate(family.members)}
    homes = {member.person_id: member.household_id for member in family.members}
    units, seen = [], set()
    for person_id in sorted(people, key=lambda p: (-len(partners[p]), order[p])):
        if person_id not in seen:
            unit = _unit(person_id, partners, homes, order)
            seen.update(unit)
            units.append(unit)
    blocks: list[list[list[str]]] = []
    for unit in sorted(units, key=lambda unit: min(order[p] for p in unit)):
        ends = {homes[unit[0]], homes[unit[-1]]} - {None}
        near = next((b for b in blocks if ends & {homes[p] for one in b for p in one if len(one) == 1}), None)
        if near is not None and len(unit) == 1:
            near.append(unit)
        else:
            blocks.append([unit])
    return blocks


def _unit(
    hub: str, partners: Mapping[str, list[str]], homes: Mapping[str, str | None], order: Mapping[str, int]
) -> list[str]:
    """People joined by couples in one line, as many partners as possible side by side.

    From the person with the most partners the longest branches lead outwards, those of one household stand nearest.
    """
    seen = {hub}

    def branch(person_id: str) -> list[str]:
        seen.add(person_id)
        line = [person_id]
        for other in sorted(partners[person_id], key=order.__getitem__):
            if other not in seen:
                line += branch(other)
        return line

    nearest = sorted(partners[hub], key=lambda p: (homes[p] is None or homes[p] != homes[hub], order[p]))
    branches = [branch(person_id) for person_id in nearest if person_id not in seen]
    left: list[str] = []
    right: list[str] = []
    for number, people in enumerate(sorted(branches, key=len) if len(branches) > 2 else branches):
        if number % 2 == 0:
            right += people
        else:
            left += people
    return [*reversed(left), hub, *right]


def _dot(family: Family, rows: Mapping[str, int]) -> str:
    """The family in Graphviz's language. Nodes are numbered: no text of a person is in it."""
    number = {member.person_id: f"p{place}" for place, member in enumerate(family.members)}
    couples = {frozenset((c.first_id, c.second_id)): f"c{place}" for place, c in enumerate(family.couples)}
    orders = row_orders(family, rows)
    beside = {frozenset(pair) for line in orders for pair in itertools.pairwise(line)} & couples.keys()
    lines = [
        "digraph { newrank=true; nodesep=0.14; ranksep=0.62; splines=false;",
        f'node [shape=box, fixedsize=true, label="", width={_WIDTH / _POINTS:.3f}, height={_HEIGHT / _POINTS:.3f}];',
        "edge [arrowhead=none];",
    ]
    lines += [f"{couples[pair]} [width=0.3, height=0.1];" for pair in sorted(beside, key=couples.__getitem__)]
    for line in orders:
        nodes = [number[line[0]]]
        for one, other in itertools.pairwise(line):
            pair = frozenset((one, other))
            nodes += [couples[pair], number[other]] if pair in beside else [number[other]]
        lines.append(f"{{ rank=same; {' -> '.join(nodes)} [weight=2]; }}")
    for child_id, parents in sorted(_parents_of(family).items(), key=lambda entry: number[entry[0]]):
        pair = frozenset(parents)
        starts = [couples[pair]] if pair in beside else [number[parent] for parent in parents]
        lines += [f"{start} -> {number[child_id]} [weight=8];" for start in starts]
    return "\n".join([*lines, "}"])


def _place(family: Family, rows: Mapping[str, int]) -> _Placed:
    """Lay a family out. Raises KodomoError where Graphviz is missing or fails."""
    placed = _run_dot(_dot(family, rows))
    if placed is None:
        raise KodomoError("Graphviz could not lay out the family.")
    _, _, right, top = map(float, placed["bb"].split(","))
    nodes = {entry["name"]: tuple(map(float, entry["pos"].split(","))) for entry in placed["objects"] if "pos" in entry}
    people = {
        member.person_id: (nodes[f"p{place}"][0] + _MARGIN, top - nodes[f"p{place}"][1] + _MARGIN)
        for place, member in enumerate(family.members)
    }
    return _Placed(people, _frames(family, people), right + 2 * _MARGIN, top + 2 * _MARGIN)


def _frames(family: Family, people: Mapping[str, tuple[float, float]]) -> tuple[tuple[str, tuple[_Box, ...]], ...]:
    """Each household of several people, by its name: boxes round those side by side, and what joins the rows."""
    inside: dict[str, list[str]] = defaultdict(list)
    for member in family.members:
        if member.household_id:
            inside[member.household_id].append(member.person_id)
    return tuple((name, _frame_of(inside[home], people)) for home, name in family.households().items())


def _frame_of(home: list[str], people: Mapping[str, tuple[float, float]]) -> tuple[_Box, ...]:
    runs: dict[float, list[_Box]] = {}
    for row in sorted({people[person_id][1] for person_id in home}):
        line = sorted((p for p in people if people[p][1] == row), key=lambda p: people[p][0])
        groups = itertools.groupby(line, key=lambda p: p in home)
        runs[row] = [_box([people[p] for p in group]) for is_home, group in groups if is_home]
    joints = [
        (max(one[0], other[0]), one[3] - 12, min(one[2], other[2]), other[1] + 12)
        for row, below in itertools.pairwise(sorted(runs))
        for one in runs[row]
        for other in runs[below]
        if min(one[2], other[2]) - max(one[0], other[0]) > _SYMBOL and not _crosses(one, other, people)
    ]
    return (*itertools.chain.from_iterable(runs.values()), *joints)


def _crosses(one: _Box, other: _Box, people: Mapping[str, tuple[float, float]]) -> bool:
    """Whether a row of other people lies between two boxes."""
    return any(one[3] < y < other[1] for _, y in people.values())


def _box(centres: list[tuple[float, float]]) -> _Box:
    xs, ys = [x for x, _ in centres], [y for _, y in centres]
    side, rise = _WIDTH / 2 + 3, _HEIGHT / 2
    return min(xs) - side, min(ys) - rise - 3, max(xs) + side, max(ys) + rise


def _run_dot(source: str) -> dict[str, Any] | None:
    """What ``dot`` makes of a graph; None where it fails on it. Raises KodomoError where the program is missing."""
    try:
        result = subprocess.run(
            [require_program("dot"), "-Tjson0"],
            input=source,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return json.loads(result.stdout) if result.returncode == 0 and result.stdout else None
    except (subprocess.TimeoutExpired, ValueError):
        return None


# ---- drawing

_INK, _QUIET, _LINE, _CASE, _CHAIN, _FRAME = "#1f2933", "#4a5563", "#55606e", "#c8102e", "#7a4b00", "#8fb3cf"


def draw(family: Family) -> str:
    """The genogram as SVG, the same for the same family. Raises KodomoError where it cannot be laid out."""
    family = with_unmarried_parents(family)
    placed = _place(family, generations(family))
    parts = [_frame(name.removeprefix("別世帯"), boxes) for name, boxes in placed.frames]
    parts += [_housemates(placed.people[first], placed.people[second]) for first, second in family.housemates]
    arcs = _arcs(family, placed)
    parts += [_descent(family, placed, arcs)]
    parts += [
        _couple_line(
            couple,
            placed.people[couple.first_id],
            placed.people[couple.second_id],
            arcs.get(frozenset((couple.first_id, couple.second_id))),
        )
        for couple in family.couples
    ]
    parts += [_person(member, placed.people[member.person_id]) for member in family.members]
    title, description = f"家族図（{len(family.members)}人）", "、".join(in_words(family)) or "家族の記録はありません"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="genogram-title genogram-desc" '
        f'viewBox="0 0 {placed.width:.0f} {placed.height:.0f}" width="{placed.width:.0f}" '
        f'height="{placed.height:.0f}" font-family={quoteattr(_FONT + ", sans-serif")}>'
        f'<title id="genogram-title">{escape(title)}</title><desc id="genogram-desc">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def in_words(family: Family) -> list[str]:
    """Couples and parents in words: for the description of the picture."""
    names = {member.person_id: f"{member.role} {member.name}" for member in family.members}
    return [f"{names[c.first_id]}と{names[c.second_id]}は{_label(c)}" for c in family.couples] + [
        f"{names[parent]}は{names[child_id]}の{'養' if is_adopted else ''}親"
        for parent, child_id, is_adopted in family.parents
    ]


def _label(couple: Couple) -> str:
    return "婚姻の記録なし" if couple.kind == _PARENTS_KIND else couple.label


def _symbol_y(centre: float) -> float:
    """The middle of the symbol of a person whose box is centred there: the words stand below it."""
    return centre - _HEIGHT / 2 + _SYMBOL / 2 + 4


def _frame(name: str, boxes: tuple[_Box, ...]) -> str:
    """One outline round all boxes: each is drawn with its border, then all are filled over the borders within."""
    outline = "".join(
        f'<rect x="{left + inset:.1f}" y="{top + inset:.1f}" width="{right - left - 2 * inset:.1f}" '
        f'height="{bottom - top - 2 * inset:.1f}" rx="{9 - inset:.0f}" {look}/>'
        for inset, look in ((0.0, f'fill="{_FRAME}"'), (1.0, 'fill="#eef4f9"'))
        for left, top, right, bottom in boxes
    )
    # What joins two rows has no person in it, and needs no name.
    names = "".join(
        f'<text x="{left + 5:.1f}" y="{top + 13:.1f}" font-size="10" fill="{_QUIET}">{escape(name)}</text>'
        for left, top, _, bottom in boxes
        if bottom - top > _HEIGHT
    )
    return outline + names


def _housemates(one: tuple[float, float], other: tuple[float, float]) -> str:
    return (
        f'<line x1="{one[0]:.1f}" y1="{_symbol_y(one[1]):.1f}" x2="{other[0]:.1f}" y2="{_symbol_y(other[1]):.1f}" '
        f'stroke="{_CHAIN}" stroke-width="1.5" stroke-dasharray="1 4" stroke-linecap="round"/>'
    )


def _arcs(family: Family, placed: _Placed) -> dict[frozenset[str], float]:
    """Heights of the lines of couples between whom others stand: above the row, the wider the higher."""
    levels: dict[frozenset[str], float] = {}
    taken: dict[float, list[tuple[float, float, int]]] = defaultdict(list)
    apart = []
    for couple in family.couples:
        (one, y), (other, y_other) = placed.people[couple.first_id], placed.people[couple.second_id]
        left, right = sorted((one, other))
        if abs(y - y_other) < 1 and any(
            left + 1 < x < right - 1 and abs(y_of - y) < 1 for x, y_of in placed.people.values()
        ):
            apart.append((right - left, left, right, y, frozenset((couple.first_id, couple.second_id))))
    for _, left, right, y, pair in sorted(apart, key=lambda entry: (*entry[:4], sorted(entry[4]))):
        over = [level for start, end, level in taken[y] if start < right and left < end]
        level = max(over, default=-1) + 1
        taken[y].append((left, right, level))
        levels[pair] = _symbol_y(y) - _SYMBOL / 2 - 34 - 7 * level
    return levels


def _couple_line(couple: Couple, one: tuple[float, float], other: tuple[float, float], arc: float | None) -> str:
    """From symbol to symbol; over the heads of those who stand between the two."""
    dashes = ' stroke-dasharray="6 4"' if couple.kind in {UNREGISTERED, _PARENTS_KIND} else ""
    (left, y_left), (right, y_right) = sorted([(one[0], _symbol_y(one[1])), (other[0], _symbol_y(other[1]))])
    strokes = 2 if couple.is_over else 1 if couple.lives_apart else 0
    if arc is None:
        path, y = f"M{left:.1f} {y_left:.1f}L{right:.1f} {y_right:.1f}", (y_left + y_right) / 2
    else:
        top, inset = y_left - _SYMBOL / 2, _SYMBOL / 3
        left, right = left + inset, right - inset
        path, y = f"M{left:.1f} {top:.1f}V{arc:.1f}H{right:.1f}V{top:.1f}", arc
    # Beside the middle, from which the line to the children begins.
    x = (left + right) / 2 - 14
    marks = "".join(
        f'<line x1="{x + 5 * number - 4:.1f}" y1="{y + 8:.1f}" x2="{x + 5 * number + 4:.1f}" y2="{y - 8:.1f}" '
        f'stroke="{_INK}" stroke-width="1.6"/>'
        for number in range(strokes)
    )
    return f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="1.6"{dashes}/>{marks}'


def _descent(family: Family, placed: _Placed, arcs: Mapping[frozenset[str], float]) -> str:
    """Lines from parents to children: down from the couple, along, and down to each child."""
    couples = {frozenset((c.first_id, c.second_id)): c for c in family.couples}
    adopted = {(parent, child_id) for parent, child_id, is_adopted in family.parents if is_adopted}
    brood: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for child_id, parents in sorted(_parents_of(family).items()):
        brood[tuple(sorted(parents))].append(child_id)
    # Lines of different couples between the same rows run at different heights.
    lanes: dict[float, int] = defaultdict(int)
    parts = []
    for parents, children in sorted(brood.items(), key=lambda entry: placed.people[entry[0][0]]):
        ends = [placed.people[parent] for parent in parents]
        pair = couples.get(frozenset(parents))
        is_pair = len(parents) == 2 and pair is not None
        x = sum(end[0] for end in ends) / len(ends)
        if frozenset(parents) in arcs:
            # Down between two people, not through one.
            start = arcs[frozenset(parents)]
            x = _between(x, [at[0] for at in placed.people.values() if abs(at[1] - ends[0][1]) < 1])
        elif is_pair and abs(ends[0][1] - ends[1][1]) < 1:
            start = _symbol_y(ends[0][1])
        elif is_pair:
            start = (_symbol_y(ends[0][1]) + _symbol_y(ends[1][1])) / 2
        else:
            start = ends[0][1] + _HEIGHT / 2 - 2
        tops = {child_id: _symbol_y(placed.people[child_id][1]) - _SYMBOL / 2 for child_id in children}
        highest = min(tops.values())
        lane = lanes[highest]
        lanes[highest] += 1
        bus = highest - 10 - 5 * (lane % 4)
        xs = [placed.people[child_id][0] for child_id in children]
        parts.append(f'<path d="M{x:.1f} {start:.1f}V{bus:.1f}" {_stroke()}/>')
        parts.append(f'<path d="M{min([x, *xs]):.1f} {bus:.1f}H{max([x, *xs]):.1f}" {_stroke()}/>')
        for child_id in children:
            is_adopted = all((parent, child_id) in adopted for parent in parents)
            dashes = ' stroke-dasharray="5 3"' if is_adopted else ""
            parts.append(
                f'<path d="M{placed.people[child_id][0]:.1f} {bus:.1f}V{tops[child_id]:.1f}" {_stroke()}{dashes}/>'
            )
    return "".join(parts)


def _between(x: float, others: Iterable[float]) -> float:
    """The place nearest to x that lies between two people of a row."""
    line = sorted(others)
    # Beside the middle: there the line of a couple in between goes down.
    return min(((one + other) / 2 + 12 for one, other in itertools.pairwise(line)), key=lambda gap: (abs(gap - x), gap))


def _stroke() -> str:
    return f'fill="none" stroke="{_LINE}" stroke-width="1.4"'


def _person(member: Member, centre: tuple[float, float]) -> str:
    x, y, half = centre[0], _symbol_y(centre[1]), _SYMBOL / 2
    fill = "#fff"
    edge = f'stroke="{_CASE if member.cases else _INK}" stroke-width="{2.4 if member.is_on_chain else 1.6}"'

    def shape(radius: float, inside: str) -> str:
        if member.is_unborn:
            points = f"{x:.1f},{y - radius:.1f} {x + radius:.1f},{y + radius:.1f} {x - radius:.1f},{y + radius:.1f}"
            return f'<polygon points="{points}" fill="{inside}" {edge}/>'
        if member.sex == MALE:
            return (
                f'<rect x="{x - radius:.1f}" y="{y - radius:.1f}" width="{2 * radius:.1f}" '
                f'height="{2 * radius:.1f}" fill="{inside}" {edge}/>'
            )
        if member.sex == FEMALE:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{inside}" {edge}/>'
        points = f"{x:.1f},{y - radius:.1f} {x + radius:.1f},{y:.1f} {x:.1f},{y + radius:.1f} {x - radius:.1f},{y:.1f}"
        return f'<polygon points="{points}" fill="{inside}" {edge}/>'

    parts = [shape(half, fill)]
    if member.is_child:
        parts.append(shape(half - 5, "#fff3cf"))
    if member.is_deceased:
        parts.append(
            f'<path d="M{x - half:.1f} {y - half:.1f}L{x + half:.1f} {y + half:.1f}'
            f'M{x + half:.1f} {y - half:.1f}L{x - half:.1f} {y + half:.1f}" stroke="{_INK}" stroke-width="1.4"/>'
        )
    if member.cases:
        parts.append(
            f'<circle cx="{x + half:.1f}" cy="{y - half + 2:.1f}" r="8" fill="{_CASE}"/>'
            f'<text x="{x + half:.1f}" y="{y - half + 6:.1f}" font-size="10" font-weight="700" fill="#fff" '
            f'text-anchor="middle">{member.cases}</text>'
        )
    below = y + half
    words = [(member.role, 10.5, _QUIET), (member.name, 12, _INK)]
    if member.year and not member.is_unborn:
        words.append((f"{member.year}年生" + ("・死亡" if member.is_deceased else ""), 10.5, _QUIET))
    for number, (text, size, colour) in enumerate(words):
        parts.append(
            f'<text x="{x:.1f}" y="{below + 14 + 14 * number:.1f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="middle"{_fitted(text, size)}>{escape(text)}</text>'
        )
    return f"<g>{''.join(parts)}</g>"


def _fitted(text: str, size: float) -> str:
    """Squeezes a text that is wider than the box of its person."""
    width = sum(size if ord(letter) > 0x2000 else size * 0.55 for letter in text)
    return f' textLength="{_WIDTH - 4:.0f}" lengthAdjust="spacingAndGlyphs"' if width > _WIDTH - 4 else ""
