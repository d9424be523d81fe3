"""The queue of placements to look at."""

import threading

from webhook.kube.workqueue import WorkQueue


def test_a_key_waits_at_most_once() -> None:
    work = WorkQueue()
    work.add("a")
    work.add("a")
    assert work.get() == "a"
    work.done("a")
    assert len(work) == 0


def test_a_key_that_changes_while_it_is_worked_on_comes_back_after_that_and_not_before() -> None:
    work = WorkQueue()
    work.add("a")
    assert work.get() == "a"
    work.add("a")
    work.add("b")
    assert work.get() == "b"
    work.done("a")
    assert work.get() == "a"


def test_a_key_that_failed_comes_back() -> None:
    work = WorkQueue()
    work.add("a")
    assert work.get() == "a"
    work.failed("a")
    assert work.get() == "a"


def test_closing_wakes_those_who_wait() -> None:
    work = WorkQueue()
    got: list[str | None] = ["nothing yet"]
    waiting = threading.Thread(target=lambda: got.append(work.get()))
    waiting.start()
    work.close()
    waiting.join(5)
    assert got[-1] is None


def test_many_threads_never_work_on_one_key_at_once() -> None:
    work, busy, clashes, looked = WorkQueue(), set[str](), list[str](), list[str]()
    lock = threading.Lock()

    def worker() -> None:
        while (key := work.get()) is not None:
            with lock:
                clashes.extend([key] if key in busy else [])
                busy.add(key)
            looked.append(key)
            with lock:
                busy.discard(key)
            work.done(key)

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        work.add(f"key-{number % 7}")
    while len(work):
        threading.Event().wait(0.01)
    work.close()
    for thread in threads:
        thread.join(5)
    assert clashes == []
    assert {f"key-{number}" for number in range(7)} == set(looked)
