"""A warehouse made by hand in which every value tells whose it is, so that a leak is seen in any answer.

A child is ``P###``; a text of its row is ``<column>:P###``; a number is 900000 + ###. What a user may see is worked out
here from the staff list and the design alone, not from access.yml.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from superset_config.asset_files import read_models

AS_OF = dt.date(2026, 4, 1)
AREAS = ["ryotsu", "aikawa", "sawata", "kanai", "niibo_hatano", "mano", "minami_sado"]
DEPARTMENTS = [
    "citizens",
    "child",
    "health",
    "welfare",
    "elderly",
    "education",
    "guidance_centre",
    "social_council",
]
PLACE = {
    "area_code",
    "area_name",
    "area_order",
    "school_name",
    "household_id",
    "household_label",
    "value_label",
    "evidence",
    "delivery_id",
    "line_number",
    "disagreement_reason",
    "support_content",
    "decided_by",
    "entered_by",
    "origin",
    "validity_label",
    "from_household_id",
    "to_household_id",
    "link_kind",
    "fact_value_label",
    "step_person_id",
    "step_label",
    "step_sex",
    "step_relation_label",
    "step_link",
    "step_link_kind",
    "moved_from",
    "moved_to",
    "handed_to",
    "residence_label",
}
NUMBER_BASE = 900_000
MARKUP = "<i title='\"&'>"
"""The end of each text that is no key: a page that writes it as it stands has an element in italics."""
KEYS = ("_id", "_code", "_type", "_class", "_kind", "_link", "_by", "_sex")
"""Ends of the names of columns that another table or a list of values has too."""
IS_KEY = {
    "holder", "kind", "measure", "sex", "tier", "tier_then", "model_version", "fate", "state", "status", "departments",
}  # fmt: skip
HOLDER_TABLES = {
    "bi_delivery",
    "bi_reject",
    "bi_column_finding",
    "bi_quality_result",
    "bi_source",
    "bi_data_item",
    "bi_steward_question",
    "bi_fact_account",
    "bi_retention_deletion",
    "bi_quality_task",
}
NOBODY_TABLES = {
    "bi_area_summary", "bi_area_trend", "bi_support_effect", "bi_support_funnel", "bi_follow_up_count",
    "bi_model_performance",
    "bi_item_evidence",
    "bi_model_drift",
}  # fmt: skip
# Kept as they are, so that charts and rules work on them.
PLAIN = {"area_code", "departments", "holder", "is_dv_protected", "tier", "tier_label", "chain_type", "link_type"}


@dataclass(frozen=True)
class Child:
    """One child: number, area, the departments that see it, whether it is protected, whose facts it has."""

    number: int
    area: str
    departments: tuple[str, ...]
    is_protected: bool
    holder: str

    @property
    def name(self) -> str:
        """The mark of the child."""
        return f"P{self.number:03d}"


def make_children() -> list[Child]:
    """Every area, every department and both kinds of protection, in all combinations that matter."""
    attributes = []
    for area in AREAS:
        for department in [None, "health", "welfare", "elderly", "education", "guidance_centre", "social_council"]:
            for is_protected in (False, True):
                departments = tuple(sorted({"child", *([department] if department else [])}))
                for holder in {department or "child", "welfare"}:
                    attributes.append((area, departments, is_protected, holder))
    return [Child(number, *values) for number, values in enumerate(sorted(attributes), start=1)]


CHILDREN = make_children()


def write_warehouse(path: Path, children: list[Child] | None = None) -> None:
    """A warehouse with every bi_ table that the project has, a row per child (or per holder)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        _write_people(connection, children or CHILDREN)
        for table, (_, columns) in read_models().items():
            types = {"varchar": "varchar", "integer": "integer", "decimal": "decimal(18,3)", "date": "date"}
            names = [column.name for column in columns.values()]
            definition = ", ".join(
                f"{column.name} {types.get(column.data_type, column.data_type)}" for column in columns.values()
            )
            connection.execute(f"create table marts.{table} ({definition})")
            rows = _rows(table, {c.name: c.data_type for c in columns.values()}, children or CHILDREN)
            frame = pd.DataFrame(rows, columns=names, dtype=object)
            connection.register("frame", frame)
            connection.execute(f"insert into marts.{table} select * from frame")
        write_area_counts(connection)


def write_area_counts(connection: duckdb.DuckDBPyConnection) -> None:
    """The mart that the partner's rounded counts are made from, for the row of the area summary."""
    connection.execute(
        "create table marts.fct_area_count as select difficulty_type, area_code, tier, 1 as tier_rank, "
        "children, 0 as unknown_children from marts.bi_area_summary"
    )


def _write_people(connection: duckdb.DuckDBPyConnection, children: list[Child]) -> None:
    """Each child alone in a household: by these it is decided whose place is withheld."""
    connection.execute("create table marts.dim_person (person_id text, household_id text, is_dv_protected boolean)")
    people = [(child.name, f"household_id:{child.name}", child.is_protected) for child in children]
    connection.executemany("insert into marts.dim_person values (?, ?, ?)", people)
    connection.execute(
        "create table marts.fct_observation (person_id text, observation_code text, observed_on date, ended_on date, "
        "value decimal(18, 3), text_value text, source_id text, delivery_id text, line_number bigint)"
    )
    # The fact behind the item of each child, and of its time line.
    facts = [
        (
            person, f"observation_code:{child.name}", AS_OF, AS_OF, None, None, f"source_id:{child.name}",
            f"delivery_id:{child.name}", NUMBER_BASE + child.number,
        )
        for child in children
        for person in (f"fact_person_id:{child.name}", child.name)
    ]  # fmt: skip
    connection.executemany(f"insert into marts.fct_observation values ({', '.join('?' * 9)})", facts)
    connection.execute("create table marts.dim_household as select household_id, is_dv_protected from marts.dim_person")


def _rows(table: str, columns: dict[str, str], children: list[Child]) -> list[dict]:
    if table in HOLDER_TABLES:
        # A task of a kind that the page knows, which is not done.
        known = {"kind": "held", "done_on": None} if table == "bi_quality_task" else {}
        return [
            {
                **{name: _value(name, kind, f"H:{holder}", 0) for name, kind in columns.items()},
                "holder": holder,
                **known,
            }
            for holder in DEPARTMENTS
        ]
    if table in NOBODY_TABLES:
        row = {name: _value(name, kind, "", 0) for name, kind in columns.items()}
        # A measure that the page of the effect knows.
        return [{**row, "measure": "days_to_support"} if table == "bi_support_effect" else row]
    rows = []
    for child in children:
        row = {name: _value(name, kind, child.name, child.number) for name, kind in columns.items()}
        own = {
            "person_id": child.name,
            "area_code": child.area,
            "departments": f"|{'|'.join(child.departments)}|",
            "is_dv_protected": child.is_protected,
            "holder": child.holder,
            # A list and a criterion that the pages know; nothing came of any child yet.
            "list_kind": "this_year",
            "criterion": "checkup",
            "benefit": "child_allowance",
            "standing": "candidate",
            "result": None,
            "counts_until_on": AS_OF + dt.timedelta(days=365),
            "counts_after_on": AS_OF - dt.timedelta(days=365),
        }
        rows.append({**row, **{name: value for name, value in own.items() if name in columns}})
    return rows


def _value(name: str, kind: str, mark: str, number: int) -> object:
    if kind == "varchar":
        return f"{name}:{mark}{'' if name in IS_KEY or name.endswith(KEYS) else MARKUP}"
    if kind == "date":
        return AS_OF
    if kind == "boolean":
        # Of a child before birth, most of what there is to leak is not shown.
        return name != "is_unborn"
    if kind == "timestamp":
        return dt.datetime(2026, 4, 1)
    return NUMBER_BASE + number if number else 0


@dataclass(frozen=True)
class Seen:
    """What one user may see, from the staff list and the design."""

    username: str
    department: str
    areas: frozenset[str]
    duties: frozenset[str]
    is_dv: bool
    is_all: bool = field(default=False)

    def children(self) -> set[str]:
        """Marks of the children whose rows the user may see, in whatever form."""
        if not self.duties & {"case_worker", "analyst"}:
            return set()
        if "case_worker" not in self.duties and self.department != "child":
            return set()
        return {
            child.name
            for child in CHILDREN
            if self.department in child.departments
            and child.area in self.areas
            and (self.is_dv or self.is_all or not child.is_protected)
        }

    def counted(self) -> set[str]:
        """Marks of the children that are in the user's trends: numbers only, but numbers have labels."""
        if "executive" not in self.duties or self.department == "community_partner":
            return self.children()
        return {
            child.name
            for child in CHILDREN
            if self.department in child.departments
            and child.area in self.areas
            and (self.is_dv or self.is_all or not child.is_protected)
        }

    def numbers(self) -> set[int]:
        """Numbers of children that may stand in an answer."""
        return {NUMBER_BASE + int(name[1:]) for name in self.counted()}

    def holders(self) -> set[str]:
        """Whose deliveries the user may see."""
        if "steward" not in self.duties:
            return set()
        return set(DEPARTMENTS) if self.department == "child" else {self.department}

    def names_children(self) -> bool:
        """Whether the user sees names and ids."""
        return "case_worker" in self.duties


def read_seen(staff: Path) -> dict[str, Seen]:
    """Every user of a staff list."""
    with staff.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seen_by_username = {}
    for row in rows:
        areas = set(AREAS) if row["areas"] == "*" else set(filter(None, row["areas"].split("|")))
        seen_by_username[row["username"]] = Seen(
            row["username"],
            row["department"],
            frozenset(areas),
            frozenset(filter(None, row["duties"].split("|"))),
            row["is_dv_authorised"] == "1",
            areas == set(AREAS),
        )
    return seen_by_username


# A child by name or number, not the same letters within a key or token of random ones.
CHILD = re.compile(r"(?<![\w-])P\d{3}(?![\w-])")
_TOKEN = re.compile(r"(?:(\w+):)?(P\d{3})\b")
_SESSION_KEY = re.compile(r"(?<=/)[\w-]{40,}")
_NUMBER = re.compile(r"(?<![\w.])(900\d{3})(?!\w)")
_HOLDER = re.compile(r"\bH:(\w+)")
NAME_COLUMNS = {"display_name", "kana", "child_label", "birth_on", "person_id"}
# The design: the education board sees no welfare details, the social council no scores, an analyst no names.
CUT = {
    ("education", "case_worker"): {
        "support_contents",
        "tiers_text",
        "household_id",
        "case_opened_on",
        "review_on",
        "reasons",
        "reasons_label",
        "relative_label",
    },
    ("social_council", "case_worker"): {
        "total_score",
        "tiers_text",
        "priority_class",
        "difficulty_label",
        "support_contents",
        "household_id",
    },
    ("child", "analyst"): NAME_COLUMNS
    | {
        "household_id",
        "disagreement_reason",
        "support_content",
        "decided_by",
        "entered_by",
        "decision_id",
        "support_id",
    },
}


# What tells of a single fact; a department sees those of the holders that its duties concern.
FACTS = {"observation_code", "observation_label", "item_code", "item_label", "source_label", "holder_label"}
FACTS_OF = {
    "health": {"health", "child", "citizens"},
    "education": {"education"},
    "welfare": {"welfare", "elderly"},
    "elderly": {"elderly"},
    "social_council": {"social_council"},
}
# Columns of counts of children, which those who see numbers only have too.
COUNTED = {
    "area_name", "difficulty_type", "difficulty_label", "tier", "tier_label",
    "list_kind", "criterion", "criterion_label", "standing", "standing_group", "standing_label", "result",
    "result_label",
}  # fmt: skip


def leaks(text: str, seen: Seen) -> list[str]:
    """What an answer holds that the user may not see: empty when all is well."""
    leaked = []
    children, counted, numbers = seen.children(), seen.counted(), seen.numbers()
    protected = {child.name for child in CHILDREN if child.is_protected} if not seen.is_dv else set()
    holders = {child.name: child.holder for child in CHILDREN}
    cut: set[str] = set()
    for (department, duty), columns in CUT.items():
        if seen.department == department and seen.duties == {duty}:
            cut = columns
    # The key of a session may hold such letters by chance.
    for column, name in _TOKEN.findall(_SESSION_KEY.sub("", text)):
        if name not in holders:
            continue
        if name not in children and not (column in COUNTED and name in counted):
            leaked.append(f"{column}:{name} is out of scope")
        elif column in PLACE and name in protected:
            leaked.append(f"{column}:{name} gives a protected family's place away")
        elif column in cut or (not column and not seen.names_children()):
            leaked.append(f"{column or 'id'}:{name} is a column that this audience does not have")
        elif column in FACTS and holders[name] not in FACTS_OF.get(seen.department, {holders[name]}):
            leaked.append(f"{column}:{name} is a fact of a holder that is not this department's concern")
    leaked += [f"number {n} is out of scope" for n in _NUMBER.findall(text) if int(n) not in numbers]
    leaked += [f"holder {h} is out of scope" for h in _HOLDER.findall(text) if h not in seen.holders()]
    return sorted(set(leaked))


MACHINE = re.compile(r"site-packages|Traceback \(|\.duckdb|\bPID\b|/usr/(?:local/)?lib/|File \\?\"/")


def tells_of_the_machine(text: str, home: Path) -> list[str]:
    """Paths, process ids and stack traces in an answer."""
    leaked = MACHINE.findall(text)
    if str(home) in text:
        leaked.append("the home folder")
    return [str(item) for item in leaked]
