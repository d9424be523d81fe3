"""What a run does over there is what its origin says here: while it runs, when it fails, and what it puts out."""

import pytest

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import annotations, origin, pods, runs_of
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace


@pytest.fixture(scope="module")
def names(shared: Workspace) -> dict[str, str]:
    """Submitted together, because they run side by side."""
    example = shared.argo("submit", "-o", "name", str(EXAMPLES / "spark-inline.yaml")).ok().out.strip()
    zero = inline("printf 'a\\000b' > /tmp/out", SMALL)
    zero["spec"]["templates"][0]["outputs"] = {"parameters": [{"name": "out", "valueFrom": {"path": "/tmp/out"}}]}
    return {
        "fails": shared.create(inline("echo bad luck; exit 3", SMALL)),
        "puts out": example,
        "puts out a zero byte": shared.create(zero),
    }


def test_argo_get_shows_the_runs_nodes_while_they_run(shared: Workspace) -> None:
    # So long that it still runs when a busy machine has started argo, and all is looked at.
    name = shared.submit("executor_num=1", "seconds=20")

    def shown() -> str:
        tree = shared.argo("get", name, "--no-color").ok().out
        return tree if "driver" in tree and "● driver" in tree else ""

    tree = eventually(shown, "argo get shows the driver as running")
    running = origin(shared.name, name)
    cluster = annotations(running)["cluster"]
    assert f"● {cluster} " in tree
    assert annotations(running)["state"] == "running"
    assert running["status"]["phase"] == "Running"
    assert pods(cluster, shared.name)
    assert shared.wait(name).code == 0


def test_a_run_that_fails_fails_its_origin_with_its_message(shared: Workspace, names: dict[str, str]) -> None:
    name = names["fails"]
    assert shared.wait(name).code != 0
    failed = origin(shared.name, name)
    row = ledger_row(shared.name, name)
    [(_, run)] = runs_of(row["placement"])
    assert failed["status"]["phase"] == run["status"]["phase"] == row["phase"] == "Failed"
    assert failed["status"]["message"] == run["status"]["message"]
    assert "exit code 3" in failed["status"]["message"]
    assert annotations(failed)["state"] == "failed"
    tree = shared.argo("get", name, "--no-color").ok().out
    assert f"✖ {row['cluster']} " in tree


def test_outputs_of_the_run_are_outputs_of_the_origin(shared: Workspace, names: dict[str, str]) -> None:
    name = names["puts out"]
    shared.wait(name).ok()
    outputs = origin(shared.name, name)["status"]["outputs"]["parameters"]
    assert [(output["name"], output["value"]) for output in outputs] == [("pi", "3.14159")]


def test_an_output_that_the_ledger_cannot_hold_does_not_keep_an_origin_from_its_end(
    shared: Workspace, names: dict[str, str]
) -> None:
    name = names["puts out a zero byte"]
    shared.wait(name).ok()
    [(_, run)] = runs_of(ledger_row(shared.name, name)["placement"])
    for thing, letter in ((run, "\x00"), (origin(shared.name, name), "\ufffd")):
        [put_out] = [node for node in thing["status"]["nodes"].values() if node["type"] == "Pod"]
        assert put_out["outputs"]["parameters"][0]["value"] == f"a{letter}b"
