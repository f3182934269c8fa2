"""Figures for Prometheus."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kodomo.home import Home
from kodomo.versions import VERSION
from orchestration.operations import metrics, serving
from orchestration.operations.metrics import FIGURES, registry_of
from tests.unit.watching.homes import put_in_service


def samples(home: Home) -> dict[str, float]:
    families = text_string_to_metric_families(generate_latest(registry_of(home)).decode())
    return {
        sample.name + "".join(f"/{value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_figure_of_a_home_is_there_and_follows_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    empty = samples(home)
    assert empty[f"kodomo_info/{VERSION}"] == 1
    assert empty["kodomo_check_status/batch"] == 2
    assert empty["kodomo_mails_waiting"] == 0
    assert "kodomo_publication_age_seconds" not in empty
    assert "kodomo_backup_age_seconds" not in empty
    put_in_service(home, dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
    later = samples(home)
    assert later["kodomo_check_status/batch"] == 0
    assert later["kodomo_publication_age_seconds"] >= 7200
    assert {name for name, _ in FIGURES.values()} - set(later) == {"kodomo_backup_age_seconds"}


def test_only_this_machine_is_served_and_only_where_a_port_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.tempfile, "gettempdir", lambda: str(tmp_path))
    home = Home(tmp_path / "var").ensure()
    named = serving.services(home, "0.0.0.0", 8088, None, tmp_path, 2, 9188)
    assert [(one.name, one.host, one.port) for one in named] == [
        ("Superset", "0.0.0.0", 8088), ("Metrics", "127.0.0.1", 9188)
    ]  # fmt: skip
    assert metrics.HOST == "127.0.0.1"
    assert [one.name for one in serving.services(home, "0.0.0.0", 8088, None, tmp_path, 2)] == ["Superset"]
