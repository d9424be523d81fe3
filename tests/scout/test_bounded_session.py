"""Every answer ends, or is given up."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from requests.exceptions import RequestException

from webhook.scout.bounded_session import BoundedSession

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def server(*parts: bytes) -> Iterator[str]:
    """Sends these parts one by one to whoever connects, and closes."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                for part in parts:
                    connection.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(20)


def session(*times: float) -> BoundedSession:
    """Answers have ten seconds and a thousand bytes; the clock shows these times, or stands still."""
    clock = iter(times)
    return BoundedSession(seconds=10, size=1000, clock=lambda: next(clock, 0.0))


def test_an_answer_that_comes_in_time_is_read_whole() -> None:
    packed = gzip.compress(b"[1]")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"5\r\n" + packed[:5] + b"\r\n%x\r\n" % len(packed[5:]) + packed[5:] + b"\r\n0\r\n\r\n"
    with server(head, chunks) as url, session() as asking:
        answer = asking.get(url, timeout=60)
    assert (answer.status_code, answer.json()) == (200, [1])


def test_an_answer_that_drips_is_given_up_at_its_deadline() -> None:
    with server(OK % 3, b"a") as url, session(0.0, 10.1) as asking, pytest.raises(RequestException, match="not end"):
        asking.get(url, timeout=60)


def test_an_answer_that_is_too_large_is_given_up_also_when_it_is_small_on_the_wire() -> None:
    packed = gzip.compress(b"x" * 1_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with server(head, packed) as url, session() as asking, pytest.raises(RequestException, match="larger than 1000"):
        asking.get(url, timeout=60)


@pytest.mark.parametrize(
    "parts", [(OK % 9, b"short"), (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"x")]
)
def test_an_answer_that_breaks_off_is_an_error_of_the_request(parts: tuple[bytes, ...]) -> None:
    with server(*parts) as url, session() as asking, pytest.raises(RequestException):
        asking.get(url, timeout=60)


def test_where_an_answer_leads_elsewhere_the_other_one_counts() -> None:
    with server(OK % 2, b"{}") as there:
        moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % there.encode()
        with server(moved) as url, session() as asking:
            assert asking.get(url, timeout=60).json() == {}
