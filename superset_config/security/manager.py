"""Wall A in Superset: permissions of queries, limits on log-in attempts, and rules for passwords."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from flask import Flask, abort, current_app, request
from flask_appbuilder.exceptions import PasswordComplexityValidationError
from flask_appbuilder.security.api import SecurityApi
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from superset.security import SupersetSecurityManager

from superset_config.security.expressions import FREE_SQL_JA, QueryRefusedError, check_query
from superset_config.security.factor_pages import FactorPage
from superset_config.security.grants import refusal
from superset_config.security.names import account_name, client_address
from superset_config.security.password import PasswordPage
from superset_config.security.web import refusal_page

MIN_PASSWORD = 12
NO_ACCESS_JA = "このデータを見る権限がありません。"


PASSWORD_ATTEMPTS = "password attempts"
"""The count that the log-in and the change of a password share."""


CODES_LIMIT = "30 per hour"
"""Codes of second factors that are tried for one account, from wherever."""


def account_key() -> str:
    """The key of a counter of the logged-in account; of the address where there is none."""
    return f"codes|{account_name(current_user.username)}" if current_user.is_authenticated else address_key()


def address_key() -> str:
    """The key of a counter of an address."""
    return client_address(get_remote_address())


def login_key() -> str:
    """The key of a counter of passwords tried: the address and the account, so that users behind a proxy are apart."""
    if request.method != "POST":
        return address_key()
    if current_user.is_authenticated:
        return f"{address_key()}|{account_name(current_user.username)}"
    # As the form reads it: from fields, or from JSON where there are none.
    body = request.form or (request.get_json(silent=True) if request.is_json else None)
    given = body.get("username") if hasattr(body, "get") else None
    return f"{address_key()}|{account_name(given)}"


def own_account(query: Any) -> Any:
    """Restrict a query of accounts to the user's own, unless the user may list accounts."""
    from flask import g
    from superset import security_manager

    if security_manager.can_access("can_list", "UserDBModelView"):
        return query
    return query.filter(security_manager.user_model.id == g.user.id)


def own_roles(query: Any) -> Any:
    """Restrict a query of roles to the user's own, likewise."""
    from superset import security_manager

    if security_manager.can_access("can_list", "UserDBModelView"):
        return query
    held = [role.id for role in security_manager.get_user_roles()]
    return query.filter(security_manager.role_model.id.in_(held))


class NoTokens(SecurityApi):
    """Superset's, without the tokens: they would outlive log-out, idle time and session, and none is needed."""

    exclude_route_methods: ClassVar[set[str]] = {"login", "refresh"}


def check_password(password: str) -> None:
    """At least 12 characters of three kinds. Raises PasswordComplexityValidationError, in Japanese."""
    kinds = sum(bool(re.search(kind, password)) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]"))
    if len(password) < MIN_PASSWORD or kinds < 3:
        raise PasswordComplexityValidationError(
            f"パスワードは{MIN_PASSWORD}文字以上で、英大文字・英小文字・数字・記号のうち3種類以上を含めてください。"
        )


def password_pages(appbuilder: Any) -> list[Any]:
    """The registered pages on which a password is changed."""
    return [view for view in appbuilder.baseviews if isinstance(view, PasswordPage)]


class KodomoSecurityManager(SupersetSecurityManager):
    """Superset's, with free SQL refused to everyone: dashboards are code, and staff choose, they do not program."""

    security_api = NoTokens
    resetmypasswordview = PasswordPage

    def create_limiter(self, app: Flask) -> Limiter:
        """Attempts to log in are counted by address and name."""
        limiter = Limiter(key_func=login_key)
        limiter.init_app(app)
        return limiter

    def register_views(self) -> None:
        """Superset limits its own page, which is only read; what the form is sent to has to be limited, too."""
        super().register_views()
        factor_page = self.appbuilder.add_view_no_menu(FactorPage)
        if self.is_auth_limited:
            # The address may change from guess to guess: codes are counted by the account alone, too.
            self.limiter.limit(CODES_LIMIT, key_func=account_key, methods=["POST"])(factor_page.blueprint)
            # The old password that a new one is changed with, and codes, could be guessed as well.
            for view in (self.auth_view, *password_pages(self.appbuilder), factor_page):
                self.limiter.shared_limit(self.auth_rate_limit, PASSWORD_ATTEMPTS, methods=["POST"])(view.blueprint)
            # One password tried on every name fails once for each of them, and often for the address.
            self.limiter.limit(
                current_app.config["KODOMO_ADDRESS_LIMIT"],
                key_func=address_key,
                methods=["POST"],
                deduct_when=lambda _response: not current_user.is_authenticated,
            )(self.auth_view.blueprint)

    def auth_user_db(self, username: str | None, password: str) -> Any:
        """The account of a name and a password, by the name under which attempts are counted."""
        return super().auth_user_db(account_name(username), password)

    def auth_user_ldap(self, username: str | None, password: str) -> Any:
        """The same where a directory keeps the passwords."""
        return super().auth_user_ldap(account_name(username), password)

    def update_user_auth_stat(self, user: Any, success: bool = True) -> None:
        """Log every log-in and every failed attempt with the name tried; refuse an account whose grant is over."""
        from superset_config.audit.kept import LOG_IN, LOG_IN_FAILED, note

        # Only who knows the password learns that the account is there.
        refused = refusal(user) if success else None
        is_in = success and refused is None
        super().update_user_auth_stat(user, is_in)
        note(LOG_IN if is_in else LOG_IN_FAILED, user.id)
        if refused:
            abort(refusal_page(refused))

    def get_datasource_access_error_object(self, datasource: Any) -> SupersetError:
        """A refusal that does not name what was asked for."""
        return SupersetError(
            message=NO_ACCESS_JA,
            error_type=SupersetErrorType.DATASOURCE_SECURITY_ACCESS_ERROR,
            level=ErrorLevel.WARNING,
        )

    def raise_for_access(self, *args: Any, **kwargs: Any) -> None:
        """Superset's checks, then: no SQL but what the files of the project hold."""
        super().raise_for_access(*args, **kwargs)
        if kwargs.get("sql") or kwargs.get("query") or kwargs.get("viz"):
            raise _refusal()
        context = kwargs.get("query_context")
        if context is None:
            return
        datasource = context.datasource
        if getattr(datasource, "type", None) != "table" or getattr(datasource, "sql", None):
            raise _refusal()
        columns = [column.column_name for column in datasource.columns]
        metrics = [metric.metric_name for metric in datasource.metrics]
        try:
            for query in context.queries:
                check_query(query, columns, metrics)
        except (QueryRefusedError, AttributeError, TypeError) as error:
            raise _refusal() from error


def _refusal() -> SupersetSecurityException:
    return SupersetSecurityException(
        SupersetError(
            message=FREE_SQL_JA, error_type=SupersetErrorType.QUERY_SECURITY_ACCESS_ERROR, level=ErrorLevel.ERROR
        )
    )
