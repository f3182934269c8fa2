"""scoring.md written a second time, in plain Python and one person at a time, to compare the engine with."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]


def minus_months(day: dt.date, months: int) -> dt.date:
    """The day that many months earlier, the last of the month where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in range(day.day, 0, -1):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError


def completed_months(start: dt.date, end: dt.date) -> int:
    """Completed months between two days."""
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def value_of(item: Row, observations: list[Row], as_of: dt.date) -> Decimal | None:
    """The value of an observation item for one person, None where it is missing."""
    seen = [row for row in observations if row["code"] == item["observation_code"] and row["on"] <= as_of]
    if item["aggregate"] == "in_force":
        if not seen:
            return None
        return Decimal(int(any(row["ended"] is None or row["ended"] > as_of for row in seen)))
    if item["lookback_months"] is not None:
        seen = [row for row in seen if row["on"] > minus_months(as_of, item["lookback_months"])]
    if not seen:
        return None
    if item["aggregate"] == "any":
        return Decimal(1)
    if item["aggregate"] == "count":
        return Decimal(len(seen))
    if item["aggregate"] == "months_since":
        return Decimal(completed_months(max(row["on"] for row in seen), as_of))
    valued = [row for row in seen if row["value"] is not None]
    if not valued:
        return None
    if item["aggregate"] == "latest":
        return max(valued, key=lambda row: (row["on"], row["line"]))["value"]
    return {"sum": sum, "max": max, "min": min}[item["aggregate"]](row["value"] for row in valued)


def band_of(bands: list[Row], value: Decimal | None) -> int | None:
    """The number of the band that a value meets."""
    for band in bands:
        if value is None:
            if band["when_missing"]:
                return band["band_no"]
        elif not band["when_missing"] or band["lower"] is not None or band["upper"] is not None:
            above = band["lower"] is None or value >= band["lower"]
            below = band["upper"] is None or value < band["upper"]
            if above and below:
                return band["band_no"]
    return None


def applies(item: Row, age: int | None) -> bool:
    """Whether an item applies at an age in months; at an unknown one only without bounds."""
    low, high = item["age_from_months"], item["age_to_months"]
    if age is None:
        return low is None and high is None
    return (low is None or age >= low) and (high is None or age < high)


def concerns(targets: list[Row], age: int | None) -> bool:
    """Whether a type concerns an age: without a range every subject's, else the ages of any of its ranges."""
    return not targets or any(applies(row, age) for row in targets)


def score_person(
    definition: dict[str, list[Row]], observations: list[Row], age: int | None, as_of: dt.date
) -> dict[tuple[str, str], dict[str, Any]]:
    """(version, difficulty type) → score, tier, is_override, completeness and the contributions of one person.

    A type that does not concern the person's age is not there.
    A band without a coefficient contributes 0 like one whose coefficient is 0; contributions of 0 are not listed.

    The person has no family: nothing is observed of a mother or of siblings.
    """
    bands = defaultdict(list)
    for band in definition["risk_bands"]:
        bands[band["item_code"]].append(band)
    coefficients = {
        (row["model_version"], row["difficulty_type"], row["item_code"], row["band_no"]): row["coefficient"]
        for row in definition["risk_coefficients"]
    }
    groups = {row["group_code"]: row for row in definition["risk_groups"]}
    models = {
        (row["model_version"], row["difficulty_type"])
        for table in ("risk_tiers", "risk_coefficients")
        for row in definition[table]
    }
    models = {
        model
        for model in models
        if concerns(
            [row for row in definition["risk_targets"] if (row["model_version"], row["difficulty_type"]) == model], age
        )
    }
    values: dict[str, Decimal | None] = {}
    met: dict[str, int | None] = {}
    for item in definition["risk_items"]:
        if item["kind"] == "observation" and applies(item, age):
            seen = observations if item["scope"] in {"self", "household", "family"} else []
            values[item["item_code"]] = value_of(item, seen, as_of)
            met[item["item_code"]] = band_of(bands[item["item_code"]], values[item["item_code"]])
    results = {}
    for version, difficulty in models:
        bands_met = {code: number for code, number in met.items() if number is not None}
        rows = _resolve(
            [
                {
                    "item": item,
                    "coefficient": coefficients.get((version, difficulty, code, bands_met[code]), Decimal(0)),
                }
                for item in definition["risk_items"]
                if (code := item["item_code"]) in bands_met
            ],
            groups,
        )
        counted = {row["item"]["item_code"] for row in rows if row["counted"] and row["coefficient"] != 0}
        combined = []
        for item in definition["risk_items"]:
            if item["kind"] != "combination" or not applies(item, age):
                continue
            members = {
                row["member_item_code"]
                for row in definition["risk_item_members"]
                if row["item_code"] == item["item_code"]
            }
            number = band_of(bands[item["item_code"]], Decimal(len(members & counted)))
            if number is not None:
                bands_met[item["item_code"]] = number
                key = (version, difficulty, item["item_code"], number)
                combined.append({"item": item, "coefficient": coefficients.get(key, Decimal(0))})
        rows += _resolve(combined, groups)
        total = sum((row["coefficient"] for row in rows if row["counted"]), Decimal(0))
        cuts = {}
        for code, group in groups.items():
            part = sum(
                (row["coefficient"] for row in rows if row["counted"] and row["item"]["group_code"] == code),
                Decimal(0),
            )
            if group["cap"] is not None and part > group["cap"]:
                cuts[code] = group["cap"] - part
        total += sum(cuts.values(), Decimal(0))
        tiers = [
            row
            for row in definition["risk_tiers"]
            if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
        ]
        rank = max(
            (row["tier_rank"] for row in tiers if row["min_score"] is None or total >= row["min_score"]), default=None
        )
        forced = [
            next(tier["tier_rank"] for tier in tiers if tier["tier"] == row["at_least_tier"])
            for row in definition["risk_overrides"]
            if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
            and bands_met.get(row["item_code"]) == row["band_no"]
        ]
        is_override = bool(forced) and (rank is None or max(forced) > rank)
        rank = max(forced) if is_override else rank
        used = {
            row["item_code"]
            for table in ("risk_coefficients", "risk_overrides")
            for row in definition[table]
            if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
        }
        group_of = {item["item_code"]: item["group_code"] for item in definition["risk_items"]}
        lowered = {
            group_of[code]
            for (*model, code, _), coefficient in coefficients.items()
            if tuple(model) == (version, difficulty) and coefficient < 0
        } & {code for code, group in groups.items() if group["combine"] == "max"}
        # who shares a max group with what lowers the score may hold it at 0
        used |= {code for code, group in group_of.items() if group in lowered and bands[code]}
        used &= values.keys()
        share = Decimal(sum(values[code] is not None for code in used)) / len(used) if used else None
        results[version, difficulty] = {
            "score": total,
            "completeness": share if share is None else share.quantize(Decimal("0.0001"), ROUND_HALF_UP),
            "tier": next((row["tier"] for row in tiers if row["tier_rank"] == rank), None),
            "is_override": is_override,
            "contributions": sorted(
                [(row["item"]["item_code"], row["coefficient"], row["counted"]) for row in rows if row["coefficient"]]
                + [(code, cut, True) for code, cut in cuts.items()]
            ),
        }
    return results


def _resolve(rows: list[Row], groups: dict[str, Row]) -> list[Row]:
    best: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (-row["coefficient"], row["item"]["item_code"])):
        code = row["item"]["group_code"]
        largest_only = code is not None and groups[code]["combine"] == "max"
        row["counted"] = not largest_only or best.setdefault(code, row) is row
    return rows


MONTHS_WITHOUT_END = {
    "council_case": None,
    "meeting_support": None,
    "temporary_protection": 12,
    "guidance_measure": 12,
    "guidance_reception": 12,
    "child_consultation": 12,
    "dv_consultation_of_parent": 12,
}
"""Ways in which a service knows a child → for how many months a fact without an end counts, None until it has one."""


def known_by(facts: list[Row], child: str, parents: list[str], as_of: dt.date) -> dict[str, dt.date]:
    """The ways in which a service knows a child on the as-of date → the day of the latest fact."""
    ways: dict[str, dt.date] = {}
    for fact in facts:
        way, began, ended = fact["way"], fact["on"], fact["ended"]
        concerned = parents if way == "dv_consultation_of_parent" else [child]
        if fact["person"] not in concerned or began > as_of:
            continue
        if ended is not None and ended < began:
            ended = None
        months = MONTHS_WITHOUT_END[way]
        is_recent = months is None or began > minus_months(as_of, months)
        if is_recent if ended is None else ended > as_of:
            ways[way] = max(began, ways.get(way, began))
    return ways


def school_year_age(birth: dt.date, as_of: dt.date) -> int:
    """Age in completed months on the first of April of the school year that the date is in; 0 for a later birth."""
    begins = dt.date(as_of.year - (as_of.month < 4), 4, 1)
    return max(0, completed_months(birth, begins))


def obstacle(
    contract: Any, delivered: dt.date | None, rows: list[Row], birth: dt.date | None, age: int | None, as_of: dt.date
) -> str | None:
    """Why a source cannot answer for a child (not_delivered, late, not_on_roster), None where it can.

    ``delivered``: its last delivery; ``rows``: the observations that would say that the child is on its roster.
    """
    roster = contract.roster
    if roster is not None:
        is_school_year = roster.ages_at == "school_year" and birth is not None and age is not None and age >= 0
        years = school_year_age(birth, as_of) if is_school_year else age
        if years is not None:
            if roster.age_from_months is not None and years < roster.age_from_months:
                return None
            if roster.age_to_months is not None and years >= roster.age_to_months:
                return None
    if contract.late_after_days is not None:
        if delivered is None:
            return "not_delivered"
        if as_of >= delivered + dt.timedelta(days=contract.late_after_days):
            return "late"
    if roster is None:
        return None
    for row in rows:
        if row["on"] > as_of:
            continue
        if row["ended"] is not None:
            covers = row["ended"] > as_of
        else:
            covers = roster.lasts_months is None or row["on"] > minus_months(as_of, roster.lasts_months)
        if covers:
            return None
    return "not_on_roster"
