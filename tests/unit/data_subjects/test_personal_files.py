"""個人情報ファイル簿 and the draft of the assessment: every fact is the contracts', the forms' or access.yml's."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import typer
from click.testing import CliRunner

from kodomo.access.access import read_access
from kodomo.contract import load_contracts
from kodomo.data_subjects.personal_files import TO_FILL_IN, PersonalFile, assessment, personal_files
from kodomo.entries.forms import forms
from orchestration import cli
from superset_config.pages.documents import assessment_draft, file_register

ON = dt.date(2026, 4, 1)
FILES = {file.name: file for file in personal_files()}


def test_every_source_and_every_form_about_a_child_is_a_file() -> None:
    contracts = load_contracts()
    about_children = [form for form in forms().values() if not form.source and form.person_kind]
    assert {contract.title for contract in contracts.values()} <= set(FILES)
    assert {f"{form.label_ja}（入力画面から）" for form in about_children} <= set(FILES)
    assert len(FILES) == len(personal_files()) == len(contracts) + len(about_children) + 1


def test_items_are_those_that_the_register_approves() -> None:
    for contract in load_contracts().values():
        file = FILES[contract.title]
        approved = [column for column in contract.columns if column.register["status"] == "承認"]
        assert file.items == tuple(column.heading for column in approved)
        assert file.sensitive == tuple(column.heading for column in approved if column.sensitive)
        assert len(file.waiting) == len(contract.columns) - len(approved)
    assert FILES["児童扶養手当"].waiting == ("支給区分（保留）",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # All that keep a list of children by name see names of the register; only one sees its facts.
        ("住民基本台帳（現存者と除票）", ("教育委員会", "児童相談所", "社会福祉協議会")),
        ("妊娠届", ("児童相談所",)),
        ("学校健診", ("児童相談所",)),
        ("児童相談所の通告・一時保護・措置", ()),
        ("アセスメント（入力画面から）", ("児童相談所",)),
        # The list of the council of social welfare has no tiers.
        ("判定の結果（点数・段階・根拠・優先度・支援内容の案）", ("教育委員会", "児童相談所")),
        ("会議の決定（入力画面から）", None),
    ],
)
def test_recipients_are_other_organs_that_access_lets_see_it(name: str, expected: tuple[str, ...] | None) -> None:
    assert FILES[name].recipients == expected


def test_people_and_collection_are_said_in_words() -> None:
    enrolment = FILES["学齢簿・在籍"]
    assert enrolment.people == "学齢簿に載る人、6歳以上15歳未満（4月1日の年齢）"
    assert enrolment.collection == "教育委員会から（全件、毎月）"
    assert enrolment.is_provided
    assert FILES["出欠（月次）"].collection == "教育委員会から（差分、毎月）、教育委員会が入力画面から"
    assert FILES["妊娠届"].retention_months == (240,)


def test_a_department_has_its_own_files() -> None:
    assert {file.holder for file in personal_files(["health"])} == {"health"}
    assert personal_files([]) == ()


def test_the_assessment_has_every_audience_promise_and_limit() -> None:
    facts, text = assessment(), assessment_draft(ON)
    assert [reader.label for reader in facts.readers] == [one.label_ja for one in read_access().audiences.values()]
    assert {reader.label for reader in facts.readers if reader.is_outside} == {
        "児童相談所", "教育委員会", "社会福祉協議会", "地域協力者",
    }  # fmt: skip
    assert [reader.label for reader in facts.readers if reader.is_rounded] == ["地域協力者"]
    assert len(facts.promises) > 20
    assert len(facts.limits) > 5
    assert "約束" not in facts.promises[0][0]
    for what in (*(promise for promise, _ in facts.promises), *facts.limits):
        assert what.replace('"', "&#34;").replace("<", "&lt;") in text
    assert ("児童扶養手当", "支給区分（保留）") in facts.waiting


def test_what_no_fact_says_is_marked() -> None:
    def of(file: PersonalFile) -> str:
        return text.split(f"　{file.name}</h2>")[1].split("</section>")[0]

    text = file_register(ON)
    for file in FILES.values():
        blanks = of(file).count(TO_FILL_IN)
        # Organ, place of requests, procedures, manual files, offers; and what a form does not say.
        assert blanks == 5 + (0 if file.purposes else 4) + (file.recipients is None), file.name
    assert re.search(r"<th>記録項目</th><td>1 ", text)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["register", "--form", "files"], "個人情報ファイル簿（案）"),
        (["register", "--form", "assessment"], "個人情報保護評価（PIA）（案）"),
        (["model", "card", "v2"], "モデルカード　v2"),
        (["model", "card", "v2", "--public"], "モデルカード　v2（公開用）"),
    ],
)
def test_commands_write_documents(
    arguments: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KODOMO_HOME", str(tmp_path / "home"))
    command = typer.main.get_command(cli.build_app())
    output = tmp_path / "document.html"
    result = CliRunner().invoke(command, [*arguments, "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert expected in output.read_text(encoding="utf-8")
    assert output.stat().st_mode & 0o077 == 0
    refused = CliRunner().invoke(command, [*arguments, "--output", str(tmp_path / "document.txt")])
    assert refused.exit_code != 0
    assert not (tmp_path / "document.txt").exists()
