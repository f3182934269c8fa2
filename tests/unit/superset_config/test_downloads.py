"""A CSV that leaves the application begins with the byte order mark, once."""

from __future__ import annotations

import codecs
from pathlib import Path

import duckdb
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from kodomo.home import Home
from kodomo.publication.export import Exported, export_table
from superset_config import downloads

TEXT = "優先順位,児童\r\n1,=甲\r\n"


@pytest.fixture
def client() -> FlaskClient:
    """An application that answers as Superset does."""
    app = Flask(__name__)
    downloads.install(app)
    answers = {
        # as Superset answers for a chart: a text, which Werkzeug encodes
        "/text": lambda: Response(TEXT, mimetype="text/csv"),
        # as SQL Lab answers: bytes with the mark
        "/marked": lambda: Response(TEXT.encode("utf-8-sig"), mimetype="text/csv"),
        # as Superset answers for many rows
        "/stream": lambda: Response(iter(["", *TEXT]), mimetype="text/csv; charset=utf-8-sig"),
        "/json": lambda: Response('{"a": 1}', mimetype="application/json"),
        "/refused": lambda: Response("no", 403, mimetype="text/csv"),
    }
    for path, answer in answers.items():
        app.add_url_rule(path, path, answer)
    return app.test_client()


@pytest.mark.parametrize("path", ["/text", "/marked", "/stream"])
def test_a_csv_begins_with_one_mark(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.data == codecs.BOM_UTF8 + TEXT.encode()
    assert response.content_length in {None, len(response.data)}


@pytest.mark.parametrize(("path", "data"), [("/json", b'{"a": 1}'), ("/refused", b"no")])
def test_nothing_else_is_changed(client: FlaskClient, path: str, data: bytes) -> None:
    assert client.get(path).data == data


@pytest.mark.parametrize("file_format", ["csv", "json", "parquet"])
def test_an_export_begins_with_the_mark_and_is_its_owners(tmp_path: Path, file_format: str) -> None:
    home = Home(tmp_path / "var").ensure()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema marts; create table marts.dim_area as select '両津' as area_name_ja, 1 as n")
    out = tmp_path / "out" / f"area.{file_format}"
    assert export_table(home, "dim_area", file_format, out) == Exported(1, 0)
    data = out.read_bytes()
    assert data.startswith(codecs.BOM_UTF8) == (file_format == "csv")
    if file_format == "csv":
        assert data.decode("utf-8-sig") == "area_name_ja,n\n両津,1\n"
    assert out.stat().st_mode & 0o777 == 0o600
    assert list(out.parent.iterdir()) == [out]
