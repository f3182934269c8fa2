"""Requests that bring files: larger than others, to one address, of logged-in users, and straight to the disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import IO, Any

from flask import Flask, Request
from werkzeug.formparser import FormDataParser

from kodomo.home import Home
from kodomo.ingest.uploads import MOST_BYTES, MOST_FILES, Uploads

UPLOAD_AT = "/entry/delivery_decision/upload"
"""The address that files are sent to."""
MOST_UPLOAD = MOST_BYTES + 1024 * 1024
"""Bytes of the body of such a request: the files, and what stands between them."""


class UploadRequest(Request):
    """A request whose files, at the address for them, are written into the home's folder for uploads."""

    @property
    def is_upload(self) -> bool:
        """Whether it goes to the address for files."""
        return self.method == "POST" and self.path == UPLOAD_AT

    @property
    def max_content_length(self) -> int | None:
        """As for every request, but for files."""
        return MOST_UPLOAD if self.is_upload else super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    @property
    def max_form_parts(self) -> int | None:
        """As for every request, but for files, of which there are not many."""
        return 2 * MOST_FILES if self.is_upload else super().max_form_parts

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self._max_form_parts = value

    def make_form_data_parser(self) -> FormDataParser:
        """As for every request; of files the bytes go to the disk as they come."""
        parser = super().make_form_data_parser()
        if self.is_upload:
            parser.stream_factory = _named_file
        return parser


def _named_file(*_: Any, **__: Any) -> IO[bytes]:
    # Named, so that it gets its place without being copied; its first name goes with the request.
    return tempfile.NamedTemporaryFile(dir=Uploads(Home.from_environment()).incoming())


def is_signed_in(app: Any, cookies: str) -> bool:
    """Whether a request with these cookies is one of a logged-in session: asked before its body is waited for."""
    if not isinstance(app, Flask):
        return False
    request = app.request_class({"REQUEST_METHOD": "POST", "wsgi.url_scheme": "http", "HTTP_COOKIE": cookies})
    session = app.session_interface.open_session(app, request)
    return bool(session and session.get("_user_id"))


def has_room(size: int) -> bool:
    """Whether the disk has room for a body of that size, on its way, by itself and in the landing folder."""
    return shutil.disk_usage(Uploads(Home.from_environment()).incoming()).free > 3 * size


def body_file() -> IO[bytes]:
    """A file without a name, for a body on its way: it is gone when it is closed."""
    folder = Uploads(Home.from_environment()).incoming()
    return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), "w+b")


def install(app: Flask) -> None:
    """Let the app take files."""
    app.request_class = UploadRequest
