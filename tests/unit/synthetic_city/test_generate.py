"""Making a city: the same seed gives the same bytes, damage is where the truth says, errors say what to do."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from synthetic_city.city import SynthError, generate
from synthetic_city.parameters import Parameters
from synthetic_city.writing import UNDECODABLE

pytestmark = pytest.mark.slow

AS_OF = dt.date(2024, 10, 1)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """A city of 600 with many damaged rows, as of another date."""
    out = tmp_path_factory.mktemp("damaged") / "city"
    summary = generate(out, Parameters(residents=600, seed=3, as_of=AS_OF, dirty_rate=0.02))
    return out, summary


def test_the_same_seed_gives_the_same_bytes(damaged, tmp_path):
    out, _ = damaged
    again = tmp_path / "again"
    generate(again, Parameters(residents=600, seed=3, as_of=AS_OF, dirty_rate=0.02))
    first, second = contents(out), contents(again)
    assert first.keys() == second.keys()
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_another_seed_gives_another_city(damaged, tmp_path):
    other = tmp_path / "other"
    generate(other, Parameters(residents=600, seed=4, as_of=AS_OF))
    register = "landing/resident_register/resident_register_20241001.csv"
    assert (other / register).read_bytes() != (damaged[0] / register).read_bytes()


def test_damage_is_where_the_truth_says(damaged):
    out, summary = damaged
    rows = [line.split(",") for line in (out / "truth" / "dirty_rows.csv").read_text("utf-8").splitlines()[1:]]
    assert len(rows) == summary["dirty_rows"] > 50
    kinds = set()
    for source, file, line, _, damage, expected in rows:
        content = (out / "landing" / source / file).read_bytes()
        if content.startswith(b"\xff\xfe"):
            continue
        text = content.split(b"\n")[int(line) - 1]
        kinds.add(damage)
        assert (UNDECODABLE in text) == (damage == "undecodable")
        assert (b"E+1" in text) == (damage == "damaged_id")
        assert expected == ("value_emptied" if damage == "impossible_date_not_required" else "rejected")
    assert kinds == {
        "missing_required",
        "impossible_date",
        "damaged_id",
        "undecodable",
        "impossible_date_not_required",
    }


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "something").write_text("kept")
    with pytest.raises(SynthError, match="is not empty"):
        generate(tmp_path, Parameters(residents=600))
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_too_few_residents_are_refused(tmp_path):
    with pytest.raises(SynthError, match="at least 500"):
        generate(tmp_path / "tiny", Parameters(residents=100))


def test_the_command_reports_for_machines_and_refuses_bad_dates(tmp_path):
    from kodomo.errors import UsageError
    from orchestration.cli import build_app

    runner = CliRunner()
    done = runner.invoke(
        build_app(),
        ["synth", str(tmp_path / "a"), "--residents", "500", "--seed", "1", "--json"],
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    assert json.loads(done.stdout)["residents"] == 500
    wrong = runner.invoke(build_app(), ["synth", str(tmp_path / "b"), "--as-of", "2026-13-01"])
    assert wrong.exit_code == 2
    assert "2026-13-01" in wrong.output
    twice = runner.invoke(build_app(), ["synth", str(tmp_path / "a"), "--residents", "500", "--json"])
    assert isinstance(twice.exception, UsageError)
