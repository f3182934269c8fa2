"""The page on which staff change their password: in Japanese, with the rule that new passwords are held to."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from flask_appbuilder.security.forms import ResetPasswordForm
from flask_appbuilder.security.views import ResetMyPasswordView
from werkzeug.security import check_password_hash
from wtforms import Form, PasswordField
from wtforms.validators import ValidationError

CHANGED_JA = "パスワードを変更しました。新しいパスワードでログインし直してください。"
WRONG_JA = "いまのパスワードが違います。"
UNLIKE_JA = "確認のために入れたパスワードが、新しいパスワードと違います。"


def require_old_password(_form: Form, field: PasswordField) -> None:
    """Raise ValidationError unless the field holds the present password of the user of this request."""
    if not check_password_hash(g.user.password or "", field.data or ""):
        raise ValidationError(WRONG_JA)


class PasswordForm(ResetPasswordForm):
    """Flask-AppBuilder's, with the old password: a session left open, or stolen, takes no account over."""

    old_password = PasswordField(validators=[require_old_password])


class PasswordPage(ResetMyPasswordView):
    """Flask-AppBuilder's form, on a page like those of entry."""

    form = PasswordForm
    class_permission_name = ResetMyPasswordView.__name__

    def form_post(self, form: Form) -> str:
        """Change it, and say so at once: every session ends with the old password, this one too."""
        self.appbuilder.sm.reset_password(g.user.id, form.password.data)
        return self._page(changed=CHANGED_JA)

    def render_template(self, _template: str, *, widgets: dict[str, Any], **_context: Any) -> str:
        """The form, with what was wrong with what was sent."""
        form = widgets["edit"].template_args["form"]
        unlike = (UNLIKE_JA for _ in form.conf_password.errors)
        return self._page(mistakes=[*form.old_password.errors, *form.password.errors, *unlike])

    def _page(self, **context: Any) -> str:
        return render_template(
            "entry/password.html",
            title="パスワードの変更",
            who=g.user.first_name or g.user.username,
            **context,
        )
