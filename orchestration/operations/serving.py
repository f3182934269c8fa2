"""Starts and stops Superset and Dagster together, in the foreground or in the background."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from kodomo.errors import KodomoError, UsageError
from kodomo.home import PROJECT, Home

START_SECONDS = 300
STOP_SECONDS = 20


@dataclass
class Service:
    """One server: its name for people, its address, the path that answers when it is up, how it is started."""

    name: str
    host: str
    port: int
    health: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the server for users."""
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::"} else self.host
        return f"http://{host}:{self.port}/"

    def answers(self) -> bool:
        """Whether it answers."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host
        try:
            with urllib.request.urlopen(f"http://{host}:{self.port}{self.health}", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


def services(
    home: Home, host: str, port: int, dagster_port: int | None, landing: Path | None, workers: int
) -> list[Service]:
    """Superset, and Dagster unless its port is None."""
    from superset_config.server import environment

    superset = Service(
        "Superset",
        host,
        port,
        "/health",
        [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "python:superset_config.workers",
            "--workers",
            str(workers),
            "--bind",
            f"{host}:{port}",
            "superset.app:create_app()",
        ],
        environment(home),
    )
    if dagster_port is None:
        return [superset]
    from orchestration.event_log import write_settings

    dagster_home = write_settings(home)
    variables = {"KODOMO_HOME": str(home.root), "DAGSTER_HOME": str(dagster_home)}
    # A schedule needs a landing folder; without one the graph and past runs are there to be seen.
    variables["KODOMO_LANDING"] = str(landing or os.environ.get("KODOMO_LANDING") or home.landing)
    dagster = Service(
        "Dagster",
        # Dagster has no log-in: it is for those who sit at this machine, or behind a proxy that asks.
        "127.0.0.1",
        dagster_port,
        "/server_info",
        [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "-m",
            "orchestration.definitions",
            "--host",
            "127.0.0.1",
            "--port",
            str(dagster_port),
        ],
        variables,
    )
    return [superset, dagster]


def state_file(home: Home) -> Path:
    """Process ids of what was started."""
    return home.servers


def running(home: Home) -> dict[str, int]:
    """Process groups that `kodomo serve` started and that still run, by service."""
    file = state_file(home)
    if not file.exists():
        return {}
    pids = {}
    for name, entry in json.loads(file.read_text(encoding="utf-8")).items():
        # The number may have gone to another process since: its start must be the one noted.
        if _started(entry["pid"]) == entry["started"]:
            pids[name] = entry["pid"]
    return pids


def _started(pid: int) -> str | None:
    """When a process was started (clock ticks since boot), None if there is none."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    fields = content.rsplit(")", 1)[-1].split()
    return None if fields[0] == "Z" else fields[19]


def start(home: Home, wanted: list[Service]) -> list[subprocess.Popen]:
    """Start the services and wait until all answer. Raises KodomoError, and stops them, when one does not."""
    if running(home):
        raise UsageError("The servers of this home are up already: `kodomo serve --stop` stops them.")
    for service in wanted:
        if not port_is_free(service.host, service.port):
            raise UsageError(
                "Port {port} is taken: choose another one for {name}.", port=service.port, name=service.name
            )
    logs = home.logs
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    processes = []
    entries = {}
    try:
        for service in wanted:
            with (logs / f"{service.name.lower()}.log").open("ab") as log:
                process = subprocess.Popen(
                    service.command,
                    cwd=PROJECT,
                    env={**os.environ, **service.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            processes.append(process)
            entries[service.name] = {"pid": process.pid, "started": _started(process.pid)}
        state_file(home).write_text(json.dumps(entries), encoding="utf-8")
        deadline = time.monotonic() + START_SECONDS
        for service, process in zip(wanted, processes, strict=True):
            while not service.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise KodomoError(
                        "{name} did not start: see {value}",
                        name=service.name,
                        value=logs / (service.name.lower() + ".log"),
                    )
                time.sleep(0.3)
    except BaseException:
        stop(home)
        raise
    return processes


def stop(home: Home) -> list[str]:
    """Stop what `kodomo serve` started, and only that; returns the names."""
    pids = running(home)
    for pid in pids.values():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running(home) and time.monotonic() < deadline:
        for pid in pids.values():
            _reap(pid)
        time.sleep(0.1)
    for pid in running(home).values():
        _signal(pid, signal.SIGKILL)
    state_file(home).unlink(missing_ok=True)
    return sorted(pids)


def _signal(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def port_is_free(host: str, port: int) -> bool:
    """Whether a server may listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
