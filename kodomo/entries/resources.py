"""What an area has for its children (近所・地区): places to be, people who help, contacts, as its staff keep it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from kodomo.entries.forms import forms
from kodomo.entries.meeting import months_later
from kodomo.entries.store import EntryStore, Version
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

FORM = "area_resource"
CHECKED_MONTHS = 12
"""After which an entry that was not checked is a gap."""
FOR_STAFF = ("contact_person", "phone")
"""Fields that only those who keep the register see."""


@dataclass(frozen=True)
class Kind:
    """A kind of what an area has (seed resource_kinds)."""

    code: str
    label_ja: str
    is_place: bool
    is_expected: bool


@dataclass(frozen=True)
class Resource:
    """One entry of the register."""

    version: Version

    @property
    def area_code(self) -> str:
        """The area."""
        return self.version.content["area_code"]

    @property
    def kind(self) -> Kind:
        """What it is."""
        return resource_kinds()[self.version.content["kind"]]

    @property
    def name(self) -> str:
        """Its name."""
        return self.version.content["name"]

    @property
    def ages(self) -> range:
        """The ages in years that it is for; all of childhood where none are given."""
        content = self.version.content
        return range(int(content.get("ages_from", 0)), int(content.get("ages_to", _years()[-1])) + 1)

    @property
    def ages_ja(self) -> str:
        """The ages for people; empty where none are given."""
        content = self.version.content
        if not (content.get("ages_from") or content.get("ages_to")):
            return ""
        return _ages_ja(self.ages[0], self.ages[-1])

    @property
    def checked_on(self) -> dt.date:
        """When staff last made sure of it."""
        return dt.date.fromisoformat(self.version.content["checked_on"])

    def is_unchecked(self, today: dt.date) -> bool:
        """Whether it was not checked for too long."""
        return months_later(self.checked_on, CHECKED_MONTHS) < today

    def shown(self, *, to_staff: bool) -> list[tuple[str, str]]:
        """Labels and values, without area, kind, name and ages; people and telephones only ``to_staff``."""
        left_out = {"area_code", "kind", "name", "ages_from", "ages_to", *(() if to_staff else FOR_STAFF)}
        return [
            (field.label_ja, field.as_written(self.version.content[field.name]))
            for field in forms()[FORM].fields
            if field.name not in left_out and self.version.content.get(field.name)
        ]


@cache
def resource_kinds() -> dict[str, Kind]:
    """The kinds by code, in their order."""
    rows = sorted(read_seed("resource_kinds"), key=lambda row: row["sort_order"])
    return {
        row["kind"]: Kind(row["kind"], row["label_ja"], bool(row["is_place"]), bool(row["is_expected"])) for row in rows
    }


def resources(store: EntryStore, today: dt.date, area_code: str | None = None) -> list[Resource]:
    """What the areas (or one) have today, by kind, then name."""
    order = {code: place for place, code in enumerate(resource_kinds())}
    there = [
        Resource(version)
        for version in store.current(FORM)
        if area_code in (None, version.content["area_code"])
        and (not version.content.get("closed_on") or version.content["closed_on"] > today.isoformat())
    ]
    return sorted(there, key=lambda one: (order[one.kind.code], one.name, one.version.record_id))


def by_kind(given: Iterable[Resource]) -> list[tuple[Kind, list[Resource]]]:
    """Resources in the order of ``resources``, by kind."""
    return [(kind, list(group)) for kind, group in groupby(given, key=lambda one: one.kind)]


def near(child: Mapping[str, Any], store: EntryStore, today: dt.date) -> list[Resource] | None:
    """What the area of a child has for its age, places first where the child has a horizontal chain.

    None where the child's area is not known, or hidden from the reader: then the list would tell it.
    """
    if not child.get("area_code"):
        return None
    # A child before birth is no year old yet.
    age = min(max(int(child.get("age_years") or 0), _years()[0]), _years()[-1])
    there = [one for one in resources(store, today, child["area_code"]) if age in one.ages]
    if child.get("horizontal_chains"):
        there.sort(key=lambda one: not one.kind.is_place)
    return there


def gaps(there: Iterable[Resource], today: dt.date) -> list[tuple[str, list[str]]]:
    """What an area lacks and what was not checked for too long: label and what of it, in Japanese.

    ``there``: all that the area has.
    """
    there = list(there)
    kinds = {one.kind for one in there}
    places = [one for one in there if one.kind.is_place]
    gaps_of_kinds = [
        ("登録がない", [kind.label_ja for kind in resource_kinds().values() if kind.is_expected and kind not in kinds]),
        # Without any place, the kind is missing.
        (
            "居場所がない年齢",
            _stretches([year for year in _years() if places and not any(year in one.ages for one in places)]),
        ),
        (f"確かめてから{CHECKED_MONTHS}か月を超えた", [one.name for one in there if one.is_unchecked(today)]),
    ]
    return [(label, what) for label, what in gaps_of_kinds if what]


def _years() -> range:
    """The years of age of childhood."""
    return range(parameter("childhood_months") // 12)


def _stretches(years: list[int]) -> list[str]:
    """Years as stretches: 0〜2歳, 15歳."""
    groups = groupby(enumerate(years), key=lambda pair: pair[1] - pair[0])
    stretches = [[year for _, year in group] for _, group in groups]
    return [_ages_ja(stretch[0], stretch[-1]) for stretch in stretches]


def _ages_ja(first: int, last: int) -> str:
    return f"{first}歳" if first == last else f"{first}〜{last}歳"
