"""gunicorn's worker of threads, which gives a thread only to a request that has arrived.

gunicorn's own waits for the rest of a request in one of its threads: as many half requests as there are threads, and
no further request is served. Here a connection waits in the loop, without a thread, until its head and the beginning
of its body are there; one that takes too long, or sends a head without end, is closed.
"""

from __future__ import annotations

import errno
import re
import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

ARRIVAL_SECONDS = 10
"""Until a request must be there."""
MOST_BYTES = 64 * 1024
"""Of a head, and of what is waited for of a body: what a socket holds unread."""
MOST_WAITING = 500
"""Connections that wait in one process; of more, the oldest is closed."""
STALLED_SECONDS = 60
"""How long a thread waits for a client that has stopped reading or sending."""
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)


@dataclass
class Arriving:
    """A connection whose request is not there yet."""

    connection: TConn
    until: float
    seen: int = 0


def missing_bytes(seen: bytes) -> int:
    """How many more bytes a request needs before a thread may take it: 0 if it is there, -1 if it has no end."""
    head = seen.find(_END)
    if head < 0:
        return -1 if len(seen) >= MOST_BYTES else 1
    length = _LENGTH.search(seen[: head + 2])
    wanted = head + len(_END) + (int(length[1]) if length else 0)
    return max(0, min(wanted, MOST_BYTES) - len(seen))


class BufferingWorker(ThreadWorker):
    """A worker in whose threads a slow client takes no place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[TConn, Arriving] = {}
        self.arrived: list[TConn] = []
        self.served: dict[TConn, float] = {}

    def accept(self, listener: Any) -> None:
        """Accept a connection, and serve it at once if its request is there."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        connection = TConn(self.cfg, client, address, listener.getsockname())
        arriving = Arriving(connection, time.monotonic() + ARRIVAL_SECONDS)
        if not self._take(arriving):
            return
        self.arriving[connection] = arriving
        self.poller.register(client, 1, partial(self._on_more, arriving))
        if len(self.arriving) > MOST_WAITING:
            self._close(next(iter(self.arriving.values())))

    def _on_more(self, arriving: Arriving, _client: Any) -> None:
        """More of a request has come, or its client has gone."""
        self.poller.unregister(arriving.connection.sock)
        del self.arriving[arriving.connection]
        if self._take(arriving):
            self.arriving[arriving.connection] = arriving
            self.poller.register(arriving.connection.sock, 1, partial(self._on_more, arriving))

    def _take(self, arriving: Arriving) -> bool:
        """Serve or close a connection; True if it must wait for more."""
        client = arriving.connection.sock
        try:
            seen = client.recv(MOST_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            arriving.connection.close()
            return False
        missing = missing_bytes(seen)
        if missing < 0 or len(seen) == arriving.seen:
            # Without an end, or no more than before: the client has closed its side.
            arriving.connection.close()
            return False
        arriving.seen = len(seen)
        if missing:
            # The socket becomes readable when there is more than has been looked at.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(seen) + 1)
            return True
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        arriving.connection.data_ready = True
        self.arrived.append(arriving.connection)
        self._serve_arrived()
        return False

    def _serve_arrived(self) -> None:
        """Give threads to requests that are there, in their order."""
        while self.arrived and self.nr_conns < self.worker_connections:
            connection = self.arrived.pop(0)
            self.nr_conns += 1
            self.served[connection] = time.monotonic()
            self.enqueue_req(connection)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Close or keep the connection, and serve the next."""
        self.served.pop(conn, None)
        super().finish_request(conn, fs)
        self._serve_arrived()

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Serve a request; a client that stops reading or sending is given up."""
        conn.sock.settimeout(STALLED_SECONDS)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Close connections whose request has not come in time; stop reading from those served for too long."""
        super().murder_pending()
        now = time.monotonic()
        for arriving in [one for one in self.arriving.values() if one.until < now]:
            self._close(arriving)
        for connection, since in list(self.served.items()):
            if now - since > self.cfg.timeout:
                # Its thread sees the end of the body; an answer on its way is not cut.
                try:
                    connection.sock.shutdown(socket.SHUT_RD)
                except OSError:
                    self.served.pop(connection, None)

    def _close(self, arriving: Arriving) -> None:
        self.arriving.pop(arriving.connection, None)
        self.poller.unregister(arriving.connection.sock)
        arriving.connection.close()
