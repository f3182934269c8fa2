"""納品仕様書: every delivered source as a workbook and as ODCS, both saying what the contract says."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import openpyxl
import pytest
import yaml
from typer.testing import CliRunner

from kodomo.contract import load_code_lists, load_contracts
from kodomo.errors import UsageError
from kodomo.specification import (
    data_contract_yaml,
    delivered_contract,
    delivered_contracts,
    workbook,
)
from orchestration.cli import build_app

SCHEMA = json.loads(Path(__file__).with_name("odcs-3.1.0.schema.json").read_text(encoding="utf-8"))
"""Of https://github.com/bitol-io/open-data-contract-standard (Apache-2.0), as datacontract-cli 1.2.8 has it."""
CONTRACTS = {contract.source_id: contract for contract in delivered_contracts()}


def test_entries_have_no_specification() -> None:
    assert set(CONTRACTS) == {name for name, one in load_contracts().items() if one.delivery != "entry"}
    with pytest.raises(UsageError):
        delivered_contract("recorded_visits")
    assert {contract.holder for contract in delivered_contracts(("health",))} == {"health"}


def test_every_odcs_document_fulfils_the_standard() -> None:
    validator = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    for contract in CONTRACTS.values():
        document = yaml.safe_load(data_contract_yaml(contract))
        assert [error.message for error in validator.iter_errors(document)] == [], contract.source_id


def test_odcs_document_has_the_columns_of_the_contract() -> None:
    contract = CONTRACTS["nursery_attendance"]
    (table,) = yaml.safe_load(data_contract_yaml(contract))["schema"]
    properties = {entry["physicalName"]: entry for entry in table["properties"]}
    assert list(properties) == [column.heading for column in contract.columns]
    assert properties["児童_宛名番号"]["primaryKeyPosition"] == 1
    assert properties["年月"]["primaryKeyPosition"] == 2
    absent = properties["欠席日数"]
    assert (absent["logicalType"], absent["required"], absent["logicalTypeOptions"]) == (
        "integer",
        True,
        {"minimum": 0, "maximum": 31},
    )


def test_every_workbook_lists_the_columns_and_codes_of_the_contract() -> None:
    for contract in CONTRACTS.values():
        book = openpyxl.load_workbook(io.BytesIO(workbook(contract)), read_only=True)
        _, *items = book["項目"].values
        assert [row[1] for row in items] == [column.heading for column in contract.columns], contract.source_id
        codes = {
            (column.heading, code, label)
            for column in contract.columns
            if column.code_list
            for code, label in load_code_lists()[column.code_list].items()
        }
        shown = set(list(book["区分"].values)[1:]) if codes else set()
        assert shown == codes, contract.source_id
        assert ("ほかの書式" in book.sheetnames) == (len(contract.layouts) > 1)


def test_command_writes_the_forms(tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    command = ["source", "specification", "nursery_attendance", "--form", "odcs", "--output", str(file)]
    assert CliRunner().invoke(build_app(), command).exit_code == 0
    assert file.read_text(encoding="utf-8") == data_contract_yaml(CONTRACTS["nursery_attendance"])
