"""Programs outside Python: every one that the code names is in the list, and the list names no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kodomo.errors import KodomoError
from kodomo.home import PROJECT
from kodomo.programs import NO_PROGRAM, locate, programs, require_program
from orchestration.operations import install_programs

FOLDERS = ("kodomo", "orchestration", "superset_config", "expectations", "synthetic_city", "tests", "benchmarks")
RUNNERS = {"run", "Popen", "call", "check_call", "check_output"}
LOCATORS = {"require_program", "locate", "which"}
# What `make programs` itself asks for, before anything can be installed.
OF_THE_SYSTEM = {"apt-get", "dpkg-query", "sudo"}


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((PROJECT / folder).rglob("*.py"))


def _named(tree: ast.AST) -> Iterator[str]:
    """Programs as the code names them: looked up by name, or first in the command of a subprocess."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        first = call.args[0]
        if function in RUNNERS and isinstance(first, ast.List) and first.elts:
            first = first.elts[0]
        elif function == "_run":
            first = call.args[0]
        elif function not in LOCATORS:
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def test_every_program_that_the_code_names_is_in_the_list() -> None:
    named = {name for path in _files() for name in _named(ast.parse(path.read_text(encoding="utf-8")))}
    listed = {program.name for program in programs()} - {NO_PROGRAM}
    assert named - OF_THE_SYSTEM - {"missing-program"} == listed


def test_no_program_is_called_by_a_path_of_its_own() -> None:
    for path in _files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(("/usr/" + "bin/", "/usr/" + "sbin/")), path


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kodomo.programs.locate", lambda _name: None)
    with pytest.raises(KodomoError, match="postgresql-client"):
        require_program("pg_dump")


def test_installed_program_needs_no_package() -> None:
    assert locate("missing-program") is None
    assert locate("setpriv")


def test_account_without_privileges_gets_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install_programs, "missing_packages", lambda: ["nginx-light", "openssl"])
    monkeypatch.setattr(install_programs, "privileges", lambda: None)
    monkeypatch.setattr(install_programs.shutil, "which", lambda _name: "apt-get")
    assert install_programs.main() == 1
    assert "apt-get install --no-install-recommends nginx-light openssl" in capsys.readouterr().err
