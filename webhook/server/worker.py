"""gunicorn's threaded worker, made safe against clients that connect and send nothing.

gunicorn gives each new connection a thread at once, which waits five seconds for the first byte: two dozen silent
connections a second would block all threads, and no review would get through. Here, new connections wait in the poller
like idle ones, without a thread.
"""

import selectors
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from webhook.model.limits import SERVER_FIRST_BYTE


class Worker(ThreadWorker):  # type: ignore[misc]
    """For gunicorn's setting `worker_class`."""

    def enqueue_req(self, conn: Any) -> None:
        """Called by gunicorn in the main thread with a connection that is new or readable."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + SERVER_FIRST_BYTE
        conn.sock.setblocking(False)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
