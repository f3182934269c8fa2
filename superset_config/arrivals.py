"""gunicorn's worker of threads, which gives a thread only to a request that has arrived.

gunicorn's own waits for the rest of a request in one of its threads: as many half requests as there are threads, and
no further request is served. Here a connection waits in the loop, without a thread, until its head and its body are
there; one that takes too long, or sends a head without end, is closed. A body that its socket does not hold is read
here: no larger one than the server takes, none that does not say how large it is, and of not too many requests at once.
Files of a logged-in user come at one address, and their bytes go to the disk.
"""

from __future__ import annotations

import errno
import io
import re
import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn, ThreadWorker

from superset_config.uploading import MOST_UPLOAD, UPLOAD_AT, body_file, has_room, is_signed_in

ARRIVAL_SECONDS = 10
"""Until a request must be there, but for a body that its socket does not hold."""
BODY_SECONDS = 60
"""Until such a body must be there."""
MOST_BYTES = 64 * 1024
"""Of a head, and of a request that waits in its socket: what a socket holds unread."""
MOST_BODY = 4 * 1024 * 1024
"""Of a body that is waited for: a larger one is refused by its head (Superset's MAX_CONTENT_LENGTH)."""
MOST_SIZE = MOST_BYTES + MOST_BODY
UPLOAD_SECONDS = 1_800
"""Until files must be there: 500 MB at 2.2 Mbit/s."""
QUIET_SECONDS = 60
"""How long nothing may come of files on their way."""
MOST_UPLOADS = 2
"""Requests with files that are read at once in one process; a further one is refused for a minute."""
MOST_BODIES = 16
"""Bodies that are read at once in one process; of more, the oldest is closed."""
MOST_WAITING = 500
"""Connections that wait in one process; of more, the oldest is closed."""
LINGER_SECONDS = 2
"""How long a client has to take its answer and close (RFC 9112, section 9.6), as in gunicorn."""
STALLED_SECONDS = 60
"""How long a thread waits for a client that has stopped reading or sending."""
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_WITHOUT_LENGTH = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BRINGS_FILES = re.compile(rb"POST " + re.escape(UPLOAD_AT.encode()) + rb" HTTP/1\.[01]\r\n")
_COOKIES = re.compile(rb"\r\ncookie:[ \t]*([^\r\n]*)\r\n", re.IGNORECASE)
_NO_ROOM = b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_COME_AGAIN = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_LENGTH_REQUIRED = b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Arriving:
    """A connection whose request is not there yet."""

    connection: TConn
    until: float
    seen: int = 0
    read: IO[bytes] | None = None
    """What has been read of a request whose body its socket does not hold."""
    size: int = 0
    """Bytes of that request."""
    brings_files: bool = False
    """Whether that goes to the disk, as files that a logged-in user sends."""
    ends: float = 0
    """Until when these must be there."""


class Connection(TConn):
    """A connection that a client may close first without the loop waiting for it, as gunicorn's own does."""

    def __init__(self, worker: BufferingWorker, *args: Any) -> None:
        super().__init__(*args)
        self.worker = worker

    def close(self, graceful: bool = False) -> None:
        """Close at once, or after the client has closed."""
        if graceful:
            self.worker.linger(self)
        else:
            super().close()


def size_of(seen: bytes) -> int | None:
    """Bytes of a request, from its beginning: None until its head is there, -1 if the head does not say."""
    head = seen.find(_END)
    if head < 0:
        return None
    if _WITHOUT_LENGTH.search(seen[: head + 2]):
        return -1
    length = _LENGTH.search(seen[: head + 2])
    return head + len(_END) + (int(length[1]) if length else 0)


class BufferingWorker(ThreadWorker):
    """A worker in whose threads a slow client takes no place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[TConn, Arriving] = {}
        self.arrived: list[TConn] = []
        self.served: dict[TConn, float] = {}
        self.lingering: dict[TConn, float] = {}

    def accept(self, listener: Any) -> None:
        """Accept a connection, and serve it at once if its request is there."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        connection = Connection(self, self.cfg, client, address, listener.getsockname())
        arriving = Arriving(connection, time.monotonic() + ARRIVAL_SECONDS)
        if not self._take(arriving):
            return
        self.arriving[connection] = arriving
        self.poller.register(client, 1, partial(self._on_more, arriving))
        self._close_oldest(list(self.arriving.values()), MOST_WAITING)

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
        if arriving.read is not None:
            return self._read(arriving, arriving.read)
        try:
            seen = client.recv(MOST_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            arriving.connection.close()
            return False
        size = size_of(seen)
        if size == -1:
            client.send(_LENGTH_REQUIRED)
        if size == -1 or (size is None and len(seen) >= MOST_BYTES) or len(seen) == arriving.seen:
            # Without a length, without an end, or no more than before: the client has closed its side.
            arriving.connection.close()
            return False
        arriving.seen = len(seen)
        if size is not None and size > MOST_BYTES and self._may_bring_files(seen, size):
            is_busy = sum(one.brings_files for one in self.arriving.values()) >= MOST_UPLOADS
            if is_busy or not has_room(size):
                client.send(_COME_AGAIN if is_busy else _NO_ROOM)
                arriving.connection.close(graceful=True)
                return False
            arriving.brings_files = True
            return self._begin_to_read(arriving, size, is_awaited=_EXPECTS.search(seen) is not None)
        if size is not None and size > MOST_SIZE:
            head = seen[: seen.find(_END) + len(_END)]
            arriving.connection.parser = get_parser(self.cfg, iter([head]), arriving.connection.client)
            self._serve(arriving.connection)
            return False
        if size is not None and size > MOST_BYTES:
            return self._begin_to_read(arriving, size, is_awaited=_EXPECTS.search(seen) is not None)
        if size is None or len(seen) < size:
            # The socket becomes readable when there is more than has been looked at.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(seen) + 1)
            return True
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self._serve(arriving.connection)
        return False

    def _begin_to_read(self, arriving: Arriving, size: int, is_awaited: bool) -> bool:
        """Read a request whose body its socket does not hold; True if it must wait for more."""
        client = arriving.connection.sock
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        if is_awaited:
            client.send(_CONTINUE)
        now = time.monotonic()
        if arriving.brings_files:
            arriving.read, arriving.ends = body_file(), now + UPLOAD_SECONDS
            arriving.until = now + QUIET_SECONDS
        else:
            arriving.read, arriving.until = io.BytesIO(), now + BODY_SECONDS
            others = [one for one in self.arriving.values() if one.read is not None and not one.brings_files]
            self._close_oldest(others, MOST_BODIES - 1)
        arriving.size = size
        return self._read(arriving, arriving.read)

    def _may_bring_files(self, seen: bytes, size: int) -> bool:
        """Whether a request with a long body is one with files, of a logged-in user, that is not too long."""
        head = seen[: seen.find(_END) + 2]
        if not _BRINGS_FILES.match(head) or size > MOST_BYTES + MOST_UPLOAD:
            return False
        cookies = _COOKIES.search(head)
        return cookies is not None and is_signed_in(self.wsgi, cookies[1].decode("latin-1"))

    def _read(self, arriving: Arriving, read: IO[bytes]) -> bool:
        """Read what has come of a body, and serve or close its connection; True if it must wait for more."""
        connection = arriving.connection
        try:
            received = connection.sock.recv(min(MOST_BYTES, arriving.size - read.tell()))
            read.write(received)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            # Gone, or the disk is full.
            received = b""
        if not received:
            read.close()
            connection.close()
            return False
        if arriving.brings_files:
            arriving.until = min(time.monotonic() + QUIET_SECONDS, arriving.ends)
        if read.tell() < arriving.size:
            return True
        read.seek(0)
        connection.parser = get_parser(self.cfg, iter(partial(read.read, MOST_BYTES), b""), connection.client)
        self._serve(connection)
        return False

    def _serve(self, connection: TConn) -> None:
        """Put a connection whose request is there behind those before it."""
        connection.data_ready = True
        self.arrived.append(connection)
        self._serve_arrived()

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

    def linger(self, connection: TConn) -> None:
        """Say that the answer has ended, and close when the client has closed or its time is over."""
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()
            return
        self.lingering[connection] = time.monotonic() + LINGER_SECONDS
        self.poller.register(connection.sock, 1, partial(self._on_rest, connection))
        for oldest in [*self.lingering][: max(0, len(self.lingering) - MOST_WAITING)]:
            self._leave(oldest)

    def _on_rest(self, connection: TConn, client: Any) -> None:
        """What a client still sends is thrown away, until it closes."""
        try:
            if client.recv(MOST_BYTES):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._leave(connection)

    def _leave(self, connection: TConn) -> None:
        del self.lingering[connection]
        self.poller.unregister(connection.sock)
        connection.close()

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
        for connection in [one for one, until in self.lingering.items() if until < now]:
            self._leave(connection)
        for connection, since in list(self.served.items()):
            if now - since > self.cfg.timeout:
                # Its thread sees the end of the body; an answer on its way is not cut.
                try:
                    connection.sock.shutdown(socket.SHUT_RD)
                except OSError:
                    self.served.pop(connection, None)

    def _close_oldest(self, waiting: list[Arriving], most: int) -> None:
        """Close the first of connections that wait, of which there are more than ``most``."""
        for arriving in waiting[: max(0, len(waiting) - most)]:
            self._close(arriving)

    def _close(self, arriving: Arriving) -> None:
        self.arriving.pop(arriving.connection, None)
        if arriving.read is not None:
            arriving.read.close()
        self.poller.unregister(arriving.connection.sock)
        arriving.connection.close()
