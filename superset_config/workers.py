"""How Superset's processes take requests: settings of gunicorn (``--config python:superset_config.workers``)."""

import gc
import os
import resource
from typing import Any

workers = 2
worker_class = "superset_config.arrivals.BufferingWorker"
threads = 8
# A process takes no more than it has threads for, and keeps no idle connection: a waiting request waits for
# whichever process is free first. With more, the one that took more of twenty users would keep half of them waiting.
worker_connections = threads
keepalive = 0
timeout = 120
# Long filters travel in the address; a head of more than 64 KB is closed by the worker.
limit_request_line = 0
limit_request_fields = 60
limit_request_field_size = 16_384
# A process is replaced after so many requests, or when it has grown: memory of one large answer is not given back.
max_requests = 20_000
max_requests_jitter = 4_000
MOST_MEGABYTES = int(os.environ.get("KODOMO_WORKER_MB", "2048"))
_PAGE = resource.getpagesize()


def post_worker_init(worker: object) -> None:
    """What Superset has loaded stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def post_request(worker: Any, _request: object, _environ: object, _response: object) -> None:
    """Replace a process that has grown beyond MOST_MEGABYTES, once what it serves is answered."""
    if worker.alive and megabytes() > MOST_MEGABYTES:
        worker.log.info("This process has grown: another takes its place.")
        worker.alive = False


def megabytes() -> float:
    """The memory that this process has in use."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE / 2**20
