"""The layers of the models, read from dbt's manifest: no model refers upwards, no circle of folders."""

from __future__ import annotations

from typing import Any

import pytest

from kodomo.dbt_runner import load_manifest

LAYERS = ("sources", "seeds", "staging", "intermediate", "marts", "bi")
FOLDERS = {
    "intermediate": (
        "identity", "family", "linkage", "chains", "observations", "child", "risk", "evaluation", "quality"
    ),
    "marts": ("child", "risk", "support", "evaluation", "quality"),
}  # fmt: skip


def place(node: dict[str, Any]) -> tuple[str, str]:
    """Layer and folder of a node."""
    if node["resource_type"] in {"source", "seed"}:
        return f"{node['resource_type']}s", ""
    parts = node["original_file_path"].split("/")
    layer, folder = parts[1], parts[2] if len(parts) > 3 else ""
    return ("bi", "") if (layer, folder) == ("marts", "bi") else (layer, folder)


@pytest.fixture(scope="module")
def references() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(model, what it reads), for every model of the project."""
    manifest = load_manifest()
    nodes = {**manifest["nodes"], **manifest["sources"]}
    return [
        (node, nodes[parent])
        for node in nodes.values()
        if node["resource_type"] == "model"
        for parent in node["depends_on"]["nodes"]
        if parent in nodes
    ]


def test_no_model_refers_upwards(references: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    upwards = [
        (model["name"], parent["name"])
        for model, parent in references
        if LAYERS.index(place(model)[0]) < LAYERS.index(place(parent)[0])
    ]
    assert not upwards


@pytest.mark.parametrize("layer", FOLDERS)
def test_the_folders_of_a_layer_have_an_order(
    references: list[tuple[dict[str, Any], dict[str, Any]]], layer: str
) -> None:
    order = FOLDERS[layer]
    backwards = {
        (model["name"], parent["name"])
        for model, parent in references
        if place(model)[0] == place(parent)[0] == layer and order.index(place(model)[1]) < order.index(place(parent)[1])
    }
    assert not backwards
