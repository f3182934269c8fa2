"""What a city may set by itself: how people come in, and none of the walls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from kodomo.home import PROJECT

LOCAL = """
AUTH_TYPE = 2
AUTH_LDAP_SERVER = "ldaps://directory.example"
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = "Admin"
AUTH_ROLE_PUBLIC = "Admin"
AUTH_ROLES_MAPPING = {"everybody": ["Admin"]}
PREVENT_UNSAFE_DB_CONNECTIONS = False
DB_CONNECTION_MUTATOR = None
CUSTOM_SECURITY_MANAGER = None
"""
ASK = """
import json
from superset_config import superset_config as settings
names = ["AUTH_TYPE", "AUTH_LDAP_SERVER", "AUTH_USER_REGISTRATION", "AUTH_USER_REGISTRATION_ROLE", "AUTH_ROLE_PUBLIC",
         "AUTH_ROLES_MAPPING", "PREVENT_UNSAFE_DB_CONNECTIONS"]
kept = [settings.DB_CONNECTION_MUTATOR.__name__, settings.CUSTOM_SECURITY_MANAGER.__name__]
print(json.dumps([{name: getattr(settings, name, "unset") for name in names}, kept]))
"""


def test_of_the_city_s_settings_only_the_way_in_is_taken(tmp_path: Path) -> None:
    (tmp_path / "superset").mkdir(mode=0o700)
    (tmp_path / "superset" / "local_settings.py").write_text(LOCAL, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, "-c", ASK], env={**os.environ, "KODOMO_HOME": str(tmp_path)}, cwd=PROJECT, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    taken, kept = json.loads(answer.stdout.splitlines()[-1])
    assert taken == {
        "AUTH_TYPE": 2,
        "AUTH_LDAP_SERVER": "ldaps://directory.example",
        "AUTH_USER_REGISTRATION": False,
        "AUTH_USER_REGISTRATION_ROLE": "unset",
        "AUTH_ROLE_PUBLIC": "unset",
        "AUTH_ROLES_MAPPING": "unset",
        "PREVENT_UNSAFE_DB_CONNECTIONS": True,
    }
    assert kept == ["DB_CONNECTION_MUTATOR", "KodomoSecurityManager"]
