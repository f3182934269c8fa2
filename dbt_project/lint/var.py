"""dbt's ``var`` for the linter: the project's own values, so that what a macro makes of them is linted too."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

_PROJECT = Path(__file__).resolve().parent.parent / "dbt_project.yml"


class _Var(ModuleType):
    """A module that is called as a function: the linter takes modules alone."""

    def __call__(self, name: str, default: Any = None) -> Any:
        return yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))["vars"].get(name, default)


sys.modules[__name__].__class__ = _Var
