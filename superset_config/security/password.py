"""The page on which staff change their password: in Japanese, with the rule that new passwords are held to."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from flask_appbuilder.security.views import ResetMyPasswordView
from wtforms import Form

CHANGED_JA = "パスワードを変更しました。新しいパスワードでログインし直してください。"
UNLIKE_JA = "確認のために入れたパスワードが、新しいパスワードと違います。"


class PasswordPage(ResetMyPasswordView):
    """Flask-AppBuilder's form, on a page like those of entry."""

    class_permission_name = ResetMyPasswordView.__name__

    def form_post(self, form: Form) -> str:
        """Change it, and say so at once: every session ends with the old password, this one too."""
        self.appbuilder.sm.reset_password(g.user.id, form.password.data)
        return self._page(changed=CHANGED_JA)

    def render_template(self, _template: str, *, widgets: dict[str, Any], **_context: Any) -> str:
        """The form, with what was wrong with what was sent."""
        form = widgets["edit"].template_args["form"]
        return self._page(mistakes=[*form.password.errors, *(UNLIKE_JA for _ in form.conf_password.errors)])

    def _page(self, **context: Any) -> str:
        return render_template(
            "entry/password.html",
            title="パスワードの変更",
            who=g.user.first_name or g.user.username,
            **context,
        )
