"""Superset's settings: read by Superset from SUPERSET_CONFIG_PATH, which `kodomo serve` sets."""

from __future__ import annotations

import base64
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from cachelib import FileSystemCache
from flask_appbuilder.const import AUTH_DB
from sqlalchemy.pool import QueuePool
from superset.key_value.types import JsonKeyValueCodec

from kodomo.home import Home
from kodomo.keys import read_or_make_key
from kodomo.parameters import labels
from superset_config import downloads, health, uploading
from superset_config.arrivals import MOST_BODY
from superset_config.asset_files import TIER_COLOURS
from superset_config.audit.kept import AuditLogger
from superset_config.pages.menu import HELP_AT
from superset_config.pages.views import registration
from superset_config.security import answers, data_docs, own_charts, web
from superset_config.security.files import Files
from superset_config.security.limits import SharedStorage
from superset_config.security.logs import LoggingConfigurator
from superset_config.security.manager import (
    KodomoSecurityManager,
    check_password,
    own_account,
    own_roles,
)
from superset_config.server import MetadataConnection, metadata_uri

_home = Home.from_environment().ensure()
_home.superset.mkdir(mode=0o700, exist_ok=True)


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes"}


# Metadata, keys
SECRET_KEY = read_or_make_key(_home.secret_key)
SQLALCHEMY_DATABASE_URI = metadata_uri(_home)
if SQLALCHEMY_DATABASE_URI.startswith("sqlite"):
    # A writer waits for another instead of failing.
    SQLALCHEMY_ENGINE_OPTIONS: dict[str, Any] = {
        "connect_args": {"timeout": 30, "factory": MetadataConnection, "check_same_thread": False},
        # Connections are kept: when the last one is closed, SQLite writes its log into the file and waits for the disk.
        "poolclass": QueuePool,
        "pool_size": 16,
        "max_overflow": 32,
    }
GUEST_TOKEN_JWT_SECRET = read_or_make_key(_home.guest_key)
GLOBAL_ASYNC_QUERIES_JWT_SECRET = read_or_make_key(_home.async_key)
LOGGING_CONFIGURATOR = LoggingConfigurator()

# The walls
CUSTOM_SECURITY_MANAGER = KodomoSecurityManager
FILES = Files(_home)


def DB_CONNECTION_MUTATOR(uri: Any, params: Any, username: Any, security_manager: Any, source: Any) -> Any:  # noqa: N802  # Superset's name
    """Lead every connection to the file of the user's scope."""
    return FILES.mutate(uri, params, username, security_manager, source)


PREVENT_UNSAFE_DB_CONNECTIONS = True
ENABLE_TEMPLATE_PROCESSING = False
FEATURE_FLAGS = {
    "DASHBOARD_RBAC": True,
    "EMBEDDED_SUPERSET": False,
    "EMBEDDABLE_CHARTS": False,
    "ENABLE_TEMPLATE_PROCESSING": False,
    "ENABLE_JAVASCRIPT_CONTROLS": False,
    "ALLOW_ADHOC_SUBQUERY": False,
    "ALLOW_FULL_CSV_EXPORT": True,
    "ALERT_REPORTS": False,
    "CSS_TEMPLATES": False,
    "SQLLAB_BACKEND_PERSISTENCE": False,
    "CACHE_QUERY_BY_USER": True,
    "DRILL_BY": False,
    "ESCAPE_MARKDOWN_HTML": True,
}
DATA_CACHE_CONFIG = {
    "CACHE_TYPE": "superset_config.security.cache.ScopedCache",
    "CACHE_DEFAULT_TIMEOUT": 300,
    "CACHE_THRESHOLD": 500,
}
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
FILTER_STATE_CACHE_CONFIG = {
    "CACHE_TYPE": "superset_config.security.cache.OwnChoices",
    "CACHE_DEFAULT_TIMEOUT": 24 * 3600,
    "CACHE_KEY_PREFIX": "filters",
    "REFRESH_TIMEOUT_ON_RETRIEVAL": True,
    "CODEC": JsonKeyValueCodec(),
}
# A chart while it is made: as with the choices on a dashboard, a value in it may be a person's.
EXPLORE_FORM_DATA_CACHE_CONFIG = {**FILTER_STATE_CACHE_CONFIG, "CACHE_KEY_PREFIX": "explore"}
TALISMAN_ENABLED = True
SHOW_STACKTRACE = False
FAB_API_SWAGGER_UI = False
FAB_ADD_SECURITY_VIEWS = True
ENABLE_CORS = False
PUBLIC_ROLE_LIKE = None
ENABLE_UI_THEME_ADMINISTRATION = False
SUPERSET_LOG_VIEW = True
# Lists of people and roles to choose from, which every list of dashboards offers.
EXTRA_RELATED_QUERY_FILTERS = {"user": own_account, "role": own_roles}
# As in the proxy.
MAX_CONTENT_LENGTH = MOST_BODY
EVENT_LOGGER = AuditLogger()

# Who comes in
AUTH_TYPE = AUTH_DB
AUTH_USER_REGISTRATION = False
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = os.environ.get("KODOMO_LOGIN_LIMIT", "10 per 5 minutes")
KODOMO_ADDRESS_LIMIT = os.environ.get("KODOMO_ADDRESS_LIMIT", "100 per 5 minutes")
RATELIMIT_ENABLED = True
RATELIMIT_APPLICATION = "200 per second"
# One count for all worker processes.
RATELIMIT_STORAGE_URI = SharedStorage.uri(_home.attempts)
FAB_PASSWORD_COMPLEXITY_ENABLED = True
FAB_PASSWORD_COMPLEXITY_VALIDATOR = check_password
KODOMO_NETWORKS = os.environ.get("KODOMO_NETWORKS", "")
# Behind a proxy the client's address is the one that the proxy adds.
ENABLE_PROXY_FIX = _flag("KODOMO_BEHIND_PROXY")
PROXY_FIX_CONFIG = {"x_for": 1, "x_proto": 1, "x_host": 1, "x_port": 0, "x_prefix": 0}

# Sessions: kept by the server, so that one that was ended is worth nothing
SESSION_SERVER_SIDE = True
SESSION_TYPE = "cachelib"
SESSION_CACHELIB = FileSystemCache(str(_home.sessions), threshold=20_000, mode=0o600)
SESSION_PERMANENT = True
# Written when something in it has changed, not at each request.
SESSION_REFRESH_EACH_REQUEST = False
KODOMO_SESSION_SECONDS = _number("KODOMO_SESSION_SECONDS", 10 * 3600)
KODOMO_IDLE_SECONDS = _number("KODOMO_IDLE_SECONDS", 30 * 60)
PERMANENT_SESSION_LIFETIME = timedelta(seconds=KODOMO_SESSION_SECONDS)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _flag("KODOMO_TLS")
WTF_CSRF_ENABLED = True
WTF_CSRF_TIME_LIMIT = KODOMO_SESSION_SECONDS
WTF_CSRF_EXEMPT_LIST: list[str] = []

# Nothing from outside the network
_SELF = ["'self'"]
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": _SELF,
        "default-src": _SELF,
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": _SELF,
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": "'none'",
        "form-action": _SELF,
    },
    "content_security_policy_nonce_in": ["script-src"],
    # TLS ends at the proxy.
    "force_https": False,
    "session_cookie_secure": SESSION_COOKIE_SECURE,
    "frame_options": "DENY",
    "referrer_policy": "same-origin",
    "strict_transport_security": SESSION_COOKIE_SECURE,
}
TALISMAN_DEV_CONFIG = TALISMAN_CONFIG
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []
MAPBOX_API_KEY = ""
# Not empty: the browser takes the first one at start, whether a map is shown or not. This one leads nowhere.
DECKGL_BASE_MAP = [["tile:///static/no-map/{z}/{x}/{y}.png", "地図なし"]]

# Japanese
APP_NAME = "こども統合DB"
LANGUAGES = {"ja": {"flag": "jp", "name": "日本語"}}
BABEL_DEFAULT_LOCALE = "ja"
BABEL_DEFAULT_TIMEZONE = "Asia/Tokyo"
D3_TIME_FORMAT = {
    "dateTime": "%Y年%-m月%-d日 %H:%M",
    "date": "%Y年%-m月%-d日",
    "time": "%H:%M",
    "periods": ["午前", "午後"],
    "days": ["日曜日", "月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日"],
    "shortDays": ["日", "月", "火", "水", "木", "金", "土"],
    "months": [f"{month}月" for month in range(1, 13)],
    "shortMonths": [f"{month}月" for month in range(1, 13)],
}
_LOGO = base64.b64encode(Path(__file__).with_name("logo.svg").read_bytes()).decode("ascii")
THEME_DEFAULT = {
    "token": {
        "brandAppName": APP_NAME,
        "brandLogoAlt": APP_NAME,
        "brandLogoUrl": f"data:image/svg+xml;base64,{_LOGO}",
        "brandLogoHref": "/superset/welcome/",
        "brandLogoHeight": "28px",
        "brandLogoMargin": "10px 0",
        "fontUrls": [],
        "fontFamily": "'Noto Sans CJK JP', 'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic UI', Meiryo, sans-serif",
    },
    "algorithm": "default",
}
THEME_DARK = None
# Where one chart stands alone on a page, the colours of labels come too late for it: the scheme has them, in order.
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "kodomo_tiers",
        "label": "リスク段階",
        "description": "",
        "isDefault": False,
        "colors": [TIER_COLOURS[label] for label in (*labels("tier").values(), "未判定")],
    }
]
HTML_SANITIZATION = True
# The templates of charts that are no standard chart name classes.
HTML_SANITIZATION_SCHEMA_EXTENSIONS = {"attributes": {"*": ["className"]}}
ROW_LIMIT = 10_000
SQL_MAX_ROW = 200_000
# A stream of rows is neither looked through for people nor freed of formulas: every file is made whole.
CSV_STREAMING_ROW_THRESHOLD = 2**31
CSV_EXPORT = {"encoding": "utf-8-sig"}
DOCUMENTATION_URL = HELP_AT
DOCUMENTATION_TEXT = "使い方"
BUG_REPORT_URL = None
os.environ.setdefault("SCARF_ANALYTICS", "false")

BLUEPRINTS = [data_docs.blueprint, registration.blueprint]


def FLASK_APP_MUTATOR(app: Any) -> None:  # noqa: N802  # Superset's name
    """The checks of every request, and the pages for data entry and decisions."""
    web.install(app)
    health.install(app, _home)
    own_charts.install(app)
    answers.install(app)
    downloads.install(app)
    uploading.install(app)
    registration.install(app)


# A city's own: LDAP or OIDC, mail. Only settings of how people come in are taken from it, none of the walls: who may,
# and as what, says the staff list.
_local = _home.local_settings
if _local.exists():
    _settings: dict[str, Any] = {}
    exec(compile(_local.read_text(encoding="utf-8"), _local.name, "exec"), _settings)
    for _name, _value in _settings.items():
        _is_log_in = _name.startswith(("AUTH_", "OAUTH_", "OPENID_", "SMTP_", "RATELIMIT_"))
        if _is_log_in and not _name.startswith(("AUTH_ROLE", "AUTH_USER_REGISTRATION")):
            globals()[_name] = _value
# The menu leads to one's password; where others keep the passwords there is nothing to change here.
FEATURE_FLAGS["MENU_HIDE_USER_INFO"] = AUTH_TYPE != AUTH_DB


def config_path() -> Path:
    """This file, for SUPERSET_CONFIG_PATH."""
    return Path(__file__)
