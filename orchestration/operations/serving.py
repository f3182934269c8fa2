"""Starts and stops Superset and Dagster together, in the foreground or in the background."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from kodomo.errors import KodomoError, UsageError
from kodomo.files import write_atomically
from kodomo.home import PROJECT, Home
from kodomo.ingest.landing import landing_of

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
    def has_page(self) -> bool:
        """Whether it is for people: it listens on a port."""
        return bool(self.port)

    @property
    def address(self) -> str:
        """The address of the server for users."""
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::"} else self.host
        return f"http://{host}:{self.port}/"

    def answers(self) -> bool:
        """Whether it answers; one without a port or socket does once it runs."""
        if not self.has_page:
            return not self.host or Path(self.host).is_socket()
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host
        try:
            with urllib.request.urlopen(f"http://{host}:{self.port}{self.health}", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


def services(
    home: Home,
    host: str,
    port: int,
    dagster_port: int | None,
    landing: Path | None,
    workers: int,
    metrics_port: int | None = None,
) -> list[Service]:
    """Superset; Dagster and the figures for Prometheus unless their port is None."""
    from superset_config.server import environment

    # Where a run looks and stewards hand over, which no request chooses; without extracts the graph and past runs are
    # there to be seen.
    folder = {"KODOMO_LANDING": str(landing or landing_of(home))}
    superset = Service(
        "Superset",
        host,
        port,
        # Whether the process answers; /health says whether all is well, which a new home is not yet.
        "/ping",
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
        {**environment(home), **folder},
    )
    metrics = Service(
        "Metrics",
        "127.0.0.1",
        metrics_port or 0,
        "/metrics",
        [sys.executable, "-m", "orchestration.operations.metrics", "--port", str(metrics_port)],
        {"KODOMO_HOME": str(home.root), **folder},
    )
    return [
        superset,
        *([] if dagster_port is None else _dagster(home, dagster_port, folder)),
        *([] if metrics_port is None else [metrics]),
    ]


def _dagster(home: Home, port: int, folder: dict[str, str]) -> list[Service]:
    """The code with its runs, the schedules and sensors, and the pages. Only the pages listen on a port."""
    from orchestration.event_log import write_settings

    dagster_home = write_settings(home)
    code = socket_folder(home) / "code.sock"
    workspace = dagster_home / "workspace.yaml"
    write_atomically(workspace, f"load_from:\n  - grpc_server:\n      socket: {code}\n      location_name: kodomo\n")
    variables = {"KODOMO_HOME": str(home.root), "DAGSTER_HOME": str(dagster_home)}
    dagster = [sys.executable, "-m", "dagster"]
    return [
        Service(
            "Dagster-code",
            str(code),
            0,
            "",
            [*dagster, "code-server", "start", "-m", "orchestration.definitions", "--socket", str(code)],
            {**variables, **folder},
        ),
        Service(
            "Dagster-daemon",
            "",
            0,
            "",
            [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", str(workspace)],
            {**variables, **folder},
        ),
        Service(
            "Dagster",
            "127.0.0.1",
            port,
            "/health",
            [
                sys.executable,
                "-m",
                "orchestration.operations.dagster_web",
                "--port",
                str(port),
                "--workspace",
                str(workspace),
            ],
            variables,
        ),
    ]


def socket_folder(home: Home) -> Path:
    """A folder for sockets that only this user enters: the path of a socket may have 107 bytes, a home's may be longer.

    Raises KodomoError where another user of the machine has made it.
    """
    name = hashlib.sha256(str(home.root).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"kodomo-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise KodomoError("{folder} belongs to another user: delete it, or set TMPDIR.", folder=folder)
    folder.chmod(0o700)
    return folder


def state_file(home: Home) -> Path:
    """Process ids of what was started."""
    return home.servers


def running(home: Home) -> dict[str, int]:
    """Process groups that `kodomo serve` started and that still run, by service."""
    # The number may have gone to another process since: its start must be the one noted.
    return {name: entry["pid"] for name, entry in _noted(home).items() if _started(entry["pid"]) == entry["started"]}


def ended(home: Home) -> list[str]:
    """Services that `kodomo serve` started, that run no more, and that it did not stop."""
    return sorted(_noted(home).keys() - running(home).keys())


def _noted(home: Home) -> dict[str, dict]:
    file = state_file(home)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


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
        if service.has_page and not port_is_free(service.host, service.port):
            raise UsageError(
                "Port {port} is taken: choose another one for {name}.", port=service.port, name=service.name
            )
    for service in wanted:
        # What a killed server left would count as an answer.
        if service.host.startswith("/"):
            Path(service.host).unlink(missing_ok=True)
    home.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    processes = []
    entries = {}
    try:
        for service in wanted:
            log = _log_writer(log_of(home, service))
            process = subprocess.Popen(
                service.command,
                cwd=PROJECT,
                env={**os.environ, **service.environment},
                stdin=subprocess.DEVNULL,
                stdout=log.stdin,
                stderr=log.stdin,
                start_new_session=True,
                umask=0o077,
            )
            # The server alone keeps it open: the log ends with it.
            log.stdin.close()
            processes.append(process)
            entries[service.name] = {"pid": process.pid, "started": _started(process.pid)}
            state_file(home).write_text(json.dumps(entries), encoding="utf-8")
            if not service.has_page:
                # The others ask it.
                _wait(home, service, process)
        for service, process in zip(wanted, processes, strict=True):
            _wait(home, service, process)
    except BaseException:
        stop(home)
        raise
    return processes


def log_of(home: Home, service: Service) -> Path:
    """The log of a server."""
    return home.logs / f"{service.name.lower()}.log"


def _log_writer(file: Path) -> subprocess.Popen:
    """A process that writes its standard input into a log that rotates; it is in no group that is stopped."""
    command = [sys.executable, "-m", "orchestration.operations.log_writer", str(file)]
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        # Of `kodomo serve --detach` nothing stays open.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait(home: Home, service: Service, process: subprocess.Popen) -> None:
    """Wait until a service answers. Raises KodomoError when it ends before, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not service.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise KodomoError(
                "{name} did not start: see {value}",
                name=service.name,
                value=log_of(home, service),
            )
        time.sleep(0.3)


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
