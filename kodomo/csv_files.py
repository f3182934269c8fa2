"""CSV files that people write: read whole, with the physical line on which each record begins."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from kodomo.errors import KodomoError


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
