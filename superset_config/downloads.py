"""Files that staff take from a page: a CSV begins with the byte order mark that spreadsheets in Japan need."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from flask import Flask, Response


def install(app: Flask) -> None:
    """Put the mark before every CSV that the application sends.

    Superset means it so with ``CSV_EXPORT``, but its answer is text by then, and Werkzeug encodes every text in UTF-8
    without a mark since responses have no charset of their own.
    """

    @app.after_request
    def mark_csv(response: Response) -> Response:
        if response.mimetype != "text/csv" or not 200 <= response.status_code < 300:
            return response
        if response.is_streamed:
            response.response = with_mark(response.response)
        else:
            data = response.get_data()
            if not data.startswith(codecs.BOM_UTF8):
                response.set_data(codecs.BOM_UTF8 + data)
        return response


def with_mark(parts: Iterable[str | bytes]) -> Iterator[bytes]:
    """The parts of a stream as UTF-8, with one byte order mark before the first."""
    is_first = True
    for part in parts:
        data = part.encode("utf-8") if isinstance(part, str) else part
        if is_first and data:
            is_first = False
            if not data.startswith(codecs.BOM_UTF8):
                yield codecs.BOM_UTF8
        yield data
