"""Commands speak Japanese unless English is asked for, and the catalogue has all that they say."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from kodomo.errors import KodomoError
from kodomo.messages import catalogue, in_language
from orchestration import cli
from orchestration.language import VARIABLE

PROJECT = Path(__file__).resolve().parents[3]
FOLDERS = ("kodomo", "orchestration", "superset_config", "expectations", "synthetic_city")
SPEAKING = {"say", "translated", "Sentence", "Hint", "finding", "says"}
OTHER_ERRORS = {"SynthError"}
"""Errors that are turned into a KodomoError with the same template."""
BILINGUAL = {"AssessError", "FaultError"}
"""Errors that bring their Japanese along."""


@cache
def trees() -> tuple[ast.Module, ...]:
    """The code that speaks, parsed."""
    return tuple(
        ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((PROJECT / folder).rglob("*.py"))
    )


@cache
def nodes() -> tuple[ast.AST, ...]:
    """Every node of it."""
    return tuple(node for tree in trees() for node in ast.walk(tree))


def error_names() -> set[str]:
    """KodomoError and the classes made from it, which have no Japanese of their own."""
    names = {KodomoError.__name__}
    while True:
        more = {
            node.name
            for node in nodes()
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id in names for base in node.bases)
        }
        if more <= names:
            return names - BILINGUAL | OTHER_ERRORS
        names |= more


def texts(expression: ast.expr) -> Iterator[str]:
    """The texts that an expression can be: itself, those of a choice, or the values of a dictionary."""
    match expression:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from texts(body)
            yield from texts(other)
        case ast.Subscript(value=ast.Dict(values=values)):
            for value in values:
                yield from texts(value)


def spoken() -> set[str]:
    """The templates of errors and of what is printed for people."""
    names = error_names() | SPEAKING
    return {
        text
        for node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args
        for text in texts(node.args[0])
    }


def helps(command: click.Command) -> Iterator[str]:
    """The help texts of a command, its options and its sub-commands."""
    yield from filter(None, [command.help, *(getattr(parameter, "help", None) for parameter in command.params)])
    for child in getattr(command, "commands", {}).values():
        yield from helps(child)


def all_helps() -> set[str]:
    """Every help text as it stands in the code."""
    return set(helps(typer.main.get_command(cli.build_app())))


def names_in(template: str) -> list[tuple[str, str | None, str | None]]:
    """The names in braces with format and conversion."""
    return sorted(
        ((name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(template) if name),
        key=str,
    )


def test_every_message_has_its_japanese() -> None:
    assert spoken() > {"The backup is in {result}.", "There is no such record."}
    assert not sorted((spoken() | all_helps()) - catalogue().keys())


def test_both_languages_have_the_same_names_in_braces() -> None:
    messages = spoken()
    differing = [text for text in messages if names_in(text) != names_in(catalogue()[text])]
    assert not differing


def test_the_catalogue_has_nothing_that_no_code_says() -> None:
    constants = {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    fields = {
        node.target.id for node in nodes() if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    # Columns of a select, the plural of a kind of change, the verb of a change: parts of a text of the code.
    words = {word for text in constants for word in re.findall(r"[a-z_]+", text)}
    unused = {
        entry
        for entry in catalogue().keys() - spoken() - all_helps() - constants - fields - words
        if entry.removesuffix("s") not in words and not any(entry in text for text in constants)
    }
    assert not unused


def said(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What the command prints to its two channels."""
    monkeypatch.setattr("sys.argv", ["kodomo", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    return capsys.readouterr()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no language chosen."""
    monkeypatch.setenv("KODOMO_HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setattr(cli, "TELEMETRY_OFF", {})
    return tmp_path


REPLAY = ["model", "replay"]
ENGLISH = "Say which run: --as-of DATE or --run ID."
JAPANESE = "どのバッチかを指定してください"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("lang", "chosen", "expected"),
    [
        ("C.UTF-8", [], JAPANESE),
        ("ja_JP.UTF-8", [], JAPANESE),
        ("en_US.UTF-8", [], ENGLISH),
        ("ja_JP.UTF-8", ["--lang", "en"], ENGLISH),
        ("ja_JP.UTF-8", ["--lang=en"], ENGLISH),
        ("en_US.UTF-8", ["--lang", "ja"], JAPANESE),
    ],
)
def test_the_language_is_that_of_the_option_else_of_the_environment(
    lang: str,
    chosen: list[str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LANG", lang)
    assert expected in said([*chosen, *REPLAY], monkeypatch, capsys)[1]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["link", "decide", "--help"]])
def test_help_is_japanese_unless_english_is_asked_for(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    japanese, _ = said(arguments, monkeypatch, capsys)
    english, _ = said(["--lang", "en", *arguments], monkeypatch, capsys)
    assert len(re.findall(r"[ぁ-ん]", japanese)) > 10
    assert not re.search(r"[ぁ-ん]{3}", english.replace("こども", ""))


@pytest.mark.usefixtures("home")
def test_what_machines_read_is_the_same_in_both_languages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["entry", "list", "--json"]
    japanese, _ = said(arguments, monkeypatch, capsys)
    english, _ = said(["--lang", "en", *arguments], monkeypatch, capsys)
    assert json.loads(japanese) == json.loads(english) == []
    assert "ありません" in said(["--lang", "ja", *arguments[:-1]], monkeypatch, capsys)[0]


def test_an_error_that_brings_its_japanese_says_that() -> None:
    error = KodomoError("No purpose.")
    error.ja = "目的を入れてください。"  # type: ignore[attr-defined]  # as the errors of pages have it
    assert [in_language(error, language) for language in ("ja", "en")] == ["目的を入れてください。", "No purpose."]
