"""Published additive instruments as risk definitions, and the rows that the engine gives for them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """An item of an instrument: bands as (lower, upper, points); a sign that is present has the value 1."""

    code: str
    bands: tuple[tuple[float | None, float | None, float], ...]


@dataclass(frozen=True)
class Instrument:
    """A published table: items with points, and classes as (name, lowest score)."""

    name: str
    source: str
    items: tuple[Item, ...]
    classes: tuple[tuple[str, float | None], ...]


def sign(code: str, points: float = 1) -> Item:
    """An item that counts when it is present."""
    return Item(code, ((1, None, points),))


CHA2DS2_VASC = Instrument(
    name="cha2ds2_vasc",
    source="Lip GYH et al. Chest 2010;137:263-272, table 2",
    items=(
        sign("congestive_heart_failure"),
        sign("hypertension"),
        Item("age", ((65, 75, 1), (75, None, 2))),
        sign("diabetes"),
        sign("stroke", 2),
        sign("vascular_disease"),
        sign("female"),
    ),
    classes=(("low", None), ("intermediate", 1), ("high", 2)),
)

CURB_65 = Instrument(
    name="curb_65",
    source="Lim WS et al. Thorax 2003;58:377-382, figure 2",
    items=(
        sign("confusion"),
        # urea above 7 mmol/l, respiratory rate of 30 or more, age of 65 or more
        Item("urea", ((7.000001, None, 1),)),
        Item("respiratory_rate", ((30, None, 1),)),
        sign("low_blood_pressure"),
        Item("age", ((65, None, 1),)),
    ),
    classes=(("group_1", None), ("group_2", 2), ("group_3", 3)),
)

WELLS_PE = Instrument(
    name="wells_pe",
    source="Wells PS et al. Thromb Haemost 2000;83:416-420, table 2 (low below 2, high above 6)",
    items=(
        sign("signs_of_deep_vein_thrombosis", 3),
        sign("alternative_less_likely", 3),
        # heart rate above 100
        Item("heart_rate", ((100.000001, None, 1.5),)),
        sign("immobilised_or_operated", 1.5),
        sign("earlier_thrombosis", 1.5),
        sign("haemoptysis"),
        sign("malignancy"),
    ),
    classes=(("low", None), ("moderate", 2), ("high", 6.5)),
)

MCISAAC = Instrument(
    name="mcisaac",
    source="McIsaac WJ et al. CMAJ 1998;158:75-83, table 2 (a point is taken off from the age of 45)",
    items=(
        sign("temperature_above_38"),
        sign("no_cough"),
        sign("tender_nodes"),
        sign("tonsillar_swelling"),
        Item("age", ((3, 15, 1), (45, None, -1))),
    ),
    classes=(("no_culture", None), ("culture", 2), ("treat", 4)),
)


def write_definition(instrument: Instrument, folder: Path) -> None:
    """The instrument as the ``risk_*`` files of a definition."""
    model = (instrument.name, "risk")
    tables: dict[str, tuple[str, list[tuple]]] = {
        "risk_items": (
            "item_code,label_ja,category,kind,observation_code,scope,lookback_months,aggregate,age_from_months,"
            "age_to_months,group_code",
            [
                (item.code, item.code, "医療", "observation", item.code, "self", "", "latest", "", "", "")
                for item in instrument.items
            ],
        ),
        "risk_bands": (
            "item_code,band_no,lower,upper,when_missing,label_ja",
            [
                (item.code, number, "" if lower is None else lower, "" if upper is None else upper, "false", "")
                for item in instrument.items
                for number, (lower, upper, _) in enumerate(item.bands, start=1)
            ],
        ),
        "risk_coefficients": (
            "model_version,difficulty_type,item_code,band_no,coefficient",
            [
                (*model, item.code, number, points)
                for item in instrument.items
                for number, (_, _, points) in enumerate(item.bands, start=1)
            ],
        ),
        "risk_model_versions": (
            "model_version,status,approved_by,approved_on,valid_from,valid_to,note_ja",
            [(instrument.name, "draft", "", "", "", "", "")],
        ),
        "risk_tiers": (
            "model_version,difficulty_type,tier,tier_rank,label_ja,min_score",
            [
                (*model, name, rank, name, "" if lowest is None else lowest)
                for rank, (name, lowest) in enumerate(instrument.classes, start=1)
            ],
        ),
    }
    for table, (header, rows) in tables.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header.split(","))
            writer.writerows(rows)
