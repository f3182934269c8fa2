"""Seeds are read with the types that dbt gives them."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from kodomo.errors import KodomoError
from kodomo.seeds import SEEDS, accepted_values, column_types, read_seed

HEADER = "compared,grouped_by,from_age,to_age,share,share_per_year,fewest_people,significance\n"


def test_every_seed_has_types_and_can_be_read() -> None:
    files = {path.stem for path in SEEDS.glob("*.csv")}
    assert set(column_types()) == files
    for name in files:
        with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert list(column_types()[name]) == header, name
        assert len(read_seed(name)) == len(rows), name


def test_values_have_their_types_and_empty_is_none(tmp_path: Path) -> None:
    (tmp_path / "loss_limits.csv").write_text(HEADER + "register,area,,,0.06,0.12,20,0.00001\n", encoding="utf-8")
    (row,) = read_seed("loss_limits", tmp_path)
    assert (row["from_age"], row["share"], row["fewest_people"]) == (None, Decimal("0.06"), 20)


@pytest.mark.parametrize("wrong", ["２０", "1_000", "0.5", "many"])
def test_value_of_another_type_names_its_place(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "loss_limits.csv").write_text(HEADER + f"register,area,,,0.06,0.12,{wrong},0.1\n", encoding="utf-8")
    with pytest.raises(KodomoError, match=r"loss_limits\.csv:2: fewest_people"):
        read_seed("loss_limits", tmp_path)


def test_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text("area_code\nx\n", encoding="utf-8")
    with pytest.raises(KodomoError, match=r"areas\.csv:1: .*area_name_ja"):
        read_seed("areas", tmp_path)


def test_allowed_values_of_a_definition_are_those_of_the_tests() -> None:
    assert accepted_values("risk_items", "kind") == ("observation", "combination", "chain")
    with pytest.raises(KeyError):
        accepted_values("risk_items", "item_code")
