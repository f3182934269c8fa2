"""How the city's systems write files: encodings, headings, dates, quoting, trailers, and the rows that go wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from synthetic_city.calendar_days import FULL_WIDTH, OPEN, spell_days
from synthetic_city.names import half_width
from synthetic_city.slips import ASKED, FUTURE_FILES, RECOVERED, Cell, Slips

CODECS = {"cp932": "cp932", "utf-8": "utf-8", "utf-8-bom": "utf-8", "utf-16": "utf-16-le"}
MARKS = {"utf-8-bom": b"\xef\xbb\xbf", "utf-16": b"\xff\xfe"}
UNDECODABLE = b"\x81\xad"
"""A pair that CP932 leaves unassigned and that is not UTF-8 either."""

REJECTED, EMPTIED = "rejected", "value_emptied"


@dataclass
class Style:
    """The habits of one system."""

    encoding: str = "cp932"
    dates: str = "slash"
    no_date: str = ""
    delimiter: str = ","
    newline: str = "\r\n"
    titles: tuple[str, ...] = ()
    trailer: bool = False
    headings: dict[str, str] = field(default_factory=dict)
    """Headings that this system spells its own way."""
    half_width_headings: bool = False
    quote_all: bool = False
    formula_ids: tuple[str, ...] = ()
    """Columns written as ="001", so that a spreadsheet keeps their zeros."""
    full_width_digits: tuple[str, ...] = ()
    unpadded_ids: bool = False
    repeated_heading_every: int = 0
    blank_line_every: int = 0


@dataclass
class Extract:
    """The rows of one source, as columns of text, in the order of its headings."""

    source: str
    columns: dict[str, np.ndarray]
    style: Style
    required: tuple[str, ...]
    date_columns: tuple[str, ...] = ()
    id_columns: tuple[str, ...] = ()
    spare_date: str = ""
    """A date column that is not required and whose loss changes nothing that the truth says."""
    recent: np.ndarray | None = None
    """For a delta: which of its files each row is delivered in (0, 1 …)."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def date_text(days: np.ndarray, style: str, missing: str = "") -> np.ndarray:
    """Days spelled in a style; OPEN is spelled as ``missing``."""
    known = np.abs(days) < OPEN
    text = np.full(len(days), missing, dtype=object)
    text[known] = spell_days(np.asarray(days)[known], style)
    return text


def integer_text(values: np.ndarray, missing: int = -1) -> np.ndarray:
    """Whole numbers as text; ``missing`` becomes empty."""
    known, inverse = np.unique(values, return_inverse=True)
    return np.array(["" if value == missing else str(value) for value in known.tolist()], dtype=object)[inverse]


def choose_text(options: tuple[str, ...] | list[str], positions: np.ndarray) -> np.ndarray:
    """The option at each position."""
    return np.array(options, dtype=object)[positions]


@dataclass
class Planted:
    """A row that was damaged on purpose."""

    source: str
    file: str
    line: int
    heading: str
    damage: str
    expected: str


class Writer:
    """Writes extracts under ``landing`` and remembers what it planted."""

    def __init__(self, landing: Path, as_of: dt.date, seed: int, dirty_rate: float, slips: Slips) -> None:
        self.landing, self.as_of, self.dirty_rate, self.slips = landing, as_of, dirty_rate, slips
        self.first_on = as_of
        """The date of an extract's first file; those of a delta follow day by day."""
        self.rng = np.random.default_rng([seed, 4])
        self.planted: list[Planted] = []
        self.rows: dict[str, int] = {}

    def write(self, extract: Extract) -> None:
        """Write the extract's file, or its files if it is a delta of several."""
        parts = [np.arange(len(extract))]
        if extract.recent is not None:
            parts = [
                np.flatnonzero(extract.recent == number) for number in range(int(extract.recent.max(initial=0)) + 1)
            ]
        folder = self.landing / extract.source
        folder.mkdir(parents=True)
        for number, rows in enumerate(parts):
            delivered = self.first_on + dt.timedelta(days=number)
            self._write_file(folder / self.slips.file_name(extract.source, delivered), extract, rows)
        if self.slips.rate and extract.source in FUTURE_FILES:
            self._write_future_file(folder, extract.source)

    def _write_future_file(self, folder: Path, source: str) -> None:
        """The file of an earlier month, with a year of ten years on in its name."""
        first = min(folder.glob("*.csv"))
        wrong = self.as_of.replace(year=self.as_of.year + 10, day=1)
        path = folder / f"{source}_{wrong:%Y%m%d}.csv"
        path.write_bytes(b"".join(first.read_bytes().splitlines(keepends=True)[:-1]))
        self.slips.note(source, path.name, 0, Cell("", "file_of_the_future", "", path.name, ASKED))

    def _write_file(self, path: Path, extract: Extract, chosen: np.ndarray) -> None:
        style = extract.style
        codec = CODECS[style.encoding]
        whole = len(chosen) == len(extract)
        columns = {name: values if whole else values[chosen] for name, values in extract.columns.items()}
        columns = {name: self._in_style(name, values, style) for name, values in columns.items()}
        planted = dict(self._plant(extract, columns))
        clean = dict(columns)
        cells = self.slips.alter(extract, columns, codec, set(planted))
        for row in cells:
            for cell in cells[row]:
                columns[cell.heading][row] = _field(columns[cell.heading][row], style)
        quote = '"' if style.quote_all else ""
        between = f"{quote}{style.delimiter}{quote}"
        extra: dict[int, list[tuple[bytes, Cell]]] = {}
        for row, fields, cell in self.slips.rows(extract, clean):
            extra.setdefault(row, []).append(((quote + between.join(fields) + quote).encode(codec), cell))
        ending = self.slips.ending(codec, not style.repeated_heading_every, not quote and style.delimiter == ",")
        if ending.has_escapes:
            columns = {name: _mapped(values, _escaped) for name, values in columns.items()}
        rows = [
            (quote + between.join(row) + quote).encode(codec, errors="strict")
            for row in zip(*(values.tolist() for values in columns.values()), strict=True)
        ]
        headings = [style.headings.get(name, name) for name in columns]
        if style.half_width_headings:
            headings = [half_width(name) for name in headings]
        heading = (quote + between.join(headings) + quote).encode(codec)
        newline = style.newline.encode(codec)
        titles = [title.replace("{date}", f"{self.as_of:%Y/%m/%d}").encode(codec) for title in style.titles]
        lines, line = [*titles, heading], len(titles) + 2
        if ending.breaks_heading:
            broken = f"{headings[0][:2]}\n{headings[0][2:]}"
            rest = between.join(["", *headings[1:]])
            lines[-1] = (f"{quote}{broken}{rest}{quote}" if quote else f'"{broken}"{rest}').encode(codec)
            line += 1
        body: list[bytes] = []
        at = planted
        inner = "\n".encode(codec)
        count = 0
        for number, row in enumerate(rows):
            if style.repeated_heading_every and number and number % style.repeated_heading_every == 0:
                body.append(heading)
                line += 1
            if style.blank_line_every and number and number % style.blank_line_every == 0:
                body.append(b"")
                line += 1
            for damaged, heading_name, damage, expected in at.get(number, ()):
                if damaged is not None:
                    self.planted.append(Planted(extract.source, path.name, line, heading_name, damage, expected))
                    body.append(damaged)
                    line += 1 + damaged.count(inner)
                    count += 1
                else:
                    self.planted.append(Planted(extract.source, path.name, line, heading_name, damage, expected))
            for record, cell in extra.get(number, ()):
                self.slips.note(extract.source, path.name, line, cell)
                body.append(record)
                line += 1 + record.count(inner)
                count += 1
            for cell in cells.get(number, ()):
                self.slips.note(extract.source, path.name, line, cell)
            body.append(row)
            line += 1 + row.count(inner)
            count += 1
        lines += body
        below = ending.lines(count)
        if style.trailer and not below:
            below = (f"合計 {count}件",)
        lines += [text.encode(codec) for text in below]
        if ending.kind:
            written = "".join(below) or ending.kind
            self.slips.note(extract.source, path.name, 0, Cell("", ending.kind, "", written, RECOVERED))
        self.rows[extract.source] = self.rows.get(extract.source, 0) + count
        path.write_bytes(MARKS.get(style.encoding, b"") + newline.join(lines) + newline + ending.tail)

    def _in_style(self, name: str, values: np.ndarray, style: Style) -> np.ndarray:
        if name in style.full_width_digits:
            values = _mapped(values, lambda text: text.translate(FULL_WIDTH))
        if name in style.formula_ids:
            values = _mapped(values, lambda text: f'="{text}"' if text else "")
        return values

    def _plant(self, extract: Extract, columns: dict[str, np.ndarray]) -> list[tuple[int, list]]:
        """Damaged copies of rows (to be rejected), and damaged values in rows that stay (to be emptied)."""
        rows = len(next(iter(columns.values())))
        rng, style = self.rng, extract.style
        if not rows or self.dirty_rate <= 0:
            return []
        codec = CODECS[style.encoding]
        quote = '"' if style.quote_all else ""
        between = f"{quote}{style.delimiter}{quote}"
        required_dates = [name for name in extract.date_columns if name in extract.required]
        planted: dict[int, list] = {}
        kinds = ["missing_required"]
        if required_dates:
            kinds += ["impossible_date", "impossible_date"]
        if extract.id_columns:
            kinds.append("damaged_id")
        if style.encoding in ("cp932", "utf-8-bom"):
            kinds.append("undecodable")
        if extract.spare_date:
            kinds.append("impossible_date_not_required")
        for position in sorted(
            rng.choice(rows, min(rng.poisson(rows * self.dirty_rate), rows), replace=False).tolist()
        ):
            kind = kinds[rng.integers(len(kinds))]
            if kind == "impossible_date_not_required":
                columns[extract.spare_date] = columns[extract.spare_date].copy()
                columns[extract.spare_date][position] = _impossible(rng)
                planted.setdefault(position, []).append((None, extract.spare_date, kind, EMPTIED))
                continue
            values = {name: column[position] for name, column in columns.items()}
            heading = ""
            if kind == "missing_required":
                heading = str(rng.choice(extract.required))
                values[heading] = ""
            elif kind == "impossible_date":
                heading = str(rng.choice(required_dates))
                values[heading] = _impossible(rng)
            elif kind == "damaged_id":
                heading = str(rng.choice(extract.id_columns))
                values[heading] = f"{rng.integers(1, 10)}.{rng.integers(10, 99)}E+{rng.integers(10, 14)}"
            values = {name: "" if value.startswith('"') else value for name, value in values.items()}
            damaged = (quote + between.join(values.values()) + quote).encode(codec)
            if kind == "undecodable":
                cut = damaged.rfind(quote.encode() + style.delimiter.encode() + quote.encode())
                damaged = damaged[:cut] + UNDECODABLE + damaged[cut:]
            planted.setdefault(position, []).append((damaged, heading, kind, REJECTED))
        return list(planted.items())


def _impossible(rng: np.random.Generator) -> str:
    return str(rng.choice(["平成32年4月1日", "昭和64年1月8日", "R5.2.29", "2023-13-01", "H30.11.31", "20220230"]))


def _mapped(values: np.ndarray, change) -> np.ndarray:
    """The values with each distinct text changed once."""
    changed: dict[str, str] = {}
    for text in values:
        if text not in changed:
            changed[text] = change(text)
    return np.array([changed[text] for text in values], dtype=object)


def _escaped(text: str) -> str:
    """A field as MySQL writes it: an empty one is a null, and a comma in a text has a backslash before it."""
    if not text:
        return "\\N"
    return text[1:-1].replace(",", "\\,") if text.startswith('"') and text.endswith('"') else text


def _field(text: str, style: Style) -> str:
    """A text as a field of a file, quoted where it has to be."""
    if style.quote_all:
        return text.replace('"', '""')
    if style.delimiter in text or "\n" in text:
        return f'"{text}"'
    return text
