"""Sessions that a late answer cannot replace: Flask-Session's, with a rule for what is kept of a visitor."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask_session.cachelib.cachelib import CacheLibSession, CacheLibSessionInterface

REPLACED_SECONDS = 60
"""How long a replaced id is remembered: the slowest answer to what the log-in page asks for by itself."""
# What a session holds of every visitor; it need not be kept.
_OF_EVERYONE = {"_fresh", "_permanent", "locale"}
_REPLACED = "replaced:"


class Session(CacheLibSession):
    """A session that knows whether this request has given it a new id."""

    is_replacing = False


class SessionInterface(CacheLibSessionInterface):
    """Sessions on the server; a request that was sent under a replaced id neither keeps a session nor sets a cookie.

    The log-in page asks for more after it has loaded (words, its own log, which leads back to the page). Such a request
    carries the id from before log-in, and the session that it would begin must not take the place of the new one.
    """

    session_class = Session

    def regenerate(self, session: Session) -> None:
        """Give the session a new id, and remember the one that it replaces for REPLACED_SECONDS."""
        before = session.sid
        super().regenerate(session)
        if session.sid != before:
            session.is_replacing = True
            self.cache.set(_REPLACED + before, True, timeout=REPLACED_SECONDS)

    def should_set_storage(self, app: Flask, session: Session) -> bool:
        """Whether to keep what this request changed; the cookie is set with it."""
        if not super().should_set_storage(app, session):
            return False
        if session.is_replacing:
            return True
        sent = request.cookies.get(self.get_cookie_name(app))
        if sent and self.cache.has(_REPLACED + sent):
            # A page that is opened anew is no late answer: the one that brought the new id did not arrive.
            return request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
        return sent == session.sid or bool(session.keys() - _OF_EVERYONE)


def install(app: Flask) -> None:
    """Keep the app's sessions by these rules, in the store that SESSION_CACHELIB names."""
    app.session_interface = SessionInterface(
        client=app.config["SESSION_CACHELIB"], permanent=app.config["SESSION_PERMANENT"]
    )


def replace_id(app: Flask, session: Any) -> None:
    """Give a session a new id, so that one planted before log-in is worth nothing."""
    app.session_interface.regenerate(session)
