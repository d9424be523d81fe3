"""More Workflows at once than there is room for: no target is overfilled, and nobody is lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.end_to_end.ledger import Row, rows_of
from tests.end_to_end.objects import TARGETS, pods, runs_in
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long

MANY, ROOM = 30, 20
# Ten Workflows of two cores and half a GiB each; one pod each, since many at once is the point, and not many pods.
PER_TARGET = (str(ROOM), "5Gi")
JOB = ("executor_num=0", "driver_cores_limit=2", "driver_memory_limit=0.5g", "seconds=4")
_ALIVE = ("Pending", "Running")


class Use:
    """The most cores that the pods of a namespace had for limits at once, per target."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.most = dict.fromkeys(TARGETS, 0.0)

    def look(self) -> None:
        """Look once."""
        for cluster in TARGETS:
            alive = [pod for pod in pods(cluster, self._namespace) if pod["status"].get("phase") in _ALIVE]
            self.most[cluster] = max(self.most[cluster], sum(_cores(pod) for pod in alive))


def _cores(pod: dict[str, dict[str, list[dict[str, dict[str, dict[str, str]]]]]]) -> float:
    texts = [container["resources"].get("limits", {}).get("cpu", "0") for container in pod["spec"]["containers"]]
    return sum(float(text[:-1]) / 1000 if text.endswith("m") else float(text) for text in texts)


@contextmanager
def watched(use: Use) -> Iterator[None]:
    """Look again and again while the block runs."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            use.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# A pod and an agent for each Workflow, on whatever machine this is.
@pytest.mark.timeout(600, func_only=True)
def test_thirty_at_once_into_room_for_twenty_fill_no_target_over_its_quota_and_all_run(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace(west=PER_TARGET, east=PER_TARGET)
    use = Use(workspace.name)

    def filled() -> list[Row]:
        rows = rows_of(workspace.name)
        return rows if len([row for row in rows if row["cluster"]]) >= ROOM else []

    with watched(use), ThreadPoolExecutor(10) as people:
        names = list(people.map(lambda _: workspace.submit(*JOB), range(MANY)))
        # A pod counts twice until it is seen: somebody may have been queued for that moment.
        after_the_rush = eventually(filled, "twenty are placed")
        eventually(
            lambda: all(row["state"] == "ended" and row["mirrored"] for row in rows_of(workspace.name)),
            "all thirty have ended",
            within=300,
        )
    rows = rows_of(workspace.name)
    # On a busy machine the first have ended before the last are submitted, and given their room on.
    assert len([row for row in after_the_rush if row["cluster"] and not row["released_at"]]) <= ROOM
    assert {row["phase"] for row in rows} == {"Succeeded"}
    assert sorted(row["name"] for row in rows) == sorted(names)
    assert sorted(name for _, name in runs_in(workspace.name)) == sorted(names)
    assert all(most <= ROOM for most in use.most.values()), use.most
