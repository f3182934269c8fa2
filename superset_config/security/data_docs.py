"""The pages of the expectations, for the stewards of the overseeing department, behind Superset's log-in.

They describe every holder's data, so a holder's own stewards have the dashboard of quality instead.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, redirect, send_from_directory
from flask_login import current_user, login_url

from kodomo.access.access import read_access
from kodomo.access.scope import Scope
from kodomo.home import Home
from superset_config.security.files import user_roles

blueprint = Blueprint("data_docs", __name__)


@blueprint.get("/data-docs/")
@blueprint.get("/data-docs/<path:name>")
def page(name: str = "index.html") -> Response:
    """One page of the site; 404 for everybody else, as if there were none."""
    if not current_user.is_authenticated:
        return redirect(login_url("/login/", next_url="/data-docs/"))
    scope = Scope.from_roles(user_roles(current_app.appbuilder.sm))
    if "steward" not in scope.duties or read_access().overseeing_department not in scope.departments:
        abort(404)
    return send_from_directory(Home.from_environment().data_docs, name)
