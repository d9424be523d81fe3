"""Bytes go both ways as they come, over TLS too, until either side ends."""

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from certs.files import ensure
from tests.support.exchange import exchange
from webhook.logs.relay import Relayed, relay, say_goodbye
from webhook.model.limits.logs import SESSION_PIECE

FOREVER = 60.0
MUCH = os.urandom(3 << 20)
"""More than all buffers on the way hold."""


def pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.create_connection(server.getsockname()[:2], timeout=20)
        here, _ = server.accept()
    return here, there


def tls_pair(folder: Path) -> tuple[socket.socket, socket.socket]:
    """The two ends of a TLS connection."""
    files = ensure(folder)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(files.certificate, files.key)
    asking = ssl.create_default_context(cafile=str(files.ca))
    here, there = pair()
    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(serving.wrap_socket, here, server_side=True)
        return asking.wrap_socket(there, server_hostname="localhost"), served.result(20)


Pair = Callable[[], tuple[socket.socket, socket.socket]]


@pytest.fixture(params=["tcp", "tls"])
def make_pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    return pair if request.param == "tcp" else lambda: tls_pair(tmp_path)


@contextmanager
def relayed(
    make: Pair, silence: float = FOREVER, parting: float = FOREVER
) -> Iterator[tuple[socket.socket, socket.socket, "Future[Relayed]"]]:
    """The user's end, the pod's end, and what becomes of the relay between them."""
    (front, user), (inner, pod) = make(), make()

    def run() -> Relayed:
        with front, inner:
            done = relay(front, inner, silence=silence, parting=parting)
            say_goodbye(front)
            say_goodbye(inner)
            return done

    with user, pod, ThreadPoolExecutor(1) as pool:
        for one in (user, pod):
            one.settimeout(20)
        yield user, pod, pool.submit(run)


def speak_and_close(pod: socket.socket) -> None:
    pod.sendall(MUCH)
    say_goodbye(pod)
    pod.close()


def test_what_either_side_says_reaches_the_other_at_once(make_pair: Pair) -> None:
    with relayed(make_pair) as (user, pod, done):
        user.sendall(b"ls\n")
        assert pod.recv(100) == b"ls\n"
        pod.sendall(b"a b\n")
        assert user.recv(100) == b"a b\n"
        user.close()
        assert pod.recv(100) == b""
        assert done.result(20) == Relayed(3, 4, silent=False)


def test_much_goes_both_ways_at_once_and_none_of_it_is_lost_changed_or_kept(make_pair: Pair) -> None:
    with relayed(make_pair) as (user, pod, done), ThreadPoolExecutor(2) as pool:
        found = [pool.submit(exchange, one, MUCH, len(MUCH)) for one in (user, pod)]
        assert [one.result(60) for one in found] == [MUCH, MUCH]
        pod.close()
        assert user.recv(100) == b""
        assert done.result(20) == Relayed(len(MUCH), len(MUCH), silent=False)


def test_the_last_words_of_a_pod_arrive_though_it_has_closed(make_pair: Pair) -> None:
    with relayed(make_pair) as (user, pod, done):
        sending = threading.Thread(target=speak_and_close, args=(pod,))
        sending.start()
        assert exchange(user, b"", len(MUCH) + 1) == MUCH
        sending.join(20)
        assert done.result(20).out == len(MUCH)


def test_the_last_words_of_a_pod_that_takes_nothing_more_arrive_too() -> None:
    tried = threading.Event()

    class Deaf(socket.socket):
        def send(self, *_: object) -> int:
            tried.set()
            raise BrokenPipeError

    def deaf_pair() -> tuple[socket.socket, socket.socket]:
        inner, pod = pair()
        return Deaf(fileno=inner.detach()), pod

    pairs = iter((pair, deaf_pair))

    def make() -> tuple[socket.socket, socket.socket]:
        return next(pairs)()

    with relayed(make) as (user, pod, done):
        user.sendall(b"exit\n")
        assert tried.wait(20)
        user.sendall(b"more\n")
        pod.sendall(b"code 3")
        pod.close()
        assert exchange(user, b"", 100) == b"code 3"
        assert done.result(20) == Relayed(0, 6, silent=False)


def narrow_pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a connection that holds a few kilobytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.socket()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        there.connect(server.getsockname()[:2])
        here, _ = server.accept()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return here, there


def test_who_goes_while_the_pod_takes_nothing_is_not_waited_for() -> None:
    """A command that reads no input goes on in its pod for hours after a Ctrl-C."""
    pairs = iter((pair, narrow_pair))

    def make() -> tuple[socket.socket, socket.socket]:
        return next(pairs)()

    with relayed(make, parting=0.05) as (user, pod, done):
        user.sendall(bytes(SESSION_PIECE * 3 // 2))
        user.close()
        assert done.result(20).silent
        assert pod.recv(1) == b"\0"


def test_what_was_said_before_the_end_is_passed_on_for_as_long_as_it_is_taken(make_pair: Pair) -> None:
    with relayed(make_pair) as (user, pod, done):
        user.settimeout(None)
        sending = threading.Thread(target=speak_and_close, args=(user,))
        sending.start()
        assert exchange(pod, b"", len(MUCH) + 1) == MUCH
        sending.join(20)
        assert done.result(20).into == len(MUCH)


def test_where_nothing_is_said_the_end_comes_after_a_time(make_pair: Pair) -> None:
    with relayed(make_pair, silence=0.05) as (user, pod, done):
        assert done.result(20) == Relayed(0, 0, silent=True)
        assert (user.recv(1), pod.recv(1)) == (b"", b"")


def test_who_reads_nothing_is_waited_for_and_holds_up_only_that_way() -> None:
    with relayed(pair) as (user, pod, done):
        with ThreadPoolExecutor(1) as pool:
            stuck = pool.submit(user.sendall, MUCH)
            for number in range(5):
                pod.sendall(b"%d" % number)
                assert user.recv(100) == b"%d" % number
            assert not done.done()
            assert exchange(pod, b"", len(MUCH)) == MUCH
            stuck.result(20)
        user.close()
        assert done.result(20).into == len(MUCH)
