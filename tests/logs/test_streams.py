"""Readers have places, and are noticed when they go away."""

import socket
import threading

import pytest

from webhook.errors import Busy
from webhook.logs.streams import Streams, is_gone


def test_there_are_as_many_places_as_are_set_and_each_can_be_given_back() -> None:
    streams = Streams(2)
    streams.take()
    streams.take()
    with pytest.raises(Busy, match="2 logs"):
        streams.take()
    streams.release()
    streams.take()


def test_a_reader_that_goes_away_ends_its_log_and_no_other() -> None:
    streams = Streams(2)
    streams.start()
    ended, other = threading.Event(), threading.Event()
    here, there = socket.socketpair()
    stays, staying = socket.socketpair()
    with here, there, stays, staying:
        streams.watch(here, ended.set)
        streams.watch(stays, other.set)
        assert not is_gone(here)
        there.shutdown(socket.SHUT_RDWR)
        assert ended.wait(60)
        assert is_gone(here)
        assert not other.is_set()


def test_a_connection_that_is_forgotten_can_be_watched_again() -> None:
    streams = Streams(1)
    streams.start()
    first, second = threading.Event(), threading.Event()
    here, there = socket.socketpair()
    with here, there:
        forget = streams.watch(here, first.set)
        forget()
        forget()
        streams.watch(here, second.set)
        there.close()
        assert second.wait(60)
        assert not first.is_set()


def test_what_a_reader_still_sends_is_no_sign_that_it_went() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.send(b"more")
        assert not is_gone(here)


def test_an_end_that_fails_costs_no_other_reader_anything() -> None:
    streams, ended = Streams(2), threading.Event()

    def fails() -> None:
        raise RuntimeError("nobody thought of this")

    here, there = socket.socketpair()
    stays, staying = socket.socketpair()
    with here, there, stays, staying:
        streams.watch(here, fails)
        streams.watch(stays, ended.set)
        streams.start()
        there.close()
        staying.close()
        assert ended.wait(60)
