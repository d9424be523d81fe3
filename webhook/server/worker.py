"""gunicorn's threaded worker, but for clients that connect and say nothing.

gunicorn gives each new connection a thread at once, which waits five seconds for its first byte: two dozen silent
connections a second would hold every thread there is, and no review would come through. Here they wait where idle
connections do, which costs no thread.
"""

import selectors
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from webhook.model.limits import SERVER_FIRST_BYTE


class Worker(ThreadWorker):  # type: ignore[misc]
    """Named in gunicorn's setting `worker_class`."""

    def enqueue_req(self, conn: Any) -> None:
        """Called in the main thread with a connection that is new, or has something to read."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + SERVER_FIRST_BYTE
        conn.sock.setblocking(False)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
