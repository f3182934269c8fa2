"""Figures for Prometheus, on this machine only: ``python -m orchestration.operations.metrics --port PORT``.

Each scrape reads the home anew. A figure that is not there (no publication, no backup) is left out.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kodomo.home import Home
from kodomo.ingest.landing import landing_of
from kodomo.limits import Limits
from kodomo.versions import VERSION
from kodomo.watching.vitals import NOTE, OK, WRONG, read_vitals

HOST = "127.0.0.1"
STATUS = {OK: 0, NOTE: 1, WRONG: 2}
FIGURES = {
    ("batch", "age_seconds"): ("kodomo_publication_age_seconds", "Age of the publication in service."),
    ("disk", "free_bytes"): ("kodomo_disk_free_bytes", "Free bytes of the disk that holds the home."),
    ("disk", "needed_bytes"): ("kodomo_disk_needed_bytes", "Bytes that the next run needs, by estimate."),
    ("queue", "mails_waiting"): ("kodomo_mails_waiting", "Mails that no server has taken yet."),
    ("queue", "oldest_mail_seconds"): ("kodomo_mails_oldest_seconds", "Age of the oldest of them."),
    ("queue", "uploads_waiting"): ("kodomo_uploads_waiting", "Files of stewards that wait for their check."),
    ("queue", "oldest_upload_seconds"): ("kodomo_uploads_oldest_seconds", "Age of the oldest of them."),
    ("backup", "age_seconds"): ("kodomo_backup_age_seconds", "Age of the last backup."),
    ("backup", "is_tried"): ("kodomo_backup_tried", "1 where the last backup was put back once."),
    ("run", "is_running"): ("kodomo_run_in_progress", "1 while a run holds the lock of the home."),
    ("run", "age_seconds"): ("kodomo_run_seconds", "How long the present run holds it."),
}
"""Name and help of each figure of a sign."""


class HomeCollector(Collector):
    """The vital signs of a home as gauges."""

    def __init__(self, home: Home, landing: Path, limits: Limits) -> None:
        self.home, self.landing, self.limits = home, landing, limits

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The version, the status of each sign, and its figures."""
        info = GaugeMetricFamily("kodomo_info", "The version that runs.", labels=["version"])
        info.add_metric([VERSION], 1)
        yield info
        vitals = read_vitals(self.home, self.landing, self.limits)
        status = GaugeMetricFamily("kodomo_check_status", "0 ok, 1 worth knowing, 2 wrong.", labels=["check"])
        for vital in vitals:
            status.add_metric([vital.name], STATUS[vital.status])
        yield status
        for vital in vitals:
            for name, value in vital.figures.items():
                if (vital.name, name) in FIGURES and value is not None:
                    yield GaugeMetricFamily(*FIGURES[vital.name, name], value=float(value))


def registry_of(home: Home) -> CollectorRegistry:
    """What is scraped of a home; nothing of this process."""
    registry = CollectorRegistry()
    registry.register(HomeCollector(home, landing_of(home), Limits.from_environment()))
    return registry


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    server, thread = start_http_server(arguments.port, addr=HOST, registry=registry_of(Home.from_environment()))
    signal.signal(signal.SIGTERM, lambda *_: server.shutdown())
    thread.join()


if __name__ == "__main__":
    main()
