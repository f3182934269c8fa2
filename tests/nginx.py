"""The configurations of nginx that the project ships, on free ports and with a certificate of a day."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from kodomo.home import PROJECT
from kodomo.programs import require_program

SITES = sorted(
    path
    for folder in ("superset_config", "orchestration", "kodomo", "docs")
    for path in (PROJECT / folder).rglob("*.conf*")
    if "server {" in path.read_text(encoding="utf-8")
)
"""Every configuration with a server of nginx in it, wherever it lies."""


def write_configuration(folder: Path, sites: Iterable[Path], ports: dict[str, int], changes: dict[str, str]) -> Path:
    """A main configuration in ``folder`` with the sites in it. ``ports``: port of the site → port to listen on.

    ``changes``: texts of the sites that are others here. The sites' certificate is made beside it.
    """
    certificate = folder / "kodomo"
    subprocess.run(
        [
            require_program("openssl"),
            *f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {certificate}.key".split(),
            *f"-out {certificate}.crt".split(),
        ],
        check=True,
        capture_output=True,
    )
    text = "\n".join(site.read_text(encoding="utf-8") for site in sites)
    text = re.sub(r"listen (\d+)", lambda match: f"listen 127.0.0.1:{ports[match[1]]}", text)
    for shipped, here in {"/etc/kodomo/tls/kodomo": str(certificate), **changes}.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    path = folder / "nginx.conf"
    path.write_text(
        f"pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{text}\n}}",
        encoding="utf-8",
    )
    return path
