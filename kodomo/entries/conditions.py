"""Conditions that staff build from fields, and the children of their scope that meet all of them.

A condition is offered where the scope has the columns that it reads, and finds by these columns only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from operator import itemgetter
from typing import Any, Protocol

from kodomo.access.scope import all_areas
from kodomo.entries.changes import Changes, read_changes, since_batch
from kodomo.entries.meeting import OPEN_STATES, Filters, Item, agenda, band, months_later
from kodomo.entries.store import EntryStore
from kodomo.entries.visits import LastSeen, last_seen, newest_visits
from kodomo.parameters import labels, parameter
from kodomo.seeds import read_seed

UP = "-up"
"""Ends the code of a tier where that tier and every graver one are meant."""
ITEM_FIELDS = ("item", "second_item")
CONTACT_MONTHS = (3, 6, 12)
UNSEEN_MONTHS = (1, 3, 6, 12)
CHANGES_JA = {"new": "はじめて判定された", "risen": "段階が上がった", "fallen": "段階が下がった"}
UNBORN_YEARS = -1


class People(Protocol):
    """The children of a scope and the rows of its tables, as ``Reach`` has them."""

    def children(self) -> Mapping[str, Mapping[str, Any]]:
        """Every child by id, with the columns of bi_child that the scope has."""
        ...

    def has_columns(self, source: str, *columns: str) -> bool:
        """Whether the scope has a table and its columns."""
        ...

    def rows(
        self, source: str, where: str = "true", values: Iterable[Any] = (), columns: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows of a table."""
        ...


@dataclass(frozen=True)
class Condition:
    """One field to choose from. ``choices``: code → label; ``select``: ids of the children that a choice finds."""

    name: str
    label_ja: str
    group_ja: str
    choices: Mapping[str, str]
    select: Callable[[str], set[str]] = field(compare=False)
    rare: Mapping[str, str] = field(default_factory=dict)
    """Choices that no child meets at present, code → label: a condition that was saved may name one."""

    def label_of(self, code: str) -> str | None:
        """The label of a choice; None for one that cannot be judged."""
        return self.choices.get(code) or self.rare.get(code)


@dataclass(frozen=True)
class Selection:
    """Children that meet all conditions, most urgent first, and the names of conditions that cannot be judged here.

    Where a condition is unknown, such as an item of an earlier version, no child meets it.
    """

    children: list[Mapping[str, Any]]
    unknown: list[str]


class Conditions:
    """The conditions that a scope may use, on one day."""

    def __init__(self, people: People, store: EntryStore, today: dt.date) -> None:
        self.people, self.store, self.today = people, store, today
        self._selections: dict[tuple[str, str], set[str]] = {}

    @cached_property
    def offered(self) -> dict[str, Condition]:
        """Every condition with more than nothing to choose, by name, in the order of the page."""
        every = [
            *self._own_columns(),
            *self._tiers_by_type(),
            *self._items(),
            *self._decisions(),
            *self._due(),
            *self._contact(),
            *self._last_seen(),
            *self._changes(),
            *self._changed_facts(),
        ]
        return {condition.name: condition for condition in every if condition.choices}

    def find(self, chosen: Mapping[str, str]) -> Selection:
        """The children that meet ``chosen``, field → code; empty codes count as not chosen."""
        children = self.people.children()
        return Selection(
            by_priority(children[person_id] for person_id in self.ids(chosen)),
            [name for name, code in chosen.items() if code and not self._is_known(name, code)],
        )

    def ids(self, chosen: Mapping[str, str]) -> set[str]:
        """Ids of the children that meet ``chosen``; none where one of the conditions is unknown."""
        person_ids = set(self.people.children())
        for name, code in chosen.items():
            if code:
                person_ids = person_ids & self._selected(name, code)
        return person_ids

    def offers(self, chosen: Mapping[str, str]) -> bool:
        """Whether each of these conditions can be judged here."""
        return all(self._is_known(name, code) for name, code in chosen.items() if code)

    def _is_known(self, name: str, code: str) -> bool:
        return name in self.offered and self.offered[name].label_of(code) is not None

    def _selected(self, name: str, code: str) -> set[str]:
        if (name, code) not in self._selections:
            known = self._is_known(name, code)
            self._selections[name, code] = self.offered[name].select(code) if known else set()
        return self._selections[name, code]

    def _select(self, judge: Callable[[Mapping[str, Any], str], bool]) -> Callable[[str], set[str]]:
        """A choice judged by a child's own row."""

        def select(code: str) -> set[str]:
            return {person_id for person_id, child in self.people.children().items() if judge(child, code)}

        return select

    def _has(self, *columns: str) -> bool:
        return self.people.has_columns("bi_child", *columns)

    def _own_columns(self) -> Iterable[Condition]:
        """Conditions on the columns of the child's own row."""
        children = self.people.children().values()
        if self._has("tier", "tier_label", "tier_rank"):
            # Those of the city, and what else children have, such as 未判定.
            tiers = {code: (tier_ranks().get(code, 0), label) for code, label in labels("tier").items()}
            tiers |= {child["tier"]: (child["tier_rank"], child["tier_label"]) for child in children}
            yield Condition(
                "tier", "リスク段階（最も重いもの）", "リスク", _tier_choices(tiers),
                lambda code: _of_tier(((row["person_id"], row["tier"]) for row in children), code, tiers),
            )  # fmt: skip
        if self._has("priority_class"):
            classes = sorted({child["priority_class"] for child in children})
            yield Condition(
                "priority", "優先度", "リスク", {code: code for code in classes},
                self._select(lambda child, code: child["priority_class"] == code),
            )  # fmt: skip
        if self._has("vertical_chains", "horizontal_chains"):
            yield Condition("chain", "連鎖", "リスク", CHAINS_JA, self._select(_has_chain))
        if self._has("is_known_to_services"):
            yield Condition(
                "known", "支援機関の把握", "支援", {"unknown": "未把握", "known": "把握"},
                self._select(lambda child, code: bool(child["is_known_to_services"]) == (code == "known")),
            )  # fmt: skip
        if self._has("case_opened_on"):
            yield Condition(
                "council", "要対協", "支援", {"no": "未登録", "yes": "登録あり"},
                self._select(lambda child, code: (child["case_opened_on"] is not None) == (code == "yes")),
            )  # fmt: skip
        if self._has("area_code", "area_name"):
            names = {child["area_code"]: child["area_name"] for child in children if child["area_code"]}
            order = {code: place for place, code in enumerate(all_areas())}
            yield Condition(
                "area", "地区", "子ども",
                {code: names[code] for code in sorted(names, key=lambda code: (order.get(code, len(order)), code))},
                self._select(lambda child, code: child["area_code"] == code),
            )  # fmt: skip
        if self._has("school_name"):
            schools = sorted({child["school_name"] for child in children if child["school_name"]})
            yield Condition(
                "school", "学校・保育所", "子ども", {school: school for school in schools},
                self._select(lambda child, code: child["school_name"] == code),
            )  # fmt: skip
        if self._has("age_years"):
            ages = _age_choices()
            yield Condition(
                "age_from", "年齢（から）", "子ども", ages, self._select(lambda c, code: c["age_years"] >= int(code))
            )
            yield Condition(
                "age_to", "年齢（まで）", "子ども", ages, self._select(lambda c, code: c["age_years"] <= int(code))
            )

    def _tiers_by_type(self) -> Iterable[Condition]:
        """The tier in each type of difficulty, of active versions and of trials, whatever the gravest type is."""
        if not self.people.has_columns("bi_child_tier", "is_active_version", "difficulty_type", "tier"):
            return
        for is_trial, difficulty, label, tiers in scored_types():
            yield Condition(
                f"{'trial' if is_trial else 'risk'}_{difficulty}",
                f"{label}（試行）" if is_trial else label,
                "困難の種類ごとの段階",
                _tier_choices(tiers),
                self._of_type(difficulty, is_trial, tiers),
            )

    def _of_type(self, difficulty: str, is_trial: bool, tiers: dict[str, tuple[int, str]]) -> Callable[[str], set[str]]:
        def select(code: str) -> set[str]:
            rows = self.people.rows(
                "bi_child_tier", "difficulty_type = ? and is_active_version = ?", [difficulty, not is_trial],
                ("person_id", "tier"),
            )  # fmt: skip
            return _of_tier(((row["person_id"], row["tier"]) for row in rows), code, tiers)

        return select

    def _items(self) -> Iterable[Condition]:
        """Items that add to a score or take from it."""
        if not self.people.has_columns("bi_contribution", "item_code", "item_label", "category"):
            return
        rows = self.people.rows("bi_contribution", columns=("category", "item_label", "item_code"))
        rows.sort(key=lambda row: (row["category"], row["item_label"], row["item_code"]))
        choices = {row["item_code"]: f"{row['category']}：{row['item_label']}" for row in rows}
        for name, label in zip(ITEM_FIELDS, ("当てはまる項目", "当てはまる項目（2つ目）"), strict=True):
            yield Condition(name, label, "リスク", choices, self._with_item, _item_labels())

    def _with_item(self, item_code: str) -> set[str]:
        rows = self.people.rows("bi_contribution", "item_code = ?", [item_code], ("person_id",))
        return {row["person_id"] for row in rows}

    @cached_property
    def meeting_items(self) -> list[Item]:
        """The list of the meeting today, decided children included; empty for those who do not see decisions."""
        if not self.sees_decisions:
            return []
        return agenda(self.people.children().values(), self.store, self.today, Filters(state="all"), self.changes)

    @property
    def sees_decisions(self) -> bool:
        """Whether the scope sees what the meeting decided."""
        return self.people.has_columns("bi_decision", "decision")

    def _decisions(self) -> Iterable[Condition]:
        if not self.sees_decisions:
            return
        decided = {f"last_{code}": f"前回の決定が「{label}」" for code, label in labels("decision").items()}
        choices = {
            "none": "未実施",
            "any": "決定あり",
            **decided,
            "review": "見直しの日が来た",
            "risen": "決定のあと段階が上がった",
            "changed": "決定のあと変化があり、一覧に戻った",
            "fallen": "決定のあと下がり、一覧に戻った",
            "open": "検討が要る（優先度A〜Cで未決定、見直し、段階の上昇、変化）",
        }
        yield Condition("meeting", "会議", "支援", choices, self._of_meeting)

    def _of_meeting(self, code: str) -> set[str]:
        with_decision = {item.person_id for item in self.meeting_items if item.decisions}
        if code == "none":
            return set(self.people.children()) - with_decision
        if code == "any":
            return with_decision
        if code == "open":
            return {item.person_id for item in self.meeting_items if item.state in OPEN_STATES}
        if code.startswith("last_"):
            return {
                item.person_id
                for item in self.meeting_items
                if item.last_decision and item.last_decision.content["decision"] == code.removeprefix("last_")
            }
        return {item.person_id for item in self.meeting_items if item.state == code}

    def _due(self) -> Iterable[Condition]:
        """How near the due date of a child is that the meeting has still to look at."""
        if self.sees_decisions and self._has("due_on", "priority_class"):
            choices = {"past": "過ぎている", "week": "7日以内", "month": "8〜30日以内"}
            yield Condition("due", "検討期限（検討が要る子ども）", "支援", choices, self._of_due)

    def _of_due(self, code: str) -> set[str]:
        open_items = (item for item in self.meeting_items if item.state in OPEN_STATES)
        return {item.person_id for item in open_items if band(item, self.today) == code}

    def _contact(self) -> Iterable[Condition]:
        if self.people.has_columns("bi_observation", "observation_code", "observed_on"):
            choices = {str(months): f"{months}か月以上ない" for months in CONTACT_MONTHS}
            yield Condition("contact", "会った・話した記録", "支援", choices, self._without_contact)

    def _without_contact(self, code: str) -> set[str]:
        """Children without a contact on record in so many months before the as-of date."""
        children = self.people.children()
        as_of = max((child["as_of_on"] for child in children.values()), default=self.today)
        rows = self.people.rows(
            "bi_observation",
            f"observation_code in ({', '.join('?' * len(contact_codes()))}) "
            "and coalesce(ended_on, observed_on) > ?::date - to_months(?)",
            [*contact_codes(), as_of, int(code)],
            ("person_id",),
        )
        return set(children) - {row["person_id"] for row in rows}

    @cached_property
    def last_seen(self) -> dict[str, LastSeen]:
        """When each child that is born was last seen, visits since the batch included; empty without the columns."""
        if not self._has("last_seen_on", "is_sighting_overdue", "sighting_limit_days"):
            return {}
        visits = newest_visits(self.store)
        seen = {p: last_seen(child, visits.get(p)) for p, child in self.people.children().items()}
        return {person_id: last for person_id, last in seen.items() if last is not None}

    def _last_seen(self) -> Iterable[Condition]:
        if self.last_seen:
            choices = {
                "overdue": "確認期限を過ぎている",
                "never": "記録がない",
                **{str(months): f"{months}か月以上前" for months in UNSEEN_MONTHS},
            }
            yield Condition("seen", "最終確認", "支援", choices, self._unseen)

    def _unseen(self, code: str) -> set[str]:
        """Children past their limit, never seen, or not seen in so many months before the as-of date."""
        if code == "overdue":
            return {person_id for person_id, last in self.last_seen.items() if last.is_overdue}
        never = {person_id for person_id, last in self.last_seen.items() if last.on is None}
        if code == "never":
            return never
        as_of = next(child["as_of_on"] for child in self.people.children().values())
        until = months_later(as_of, -int(code))
        return never | {p for p, last in self.last_seen.items() if last.on is not None and last.on <= until}

    def _changes(self) -> Iterable[Condition]:
        if self.previous_on is not None and self._has("tier_rank"):
            yield Condition("change", "前回の判定から", "リスク", CHANGES_JA, lambda code: self._changed[code])

    @property
    def _has_changes(self) -> bool:
        return self.people.has_columns("bi_change", "change_kind", "is_since_batch")

    @cached_property
    def changes(self) -> Changes:
        """What moved each child since the last batch and since the last decision; empty without the table."""
        if not self._has_changes:
            return {}
        return read_changes(self.people.rows("bi_change"), self.people.children())

    def _changed_facts(self) -> Iterable[Condition]:
        if self.changes or (self.previous_on is not None and self._has_changes):
            choices = {"any": "何か変化があった", **change_kinds()}
            if self.sees_decisions:
                choices["decision"] = "前回の決定のあとに変化があった"
            yield Condition("moved", "変化の内容（前回の判定から）", "リスク", choices, self._moved)

    def _moved(self, code: str) -> set[str]:
        """Children with a change of a kind since the last batch, or with any since the last decision."""
        return {person_id for person_id, changes in self.moved(code).items() if changes}

    def moved(self, code: str) -> Changes:
        """The changes that a choice of the condition is about, by child: those of a kind, or since the decision."""
        if code == "decision":
            return {item.person_id: item.changes for item in self.meeting_items}
        return {
            person_id: [change for change in since_batch(changes) if code in ("any", change.kind)]
            for person_id, changes in self.changes.items()
        }

    @cached_property
    def previous_on(self) -> dt.date | None:
        """The as-of date before the present one; None before the second batch, and without a history in the scope."""
        if not self.people.has_columns("bi_score_history", "scored_on", "tier"):
            return None
        rows = self.people.rows("bi_score_history", "scored_on < as_of_on", columns=("scored_on",))
        return max((row["scored_on"] for row in rows), default=None)

    @cached_property
    def _changed(self) -> dict[str, set[str]]:
        rows = self.people.rows(
            "bi_score_history", "scored_on = ?", [self.previous_on], ("person_id", "difficulty_type", "tier")
        )
        before: dict[str, int] = {}
        for row in rows:
            person_id = row["person_id"]
            before[person_id] = max(before.get(person_id, 0), tier_ranks().get(row["tier"], 0))
        scored = {p: child["tier_rank"] for p, child in self.people.children().items() if child["tier_rank"]}
        return {
            "new": set(scored) - set(before),
            "risen": {p for p, rank in scored.items() if rank > before.get(p, rank)},
            "fallen": {p for p, rank in scored.items() if rank < before.get(p, rank)},
        }


@cache
def scored_types() -> list[tuple[bool, str, str, dict[str, tuple[int, str]]]]:
    """Types of difficulty with a version in use, active ones first: whether it is a trial, type, label, tiers.

    Tiers are code → rank and label.
    """
    statuses = {row["model_version"]: row["status"] for row in read_seed("risk_model_versions")}
    tiers: dict[tuple[bool, str], dict[str, tuple[int, str]]] = {}
    for row in read_seed("risk_tiers"):
        if (status := statuses.get(row["model_version"])) in {"active", "trial"}:
            kind = (status == "trial", row["difficulty_type"])
            tiers.setdefault(kind, {})[row["tier"]] = (row["tier_rank"], row["label_ja"])
    types = sorted(read_seed("difficulty_types"), key=lambda row: row["sort_order"])
    return [
        (is_trial, row["difficulty_type"], row["label_ja"], tiers[is_trial, row["difficulty_type"]])
        for is_trial in (False, True)
        for row in types
        if (is_trial, row["difficulty_type"]) in tiers
    ]


@cache
def change_kinds() -> dict[str, str]:
    """Kinds of change, code → label, what matters most first (seed)."""
    kinds = sorted(read_seed("change_kinds"), key=itemgetter("sort_order"))
    return {row["change_kind"]: row["label_ja"] for row in kinds}


@cache
def _item_labels() -> dict[str, str]:
    return {row["item_code"]: row["label_ja"] for row in read_seed("risk_items")}


CHAINS_JA = {
    "any": "縦か横にある",
    "vertical": "縦にある",
    "horizontal": "横にある",
    "both": "両方にある",
    "none": "ない",
}


def _has_chain(child: Mapping[str, Any], code: str) -> bool:
    vertical, horizontal = bool(child["vertical_chains"]), bool(child["horizontal_chains"])
    return {
        "any": vertical or horizontal,
        "vertical": vertical,
        "horizontal": horizontal,
        "both": vertical and horizontal,
        "none": not (vertical or horizontal),
    }[code]


def _tier_choices(tiers: Mapping[str, tuple[int, str]]) -> dict[str, str]:
    """Each tier, gravest first, and "this or graver" for those with one above them and one below."""
    ordered = sorted(tiers.items(), key=lambda tier: (-tier[1][0], tier[0]))
    choices = {}
    for place, (code, (_, label)) in enumerate(ordered):
        choices[code] = label
        if 0 < place < len(ordered) - 1:
            choices[code + UP] = f"{label}以上"
    return choices


def _of_tier(rows: Iterable[tuple[str, str]], code: str, tiers: Mapping[str, tuple[int, str]]) -> set[str]:
    """Ids of people whose tier is that of a choice of ``_tier_choices``."""
    wanted = {code}
    if code.endswith(UP):
        lowest = tiers[code.removesuffix(UP)][0]
        wanted = {tier for tier, (rank, _) in tiers.items() if rank >= lowest}
    return {person_id for person_id, tier in rows if tier in wanted}


@cache
def tier_ranks() -> dict[str, int]:
    """Tier → rank, the highest where versions differ, as in bi_child."""
    ranks: dict[str, int] = {}
    for row in read_seed("risk_tiers"):
        ranks[row["tier"]] = max(ranks.get(row["tier"], 0), row["tier_rank"])
    return ranks


@cache
def contact_codes() -> tuple[str, ...]:
    """Codes of observations for which a service met the child or spoke with its family (seed)."""
    return tuple(row["observation_code"] for row in read_seed("contact_observations"))


@cache
def _age_choices() -> dict[str, str]:
    oldest = parameter("childhood_months") // 12
    return {str(UNBORN_YEARS): "出生前", **{str(years): f"{years}歳" for years in range(oldest)}}


def by_priority(children: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Children by rank; those without one by kana, then id."""
    last = 10**9
    return sorted(
        children, key=lambda child: (child.get("priority_rank") or last, child.get("kana") or "", child["person_id"])
    )
