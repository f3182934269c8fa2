"""The configurations of nginx that the project ships."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kodomo.programs import require_program
from superset_config.uploading import MOST_UPLOAD, UPLOAD_AT
from tests.nginx import SITES, write_configuration
from tests.security.servers import free_port


def test_every_server_of_the_project_has_a_site() -> None:
    assert [site.name for site in SITES] == ["kodomo-dagster.conf", "kodomo.conf"]


# On one machine both are in the same process: zones and ports of one are not those of the other.
@pytest.mark.parametrize(
    "sites", [*[[site] for site in SITES], SITES], ids=lambda sites: "+".join(s.stem for s in sites)
)
def test_nginx_takes_the_shipped_configuration(tmp_path: Path, sites: list[Path]) -> None:
    ports = {port: free_port() for site in sites for port in re.findall(r"listen (\d+)", site.read_text("utf-8"))}
    path = write_configuration(tmp_path, sites, ports, {})
    result = subprocess.run(
        [require_program("nginx"), "-t", "-c", str(path), "-p", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    # A deprecated directive or a name that another zone has is a warning.
    assert "[warn]" not in result.stderr.replace('the "user" directive', "")


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.stem)
def test_a_slow_or_large_request_ends_at_the_proxy(site: Path) -> None:
    servers = re.split(r"^server \{", site.read_text(encoding="utf-8"), flags=re.M)[1:]
    for server in servers:
        assert "client_header_timeout 10s;" in server
        if "proxy_pass" in server:
            assert "client_body_timeout 10s;" in server
            assert re.search(r"client_max_body_size \dm;", server)
            assert re.search(r"limit_req zone=", server)
            assert "proxy_request_buffering off" not in server


def test_only_the_address_for_files_takes_large_bodies() -> None:
    text = next(site for site in SITES if site.name == "kodomo.conf").read_text(encoding="utf-8")
    places = dict(re.findall(r"location ([^{]+) \{(.*?)\n    \}", text, flags=re.S))
    sizes = {place: re.findall(r"client_max_body_size (\d+)m;", block) for place, block in places.items()}
    assert sizes == {"/": [], f"= {UPLOAD_AT}": [str(MOST_UPLOAD // 2**20)]}
