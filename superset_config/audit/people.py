"""The people in an answer: every id and label in it is looked up among the people of the user's scope."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from kodomo.access.access import PublishedTable

ZIP_TYPES = ("application/zip", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_LABELS = {
    "person_id": ("child_label", "display_name", "kana"),
    "relative_id": ("relative_label",),
    "from_person_id": ("from_label",),
    "to_person_id": ("to_label",),
    "end_person_id": ("end_label",),
}
"""Columns that name a person: the id, and beside it what the person is called."""
_HTML_TEXTS = re.compile(r">([^<>]+)<|\bvalue=\"([^\"]+)\"")
_XML_TEXTS = re.compile(r">([^<>]+)<")

Index = Mapping[str, set[str]]
"""Ids of people by an id, a pseudonym, or a label."""


def people_of(connection: duckdb.DuckDBPyConnection, tables: Iterable[PublishedTable]) -> dict[str, set[str]]:
    """Ids of the people in published tables of a file, by everything that names them there."""
    index: dict[str, set[str]] = {}
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute("select table_name, column_name from duckdb_columns()").fetchall():
        columns.setdefault(table, set()).add(column)
    for table in tables:
        for person, labels in _LABELS.items():
            if person not in columns.get(table.name, ()):
                continue
            named = [name for name in labels if name in columns[table.name]]
            query = f"select distinct {', '.join([person, *named])} from {table.name}"  # noqa: S608  # listed names
            for person_id, *values in connection.execute(query).fetchall():
                for value in filter(None, (person_id, *values)):
                    index.setdefault(value, set()).add(person_id)
    return index


def behind_pseudonyms(index: Mapping[str, set[str]], everything: Path, key: str) -> dict[str, set[str]]:
    """The index with ids in the place of pseudonyms. ``everything``: all children; ``key``: what they are made with."""
    with duckdb.connect(str(everything), read_only=True) as connection:
        ids = [row[0] for row in connection.execute("select distinct person_id from marts.bi_child").fetchall()]
    real = {hashlib.sha256((key + person_id).encode()).hexdigest()[:16]: person_id for person_id in ids}
    return {value: {real.get(person_id, person_id) for person_id in person_ids} for value, person_ids in index.items()}


def people_in(texts: Iterable[Any], index: Index) -> set[str]:
    """Ids of the people whom texts name; what is no text, or names no person, is passed over."""
    named: set[str] = set()
    for text in texts:
        if isinstance(text, str) and (person_ids := index.get(text)):
            named |= person_ids
    return named


def texts_of(data: bytes, mimetype: str) -> Iterator[str]:
    """Every text that stands by itself in an answer: values and names of JSON, cells, texts and values of a page."""
    if mimetype in ZIP_TYPES:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            for name in bundle.namelist():
                content = bundle.read(name)
                if name.endswith(".csv"):
                    yield from texts_of(content, "text/csv")
                elif name.endswith(".xlsx"):
                    yield from texts_of(content, ZIP_TYPES[1])
                else:
                    yield from (html.unescape(text) for text in _XML_TEXTS.findall(content.decode("utf-8", "replace")))
        return
    text = data.decode("utf-8-sig", "replace")
    if mimetype == "application/json":
        try:
            yield from _texts_of_json(json.loads(text))
        except ValueError:
            return
    elif mimetype == "text/csv":
        for row in csv.reader(io.StringIO(text, newline="")):
            yield from row
    elif mimetype == "text/html":
        for shown, value in _HTML_TEXTS.findall(text):
            yield html.unescape(shown or value).strip()


def _texts_of_json(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            yield one
