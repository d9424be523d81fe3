"""No thread ends without a word."""

import threading

from webhook.kube.threads import dead_threads, start, start_loop


def test_a_thread_that_an_exception_ends_is_named_as_dead() -> None:
    def body() -> None:
        raise RuntimeError("nobody thought of this")

    start("mortal", body).join(60)
    assert "mortal" in dead_threads()


def test_a_thread_that_comes_to_its_end_is_not_dead() -> None:
    start("done", lambda: None).join(60)
    assert "done" not in dead_threads()


def test_a_loop_goes_on_after_an_exception() -> None:
    class Immediately(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
            return self.is_set()

    stop, turns = Immediately(), list[int]()

    def turn() -> None:
        turns.append(1)
        if len(turns) == 3:
            stop.set()
        raise RuntimeError("nobody thought of this")

    start_loop("loop", turn, stop=stop).join(60)
    assert len(turns) == 3
    assert "loop" not in dead_threads()
