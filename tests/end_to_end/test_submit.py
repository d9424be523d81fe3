"""However a Workflow is submitted, it is placed, runs once on the target, and its origin tells the whole story."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.end_to_end.commands import Ran
from tests.end_to_end.ledger import Row, ledger_row
from tests.end_to_end.objects import TARGETS, Object, annotations, origin, pods, runs_of
from tests.end_to_end.podwatch import PodWatch, watching
from tests.end_to_end.submitting import TOTALS, WAYS
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace

WITH_WARNING = [way for way in WAYS if way != "argo-server"]


@dataclass(frozen=True)
class Submitted:
    """One Workflow after its end, seen from everywhere."""

    said: str
    waited: Ran
    origin: Object
    row: Row
    runs: list[tuple[str, Object]]

    @property
    def name(self) -> str:
        """The Workflow's name."""
        return str(self.row["name"])


@pytest.fixture(scope="module")
def front_pods(shared: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodWatch]:
    with watching("front", shared.name, tmp_path_factory.mktemp("pods") / "front") as watch:
        yield watch


@pytest.fixture(scope="module")
def submitted(shared: Workspace, front_pods: PodWatch) -> dict[str, Submitted]:
    """All ways at once, since the machine is small and each takes seconds; the watch is up before they are."""
    assert front_pods.seen == {}
    accepted = {way: submit(shared) for way, submit in WAYS.items()}
    waited = {name: shared.wait(name) for name, _ in accepted.values()}
    return {way: _look(shared, name, said, waited[name]) for way, (name, said) in accepted.items()}


def _look(workspace: Workspace, name: str, said: str, waited: Ran) -> Submitted:
    row = ledger_row(workspace.name, name)
    return Submitted(said, waited, origin(workspace.name, name), row, runs_of(row["placement"]))


@pytest.fixture(params=list(WAYS))
def one(request: pytest.FixtureRequest, submitted: dict[str, Submitted]) -> Submitted:
    return submitted[request.param]


@pytest.mark.parametrize("way", WITH_WARNING)
def test_the_user_is_told_where_it_went(submitted: dict[str, Submitted], way: str) -> None:
    one = submitted[way]
    # Argo's command line before 3.7 writes warnings as client-go's log does.
    assert re.search(rf"(Warning: |warnings\.go:\d+\] )medea: placed on {one.row['cluster']}", one.said), one.said


def test_exactly_one_run_exists_and_is_where_the_annotation_says(one: Submitted) -> None:
    assert [cluster for cluster, _ in one.runs] == [annotations(one.origin)["cluster"]]
    assert one.runs[0][0] in TARGETS


def test_argo_wait_ends_with_the_run(one: Submitted) -> None:
    assert one.waited.code == 0
    assert f"{one.name} Succeeded" in one.waited.said


def test_the_origin_carries_every_annotation(one: Submitted) -> None:
    found = annotations(one.origin)
    assert found.keys() == {"placement", "cluster", "state", "totals", "decision"}
    assert found["placement"] == one.row["placement"]
    assert found["totals"] == TOTALS
    assert found["state"] == "succeeded"
    assert found["cluster"] in found["decision"]


def test_the_run_carries_the_labels_that_join_it_to_its_origin(one: Submitted) -> None:
    _, run = one.runs[0]
    labels = run["metadata"]["labels"]
    assert labels["medea.dev/placement"] == one.row["placement"]
    assert labels["medea.dev/origin-uid"] == one.origin["metadata"]["uid"]
    assert labels["medea.dev/origin-name"] == one.name


def test_the_ledger_has_one_row_with_all_there_is_to_know(one: Submitted, shared: Workspace) -> None:
    row = one.row
    assert (row["state"], row["phase"]) == ("ended", "Succeeded")
    assert row["cluster"] == one.runs[0][0]
    assert (row["cpu_milli"], row["memory_bytes"]) == (2000, 512 << 20)
    assert (row["template"], row["namespace"]) == ("hello-world-template", shared.name)
    assert row["run_uid"] == one.runs[0][1]["metadata"]["uid"]
    times = [row[f"{word}_at"] for word in ("created", "placed", "dispatched", "ended", "released")]
    assert all(times) and times == sorted(times)


@pytest.mark.parametrize(
    ("way", "identity"),
    [("argo submit --from", "admin"), ("argo-server", "system:serviceaccount:argo:argo-server")],
)
def test_the_ledger_knows_who_submitted_it(submitted: dict[str, Submitted], way: str, identity: str) -> None:
    assert submitted[way].row["identity"] == identity


def test_argo_list_and_get_show_it_as_ended(one: Submitted, shared: Workspace) -> None:
    listed = shared.argo("list").ok().out
    assert any(line.split()[:2] == [one.name, "Succeeded"] for line in listed.splitlines())
    got = json.loads(shared.argo("get", one.name, "-o", "json").ok().out)
    assert got["status"]["phase"] == "Succeeded"


def test_argo_get_shows_the_runs_nodes_under_the_targets_name(one: Submitted, shared: Workspace) -> None:
    tree = shared.argo("get", one.name, "--no-color").ok().out
    cluster, _ = one.runs[0]
    assert "✔ placement " in tree
    assert tree.index(f"✔ {cluster} ") < tree.index("✔ driver")
    assert "✔ executor(0" in tree


def test_no_pod_of_a_job_was_ever_at_the_front_door(
    submitted: dict[str, Submitted], front_pods: PodWatch, shared: Workspace
) -> None:
    def agents() -> set[str]:
        return {name for name, part in front_pods.seen.items() if part == "agent"}

    # The agents prove that the watch saw anything at all.
    eventually(agents, "an agent's pod was seen at the front door")
    assert set(front_pods.seen.values()) == {"agent"}
    assert all(any(name.startswith(one.name) for one in submitted.values()) for name in agents())

    def real() -> list[str]:
        found = [pod["metadata"] for pod in pods("front", shared.name)]
        return [one["name"] for one in found if "medea.dev/mirrored" not in one["labels"]]

    # A pod that is told to go has 30 seconds.
    eventually(lambda: not real(), "the agents went with their Workflows")
