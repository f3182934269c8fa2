"""Faults of a home and its machine: one catalogue, which the doctor, runs, pages and commands quote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from kodomo.errors import KodomoError

CATALOGUE = Path(__file__).with_name("faults.yml")


@dataclass(frozen=True)
class Fault:
    """One fault as it stands, in Japanese: what it is about, cause, effect, cure."""

    code: str
    label: str
    cause: str
    effect: str
    cure: str

    @property
    def text(self) -> str:
        """Cause, effect and cure in one paragraph."""
        return f"{self.label}: {self.cause}{self.effect}直し方: {self.cure}"


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return YAML(typ="safe").load(CATALOGUE.read_text(encoding="utf-8"))


def codes() -> list[str]:
    """Every fault that is known, in the order of the catalogue."""
    return list(_catalogue())


def fault(code: str, **details: object) -> Fault:
    """A fault of the catalogue with its details filled in. Raises KeyError for a detail or code that is missing."""
    entry = _catalogue()[code]
    return Fault(code, **{name: text.format(**details) for name, text in entry.items()})


class FaultError(KodomoError):
    """A fault that stops what was asked; ``ja`` is what pages show."""

    def __init__(self, code: str, **details: object) -> None:
        self.fault = fault(code, **details)
        self.ja = self.fault.text
        super().__init__(self.fault.text)
