"""Japanese where Superset's own is missing or wrong: translations.yml, put into the pack that its pages load; and
pages that say that they are Japanese, without the English that no translation reaches (pages.css)."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Flask, Response, request

from kodomo.japanese import japanese_date

WORDS_FILE = Path(__file__).with_name("translations.yml")
STYLE_FILE = Path(__file__).with_name("pages.css")
UNNAMED = b"<html>"
"""How a page of Superset's begins; this project's own pages name their language."""
PACK_PATH = "/superset/language_pack/ja/"
RECORDS_PATH = "/datasource/samples"
TEXT, TIME = 1, 2
"""Kinds of columns in an answer with records."""
MIDNIGHT = dt.time(0)
OK = 200


def install(app: Flask) -> None:
    """Lay our words over Superset's in the Japanese pack, and name the language and style of its pages."""

    @app.after_request
    def own_words(response: Response) -> Response:
        if request.path == PACK_PATH and response.status_code == OK:
            response.direct_passthrough = False
            pack = json.loads(response.get_data())
            response.set_data(json.dumps(with_own_words(pack), ensure_ascii=False))
            # The file's own length and tag are those of another answer.
            response.headers.pop("ETag", None)
        return response

    @app.after_request
    def dates_of_records(response: Response) -> Response:
        if request.path.rstrip("/") == RECORDS_PATH and response.status_code == OK:
            response.set_data(json.dumps(with_japanese_dates(json.loads(response.get_data())), ensure_ascii=False))
        return response

    @app.after_request
    def language_and_style_of_the_page(response: Response) -> Response:
        # Browsers choose the shapes of characters by the language, and break lines between words instead of within.
        if response.mimetype == "text/html" and not response.direct_passthrough:
            page = response.get_data()
            if UNNAMED in page:
                response.set_data(page.replace(UNNAMED, b'<html lang="ja">', 1).replace(b"</head>", _style(), 1))
        return response


def with_own_words(pack: dict[str, Any]) -> dict[str, Any]:
    """The pack with our words in it."""
    pack["locale_data"]["superset"].update({english: [japanese] for english, japanese in _words().items()})
    return pack


def with_japanese_dates(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with records whose dates are words: Superset's page writes every one as 2026-04-01 00:00:00.

    A time is in milliseconds since 1970, as on the clock of the table that it is from.
    """
    records = answer["result"]
    for name, kind in zip(records["colnames"], records["coltypes"], strict=True):
        if kind == TIME:
            for record in records["data"]:
                record[name] = _in_words(record[name])
    records["coltypes"] = [TEXT if kind == TIME else kind for kind in records["coltypes"]]
    return answer


def _in_words(milliseconds: float | None) -> str | None:
    if not isinstance(milliseconds, (int, float)):
        return milliseconds
    moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    day = japanese_date(moment.date())
    return day if moment.time() == MIDNIGHT else f"{day} {moment:%H:%M}"


@cache
def _style() -> bytes:
    return b"<style>\n" + STYLE_FILE.read_bytes() + b"</style></head>"


@cache
def _words() -> dict[str, str]:
    return yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
