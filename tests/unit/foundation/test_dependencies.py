"""docs/dependencies.md says of every direct dependency what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kodomo.home import PROJECT


def direct() -> dict[str, str]:
    """Pin by name of every dependency that the project names itself; empty where there is none."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    pins = {}
    for line in lines:
        requirement = Requirement(line)
        pins[requirement.name] = line.removeprefix(requirement.name).strip()
    return pins


def test_every_pin_has_its_reason() -> None:
    page = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([A-Za-z0-9.-]+) \| `([^`]+)` \| \S", page, re.MULTILINE))
    assert rows == {name: pin for name, pin in direct().items() if pin}


def test_every_dependency_without_a_pin_is_listed() -> None:
    page = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = page.split("## Not pinned", 1)[1].split(":", 1)[0]
    names = set(re.findall(r"[A-Za-z0-9.-]+", re.sub(r"\([^)]*\)", "", listed)))
    assert names == {name for name, pin in direct().items() if not pin}


def test_lock_file_holds_what_the_pins_say() -> None:
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    locked = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9.-]+)==([^ ;]+)", lock, re.MULTILINE)
    }
    for name, pin in direct().items():
        if name != "python-ldap":
            assert Requirement(f"{name}{pin}").specifier.contains(locked[canonicalize_name(name)]), name
