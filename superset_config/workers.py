"""How Superset's processes take requests: settings of gunicorn (``--config python:superset_config.workers``)."""

import gc

workers = 2
threads = 8
# A process takes no more than it has threads for, and keeps no idle connection: a waiting request waits for
# whichever process is free first. With more, the one that took more of twenty users would keep half of them waiting.
worker_connections = threads
keepalive = 0
timeout = 120
# Long filters travel in the address.
limit_request_line = 0


def post_worker_init(worker: object) -> None:
    """What Superset has loaded stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
