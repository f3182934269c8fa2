"""The page on which staff change their password: in Japanese, with the rule that new passwords are held to."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request
from flask_appbuilder.security.views import ResetMyPasswordView
from werkzeug.wrappers import Response
from wtforms import Form

CHANGED_JA = "パスワードを変更しました。"
UNLIKE_JA = "確認のために入れたパスワードが、新しいパスワードと違います。"


class PasswordPage(ResetMyPasswordView):
    """Flask-AppBuilder's form, on a page like those of entry."""

    class_permission_name = ResetMyPasswordView.__name__

    def form_post(self, form: Form) -> Response:
        """Change it, and say so on the page that it was sent from."""
        self.appbuilder.sm.reset_password(g.user.id, form.password.data)
        flash(CHANGED_JA, "success")
        return redirect(request.path)

    def render_template(self, _template: str, *, widgets: dict[str, Any], **_context: Any) -> str:
        """The form, with what was wrong with what was sent."""
        form = widgets["edit"].template_args["form"]
        mistakes = [*form.password.errors, *(UNLIKE_JA for _ in form.conf_password.errors)]
        return render_template(
            "entry/password.html",
            title="パスワードの変更",
            pages=[],
            who=g.user.first_name or g.user.username,
            mistakes=mistakes,
        )
