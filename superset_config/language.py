"""Japanese where Superset's own is missing or wrong: translations.yml, put into the pack that its pages load; and
pages that say that they are Japanese, without the English that no translation reaches (pages.css)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Flask, Response, request

WORDS_FILE = Path(__file__).with_name("translations.yml")
STYLE_FILE = Path(__file__).with_name("pages.css")
UNNAMED = b"<html>"
"""How a page of Superset's begins; this project's own pages name their language."""
PACK_PATH = "/superset/language_pack/ja/"
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


@cache
def _style() -> bytes:
    return b"<style>\n" + STYLE_FILE.read_bytes() + b"</style></head>"


@cache
def _words() -> dict[str, str]:
    return yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
