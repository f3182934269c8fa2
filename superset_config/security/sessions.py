"""Sessions of users on the server, of visitors in a signed cookie; a late answer replaces neither.

What a visitor's session holds (the token of the log-in form, a message) is no secret from the visitor. Nothing is
stored before log-in, so that requests without one can neither fill the store nor push users out of it.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import session_json_serializer
from flask_session.cachelib.cachelib import CacheLibSession, CacheLibSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer

REPLACED_SECONDS = 60
"""How long a replaced id is remembered: the slowest answer to what the log-in page asks for by itself."""
# What a session holds of every visitor; it need not be kept.
_OF_EVERYONE = {"_fresh", "_permanent", "locale"}
_REPLACED = "replaced:"
_VISITOR = "visitor."
_USER = "_user_id"
_SID = "_sid"
MOST_COOKIE = 3_800
"""Bytes of a visitor's session; a longer one is not kept."""


class Session(CacheLibSession):
    """A session that knows whether this request has given it a new id."""

    is_replacing = False
    is_stored = False
    """Whether the store had it when the request came."""


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

    def open_session(self, app: Flask, request: Request) -> Session:
        """The session of a user from the store, of a visitor from the cookie; a new one for any other cookie."""
        sent = request.cookies.get(self.get_cookie_name(app), "")
        if not sent.startswith(_VISITOR):
            session = super().open_session(app, request)
            session.is_stored = bool(sent) and session.sid == sent
            return session
        try:
            content = self._signer(app).loads(
                sent.removeprefix(_VISITOR), max_age=int(app.permanent_session_lifetime.total_seconds())
            )
            sid = content.pop(_SID)
        except (BadSignature, AttributeError, KeyError, TypeError, ValueError):
            return self.session_class(sid=self._generate_sid(self.sid_length), permanent=self.permanent)
        content.pop(_USER, None)
        return self.session_class(content, sid=sid)

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        """Store the session of a user; of a visitor, or after log-out, only the cookie is set."""
        if not session or _USER in session:
            super().save_session(app, session, response)
            return
        if session.is_stored:
            self._delete_session(self._get_store_id(session.sid))
        if session.accessed:
            response.vary.add("Cookie")
        if not self.should_set_storage(app, session) or not self.should_set_cookie(app, session):
            return
        sid = self._generate_sid(self.sid_length) if session.is_stored else session.sid
        value = _VISITOR + str(self._signer(app).dumps({**session, _SID: sid}))
        if len(value) > MOST_COOKIE:
            return
        response.set_cookie(
            key=self.get_cookie_name(app),
            value=value,
            expires=self.get_expiration_time(app, session),
            httponly=self.get_cookie_httponly(app),
            domain=self.get_cookie_domain(app),
            path=self.get_cookie_path(app),
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
        )

    @staticmethod
    def _signer(app: Flask) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(app.secret_key, salt="kodomo-visitor", serializer=session_json_serializer)

    def should_set_storage(self, app: Flask, session: Session) -> bool:
        """Whether to keep what this request changed; the cookie is set with it."""
        if not super().should_set_storage(app, session):
            return False
        if session.is_replacing:
            return True
        sent = self._sent_id(app)
        if sent and self.cache.has(_REPLACED + sent):
            # A page that is opened anew is no late answer: the one that brought the new id did not arrive.
            return request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
        return sent == session.sid or bool(session.keys() - _OF_EVERYONE)

    def _sent_id(self, app: Flask) -> str | None:
        """The id of the session that this request was sent under."""
        sent = request.cookies.get(self.get_cookie_name(app))
        if sent and sent.startswith(_VISITOR):
            try:
                return self._signer(app).loads(sent.removeprefix(_VISITOR))[_SID]
            except (BadSignature, KeyError, TypeError):
                return None
        return sent


def install(app: Flask) -> None:
    """Keep the app's sessions by these rules, in the store that SESSION_CACHELIB names."""
    app.session_interface = SessionInterface(
        client=app.config["SESSION_CACHELIB"], permanent=app.config["SESSION_PERMANENT"]
    )


def replace_id(app: Flask, session: Any) -> None:
    """Give a session a new id, so that one planted before log-in is worth nothing."""
    app.session_interface.regenerate(session)
