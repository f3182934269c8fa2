"""Superset's settings without this project's hooks: what `benchmarks.bi` compares with.

The same version, metadata, roles, rules and limits; Superset's own security manager, logger, cache and connections.
"""

from superset.utils.log import DBEventLogger
from superset.utils.logging_configurator import DefaultLoggingConfigurator

from superset_config.superset_config import *  # noqa: F403  # settings are read by their names

CUSTOM_SECURITY_MANAGER = None
DB_CONNECTION_MUTATOR = None
FLASK_APP_MUTATOR = None
EVENT_LOGGER = DBEventLogger()
LOGGING_CONFIGURATOR = DefaultLoggingConfigurator()
BLUEPRINTS: list[object] = []
EXTRA_RELATED_QUERY_FILTERS: dict[str, object] = {}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300, "CACHE_THRESHOLD": 500}
FILTER_STATE_CACHE_CONFIG = {**FILTER_STATE_CACHE_CONFIG, "CACHE_TYPE": "SupersetMetastoreCache"}  # noqa: F405
RATELIMIT_STORAGE_URI = "memory://"
# The address of the file stands in the metadata.
PREVENT_UNSAFE_DB_CONNECTIONS = False
