"""CSV files that people write: read whole, with the line of each record. Those that spreadsheets open: no formulas."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kodomo.errors import KodomoError
from kodomo.files import atomic_path

_FORMULA = r"^[=+\-@\t\r]"
_NUMBER = "[+-]?[0-9]+([.][0-9]+)?"


@dataclass(frozen=True)
class CsvFile:
    """A file's headings, its records as (line, values), and the lines with more values than headings."""

    header: list[str]
    records: list[tuple[int, list[str]]]
    too_long: list[int]


def read_csv(path: Path) -> CsvFile:
    """Read a UTF-8 file (with or without byte order mark); empty lines are passed over, values trimmed.

    A record with fewer values than headings is filled with empty ones. Raises KodomoError when the file is not
    UTF-8, is no file, or is no CSV (a field beyond the size limit).
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise KodomoError("{name}: the file is not UTF-8: save it as UTF-8.", name=path.name) from error
    except OSError as error:
        raise KodomoError(
            "{name}: the file cannot be read: {strerror}.", name=path.name, strerror=error.strerror
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    records: list[tuple[int, list[str]]] = []
    too_long: list[int] = []
    header: list[str] = []
    line = 1
    try:
        for values in reader:
            stripped = [value.strip() for value in values]
            if any(stripped):
                if not header:
                    header = stripped
                elif len(stripped) > len(header):
                    too_long.append(line)
                else:
                    records.append((line, stripped + [""] * (len(header) - len(stripped))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise KodomoError("{name}:{line}: this is no CSV: {error}.", name=path.name, line=line, error=error) from error
    return CsvFile(header, records, too_long)


def without_formula(value: object) -> object:
    """A value for a CSV that spreadsheets open: before a text that one would execute stands an apostrophe.

    Numbers stay, also as text.
    """
    if isinstance(value, str) and re.search(_FORMULA, value) and not re.fullmatch(_NUMBER, value):
        return f"'{value}"
    return value


def formula_free_sql(column: str) -> str:
    """The same as an expression of DuckDB over a column of texts."""
    is_formula = f"regexp_matches({column}, '{_FORMULA}') and not regexp_full_match({column}, '{_NUMBER}')"
    return f"case when {is_formula} then '''' || {column} else {column} end"


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV for spreadsheets: with a byte order mark, no formula, for its owner only, whole or not at all."""
    with atomic_path(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        file.write(codecs.BOM_UTF8.decode())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([without_formula(value) for value in row] for row in rows)
