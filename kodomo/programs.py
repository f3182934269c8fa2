"""Programs outside Python: where they are, and the Debian package that each comes from (``programs.txt``)."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kodomo.errors import KodomoError
from kodomo.home import PROJECT

LIST = PROJECT / "programs.txt"
NO_PROGRAM = "-"
_CLUSTERS = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Program:
    """One line of the list. ``name`` is "-" for a package without a program."""

    name: str
    package: str
    purpose: str


@cache
def programs() -> tuple[Program, ...]:
    """Every line of ``programs.txt``, in its order."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return tuple(Program(*line.split(None, 2)) for line in lines if line.strip() and not line.startswith("#"))


def locate(name: str) -> str | None:
    """Path of a program on this machine, None where it is missing.

    Debian keeps PostgreSQL's programs outside of PATH (what PATH has of them may be another's), and servers in a folder
    that only root's PATH holds.
    """
    newest_first = sorted(_CLUSTERS.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    folders = [*map(str, newest_first), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    return shutil.which(name, path=os.pathsep.join(folders))


def require_program(name: str) -> str:
    """Path of a program. Raises KodomoError naming its Debian package where it is missing."""
    path = locate(name)
    if path is None:
        package = next(program.package for program in programs() if program.name == name)
        raise KodomoError(
            "{name} is missing: install Debian's package {package}, or run `make programs`.", name=name, package=package
        )
    return path
