"""Log-in with a second factor: the guard of every address, and the page that asks for the code."""

from __future__ import annotations

from typing import Any

import pyotp
import segno
from flask import Flask, Response, abort, current_app, g, redirect, render_template, request, session
from flask_appbuilder import BaseView, expose
from flask_login import current_user, logout_user, user_logged_in

from superset_config.audit.kept import note
from superset_config.security import sessions
from superset_config.security.factor import factors_of_request, is_required

ASKED_AT = "/login/factor/"
_MARK = "kodomo_factor"
_STATIC, _ASKING = {"static", "appbuilder.static"}, {"FactorPage.index", "FactorPage.send"}
"""Endpoints that answer after the password alone, beside log-out: they say nothing of anybody."""
_LOG_OUT = "/logout/"
WAITING_JA = "確認コードを入れてください。"
WRONG_JA = "コードが違うか、もう使われています。次のコードが表示されるのを待って、入れ直してください。"
WRONG_RECOVERY_JA = "予備コードが違うか、もう使われています。"
FAILED, ENROLLED, RECOVERED = "factor_failed", "factor_enrolled", "factor_recovery"
APP_JA = "こども統合DB"


def install(app: Flask) -> None:
    """Let nobody past who needs the second factor and has shown the password only."""

    @app.before_request
    def ask_for_second_factor() -> Response | None:
        if not current_user.is_authenticated or request.endpoint in _STATIC or request.path == _LOG_OUT:
            return None
        if not is_required(current_app.appbuilder.sm, current_user):
            return None
        factor, mark = factors_of_request().of(current_user.username), session.get(_MARK)
        if factor is not None and factor.is_confirmed and mark == factor.mark:
            return None
        if mark is not None:
            # It was reset meanwhile: who holds this session need not be who enrols anew.
            logout_user()
            session.clear()
        elif request.endpoint in _ASKING:
            return None
        if request.path.startswith("/api/") or request.method != "GET":
            return Response('{"message": "' + WAITING_JA + '"}', 401, mimetype="application/json")
        return redirect(ASKED_AT)

    @user_logged_in.connect_via(app)
    def begin_without(_sender: Any, user: Any, **_named: Any) -> None:
        session.pop(_MARK, None)


class FactorPage(BaseView):
    """The code after the password; at the first log-in, the enrolment."""

    route_base = ASKED_AT.rstrip("/")
    default_view = "index"

    @expose("/", methods=["GET"])
    def index(self) -> Any:
        """Ask for a code; show the secret as long as no code has confirmed it."""
        return self._refused() or self._page()

    @expose("/", methods=["POST"])
    def send(self) -> Any:
        """Take a code, or a recovery code."""
        if refused := self._refused():
            return refused
        factors, username = factors_of_request(), current_user.username
        factor = factors.of(username)
        code, recovery = (request.form.get(name, "")[:40] for name in ("code", "recovery"))
        if factor is None or not factor.is_confirmed:
            codes = factors.confirm(username, code)
            if codes is None:
                return self._failed(WRONG_JA)
            self._let_in(ENROLLED)
            return self._page(codes=codes)
        if code and factors.accept(username, code):
            self._let_in(None)
        elif recovery and factors.accept_recovery(username, recovery):
            self._let_in(RECOVERED)
        else:
            return self._failed(WRONG_RECOVERY_JA if recovery and not code else WRONG_JA)
        return redirect("/superset/welcome/")

    @staticmethod
    def _refused() -> Any:
        if not current_user.is_authenticated:
            return redirect("/login/")
        factor = factors_of_request().of(current_user.username)
        is_in = factor is not None and factor.is_confirmed and session.get(_MARK) == factor.mark
        needs = is_required(current_app.appbuilder.sm, current_user)
        return redirect("/superset/welcome/") if is_in or not needs else None

    def _let_in(self, action: str | None) -> None:
        factor = factors_of_request().of(current_user.username)
        if factor is None:
            abort(401)
        # As at log-in: an id from before is worth nothing after.
        sessions.replace_id(current_app, session)
        session[_MARK] = factor.mark
        if action:
            note(action, current_user.id)

    def _failed(self, mistake: str) -> Any:
        note(FAILED, current_user.id)
        return self._page(mistake=mistake), 403

    @staticmethod
    def _page(**context: Any) -> str:
        factor = factors_of_request().begin(current_user.username)
        if not factor.is_confirmed:
            address = pyotp.TOTP(factor.secret, name=factor.username, issuer=APP_JA).provisioning_uri()
            groups = [factor.secret[place : place + 4] for place in range(0, len(factor.secret), 4)]
            drawing = segno.make(address, error="m").svg_inline(scale=5)
            context |= {"drawing": drawing, "secret": " ".join(groups)}
        return render_template(
            "entry/factor.html", title="ログインの確認", who=g.user.first_name or g.user.username, **context
        )
