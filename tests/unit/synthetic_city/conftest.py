"""One small city for all tests of the generator."""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest

from synthetic_city.city import generate
from synthetic_city.parameters import Parameters

AS_OF = dt.date(2026, 4, 1)
TITLES = {"council_cases": 2, "public_assistance": 3, "school_enrolment": 1, "education_support_centre": 1}
ALIASES = {
    "宛名№": "宛名番号",
    "宛名コード": "宛名番号",
    "住民コード": "宛名番号",
    "氏名カナ": "氏名_フリガナ",
    "フリガナ": "氏名_フリガナ",
    "カナ氏名": "氏名_フリガナ",
    "生年月日(和暦)": "生年月日",
    "児童宛名番号": "児童_宛名番号",
}


def heading(text: str) -> str:
    """A heading as the contract has it, from one as delivered."""
    text = unicodedata.normalize("NFKC", text).strip()
    aliases = {unicodedata.normalize("NFKC", alias): name for alias, name in ALIASES.items()}
    return aliases.get(text, text)


def decode(content: bytes) -> str:
    """Text of a file: by its mark, else UTF-8, else CP932 (damaged bytes replaced)."""
    if content.startswith(b"\xff\xfe"):
        return content.decode("utf-16")
    if content.startswith(b"\xef\xbb\xbf"):
        return content.decode("utf-8-sig", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp932", errors="replace")


@dataclass
class SmallCity:
    """A generated city, read back."""

    out: Path
    summary: dict
    landing: str = "landing"

    def files(self, source: str) -> list[Path]:
        """The files of a source, in the order of delivery."""
        return sorted((self.out / self.landing / source).glob("*.csv"))

    def contract_headings(self, path: Path) -> list[str]:
        """The headings of a file, as the contract spells them."""
        return [heading(name) for name in self._records(path)[0]]

    def rows(self, source: str) -> list[dict[str, str]]:
        """The rows of a source under the contract's headings."""
        parsed = []
        for path in self.files(source):
            first, *records = self._records(path)
            names = [heading(name) for name in first]
            for record in records:
                if not record or record[0].startswith("合計") or record == first:
                    continue
                values = [value[2:-1] if value.startswith('="') else value for value in record]
                parsed.append(dict(zip(names, values, strict=True)))
        return parsed

    def truth(self, name: str) -> list[dict[str, str]]:
        """The rows of a truth file."""
        with (self.out / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _records(self, path: Path) -> list[list[str]]:
        text = decode(path.read_bytes())
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text[:200] else ","))
        return records[TITLES.get(path.parent.name, 0) :]


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> SmallCity:
    """A city of 1,500 without slips and damaged rows."""
    out = tmp_path_factory.mktemp("city") / "clean"
    return SmallCity(out, generate(out, Parameters(residents=1500, seed=7, as_of=AS_OF, slip_rate=0, dirty_rate=0)))
