"""TCP links that can be cut: a proxy on the loopback which passes everything on, or does what the network may do."""

import contextlib
import socket
import threading
from enum import StrEnum

_PIECE = 64 * 1024
_CONNECT_SECONDS = 5.0


class Mode(StrEnum):
    PASS = "pass"
    REFUSE = "refuse"
    """Connections are reset: nothing listens."""
    HANG = "hang"
    """Connections are accepted and stay silent, those that were open too: a dropping firewall."""
    LOSE_ANSWERS = "lose answers"
    """Requests arrive, and their answers do not: the connection breaks as soon as there is one."""


class Link:
    """A proxy from a port of its own to `target`; `set` changes its mode, for open connections as well."""

    def __init__(self, name: str, target: tuple[str, int]) -> None:
        self.name, self._target = name, target
        self._mode, self._changed = Mode.PASS, threading.Condition()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name=f"link-{name}", daemon=True).start()

    def set(self, mode: Mode) -> None:
        """From now on."""
        with self._changed:
            self._mode = mode
            self._changed.notify_all()
            doomed = list(self._open) if mode is Mode.REFUSE else []
        for one in doomed:
            _shut(one)

    def close(self) -> None:
        """End it, and every connection through it."""
        self._listener.close()
        self.set(Mode.REFUSE)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self._mode is Mode.REFUSE:
            client.close()
            return
        try:
            server = socket.create_connection(self._target, timeout=_CONNECT_SECONDS)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        with self._changed:
            self._open |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client, True), daemon=True)
        back.start()
        self._pump(client, server, False)
        back.join()
        with self._changed:
            self._open -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                with self._changed:
                    while self._mode is Mode.HANG:
                        self._changed.wait()
                    broken = self._mode is Mode.REFUSE or (is_answer and self._mode is Mode.LOSE_ANSWERS)
                if broken:
                    break
                sink.sendall(data)
        _shut(source)
        _shut(sink)


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
