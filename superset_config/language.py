"""Japanese where Superset's own is missing or wrong: translations.yml, put into the pack that its pages load; and
pages that say that they are Japanese."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Flask, Response, request

WORDS_FILE = Path(__file__).with_name("translations.yml")
PACK_PATH = "/superset/language_pack/ja/"
OK = 200


def install(app: Flask) -> None:
    """Answer requests for the Japanese pack with ours laid over Superset's, and name the language of its pages."""

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
    def language_of_the_page(response: Response) -> Response:
        # Browsers choose the shapes of characters by it, and break lines between words instead of within them.
        if response.mimetype == "text/html" and not response.direct_passthrough:
            response.set_data(response.get_data().replace(b"<html>", b'<html lang="ja">', 1))
        return response


def with_own_words(pack: dict[str, Any]) -> dict[str, Any]:
    """The pack with our words in it."""
    pack["locale_data"]["superset"].update({english: [japanese] for english, japanese in _words().items()})
    return pack


@cache
def _words() -> dict[str, str]:
    return yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
