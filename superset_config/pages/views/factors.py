"""二要素認証: for administrators, who has enrolled, and the reset for a lost phone."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import abort, g, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_login import current_user

from superset_config.pages.entry_store import store
from superset_config.security.factor import RESET, factors_of_request, is_required

TITLE_JA = "二要素認証"
RESET_JA = "{username} の二要素認証をリセットしました。次のログインで登録し直します。"
NONE_JA = "そのアカウントの登録はありません。"
REASON_JA = "本人であることをどう確かめたかを書いてください。"


class FactorsPage(BaseView):
    """The accounts that need a second factor, with its state."""

    route_base = "/kodomo/factors"
    default_view = "index"
    class_permission_name = "SecondFactors"
    base_permissions: ClassVar[list[str]] = ["can_use"]

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("use")
    def index(self) -> Any:
        """The accounts that need the factor, or have one."""
        return self._page()

    @expose("/reset", methods=["POST"])
    @has_access
    @permission_name("use")
    def reset(self) -> Any:
        """Forget an account's factor, with a reason; never one's own."""
        username, reason = request.form.get("username", "")[:64], request.form.get("reason", "").strip()[:200]
        if username == current_user.username:
            abort(403)
        if not reason:
            return self._page(mistake=REASON_JA), 400
        if not factors_of_request().reset(username):
            return self._page(mistake=NONE_JA), 400
        store().note_access(current_user.username, RESET, purpose=reason, account=username)
        return self._page(done=RESET_JA.format(username=username))

    def _page(self, **context: Any) -> str:
        factors, manager = factors_of_request(), self.appbuilder.sm
        accounts = []
        for user in sorted(manager.get_all_users(), key=lambda user: user.username):
            factor = factors.of(user.username)
            needs = user.active and is_required(manager, user)
            if needs or factor:
                accounts.append((user, needs, factor))
        return render_template(
            "entry/factors.html", title=TITLE_JA, who=g.user.first_name or g.user.username, accounts=accounts,
            here=self.route_base, own=current_user.username, **context,
        )  # fmt: skip
