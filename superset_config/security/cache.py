"""Caches separated by user scope: an answer or a filter choice is never served to another user."""

from __future__ import annotations

import hashlib
import threading
from typing import Any
from uuid import UUID

from flask_caching.backends.simplecache import SimpleCache
from superset.extensions.metastore_cache import SupersetMetastoreCache


class ScopedCache(SimpleCache):
    """Results in memory (never on disk), under keys that begin with the roles and the publication of the request.

    A change of duty or a new publication therefore starts with an empty cache, at once.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.RLock()

    @staticmethod
    def _scoped(key: str) -> str:
        from superset import security_manager

        from kodomo.home import Home
        from superset_config.security.files import place_of_request

        place = place_of_request(Home.from_environment(), security_manager)
        text = "|".join([place.folder.name if place.folder else "", *sorted(place.roles)])
        return f"{hashlib.sha256(text.encode()).hexdigest()}:{key}"

    def get(self, key: str) -> Any:
        """The value of the scope and publication of the request."""
        scoped = self._scoped(key)
        with self._lock:
            return super().get(scoped)

    def set(self, key: str, value: Any, timeout: int | None = None) -> bool | None:
        """Keep a value for the scope and publication of the request."""
        with self._lock:
            return super().set(self._scoped(key), value, timeout)

    def add(self, key: str, value: Any, timeout: int | None = None) -> bool:
        """Keep a value if there is none."""
        with self._lock:
            return super().add(self._scoped(key), value, timeout)

    def delete(self, key: str) -> bool:
        """Drop a value of the scope and publication of the request."""
        with self._lock:
            return super().delete(self._scoped(key))

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        with self._lock:
            return super().has(self._scoped(key))


class OwnChoices(SupersetMetastoreCache):
    """The filter choices of a user on a dashboard, under keys of the user's own.

    The name of a child may be in it, and the key of it in an address that is handed on.
    """

    def get_key(self, key: str) -> UUID:
        """The key of the user of this request."""
        from superset.utils.core import get_user_id

        return super().get_key(f"{get_user_id()}|{key}")
