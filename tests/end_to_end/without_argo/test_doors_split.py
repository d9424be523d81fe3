"""Workflows split over real clusters: every item once, every percent shown, results in order; jobs of some power."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.end_to_end.objects import annotations, origin, runs_of, workflows
from tests.end_to_end.open_door import open_api
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace, WorkspaceMaker

Object = dict[str, Any]
SQUARES = [str(number * number) for number in range(12)]
EXAMPLE = str(EXAMPLES / "split.yaml")


@pytest.fixture(scope="module")
def space(make_workspace: WorkspaceMaker) -> Workspace:
    """Two chunks of the example are the most that fit into one target, so that all four need both."""
    return make_workspace(("300m", "4Gi"), ("300m", "4Gi"))


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The URL of an open API."""
    with open_api() as url:
        yield url


def submit(space: Workspace, *words: str) -> str:
    """Submit the example; its name."""
    return space.argo("submit", "-o", "name", EXAMPLE, *words).ok().out.strip()


def chunks_of(space: Workspace, name: str) -> list[Object]:
    """The Workflows of its chunks."""
    placement = annotations(origin(space.name, name))["placement"]
    found = workflows("front", space.name)
    return [one for one in found if (one["metadata"].get("labels") or {}).get("medea.dev/split-of") == placement]


def node(space: Workspace, name: str, shown: str) -> Object:
    """The node of it that is shown under this name; empty if there is none."""
    nodes = (origin(space.name, name).get("status") or {}).get("nodes") or {}
    return next((one for one in nodes.values() if one.get("displayName") == shown), {})


def ran_once(space: Workspace, name: str) -> None:
    """Each chunk has one run, and all items are in chunks, each once."""
    items = []
    for chunk in chunks_of(space, name):
        [(_, run)] = runs_of(annotations(chunk)["placement"])
        step = next(one for one in run["spec"]["templates"] if "steps" in one)["steps"][0][0]
        items += step["withItems"]
    assert sorted(map(int, items)) == list(range(12))


@pytest.mark.timeout(900, func_only=True)
def test_the_example_runs_as_chunks_on_both_targets_and_gathers_its_squares(space: Workspace) -> None:
    name = submit(space, "-p", "seconds=5")
    assert annotations(origin(space.name, name))["state"] in ("split", "succeeded")
    eventually(lambda: node(space, name, "square").get("message", ""), "the fan-out is shown", within=120)
    space.wait(name, timeout=600).ok()
    status = origin(space.name, name)["status"]
    assert status["phase"] == "Succeeded", status.get("message")
    assert json.loads(status["outputs"]["parameters"][0]["value"]) == SQUARES
    assert json.loads(node(space, name, "square")["outputs"]["parameters"][0]["value"]) == SQUARES
    assert node(space, name, "square")["message"].startswith("12 of 12 items done (100%) in 4 chunks")
    shown = [cluster for cluster in ("west", "east") if node(space, name, cluster)]
    assert shown == ["west", "east"], status.get("message")
    for chunk in chunks_of(space, name):
        assert "(100%)" in node(space, name, chunk["metadata"]["name"])["message"]
    assert "100%" in space.argo("get", name).ok().out
    ran_once(space, name)


@pytest.mark.timeout(600, func_only=True)
def test_stopping_the_whole_stops_every_chunk(space: Workspace) -> None:
    name = submit(space, "-p", "seconds=300")
    eventually(lambda: len(chunks_of(space, name)) >= 2, "some chunks are there")
    space.argo("stop", name).ok()
    space.wait(name)
    assert origin(space.name, name)["status"]["phase"] == "Failed"

    def all_ended() -> bool:
        return all((one.get("status") or {}).get("phase") in ("Failed", "Error") for one in chunks_of(space, name))

    eventually(all_ended, "all chunks have ended", within=240)
    before = len(chunks_of(space, name))
    time.sleep(5)
    assert len(chunks_of(space, name)) == before


@pytest.mark.timeout(600, func_only=True)
def test_deleting_the_whole_deletes_every_chunk_and_run(space: Workspace) -> None:
    name = submit(space, "-p", "seconds=300")
    eventually(lambda: len(chunks_of(space, name)) >= 2, "some chunks are there")
    placements = [annotations(one)["placement"] for one in chunks_of(space, name)]
    space.argo("delete", name).ok()
    eventually(lambda: not any(map(runs_of, placements)), "all runs are gone", within=300)


@pytest.mark.parametrize(
    ("value", "words"),
    [("0", "annotation medea.dev/split is '0'"), ("many", "annotation medea.dev/split is 'many'"), ("-1", "from 1 to")],
)
def test_what_is_wrong_is_told_when_it_is_submitted(space: Workspace, value: str, words: str) -> None:
    manifest = yaml.safe_load(Path(EXAMPLE).read_text())
    manifest["metadata"]["annotations"]["medea.dev/split"] = value
    done = space.argo("submit", "-", stdin=json.dumps(manifest))
    assert done.code != 0 and words in done.said


@pytest.mark.timeout(900, func_only=True)
def test_a_job_counted_in_power_runs_and_shows_where_and_how_far(space: Workspace, api: str) -> None:
    space.kubectl("apply", "-f", str(EXAMPLES / "power-job.yaml")).ok()
    answer = requests.post(f"{api}/jobs", json={"power": 85, "split": "3", "namespace": space.name}, timeout=60)
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert job["powerNeeded"] == 85

    def state() -> Object:
        found: Object = requests.get(f"{api}/jobs/{job['id']}", timeout=60).json()["state"]
        return found

    eventually(lambda: state()["phase"] == "Succeeded", "the job is done", within=600)
    done = state()
    assert done["percentCompleted"] == 100
    assert sum(one["powerRequested"] for one in done["execution"].values()) == 85
    inventory, config, desired = (
        requests.get(f"{api}/{tree}?namespace={space.name}", timeout=60).json()
        for tree in ("inventory", "config", "desired")
    )
    assert {"west", "east"} <= {one["name"] for one in inventory["targets"]}
    assert job["id"] in [one["job"] for one in config["jobs"]]
    assert "targets" in desired


@pytest.mark.parametrize("body", [{"power": -1}, {"power": "NaN"}, {"power": 1, "split": "x"}, {}])
def test_a_wrong_job_is_refused_by_the_fields_name(space: Workspace, api: str, body: Object) -> None:
    answer = requests.post(f"{api}/jobs", json={**body, "namespace": space.name}, timeout=60)
    assert answer.status_code == 400 and "is" in answer.json()["error"]["message"]


def test_the_calls_can_be_read_in_a_browser(api: str) -> None:
    document = requests.get(f"{api}/apidoc/openapi.json", timeout=60).json()
    assert {"/jobs", "/jobs/{number}", "/inventory", "/config", "/desired"} <= set(document["paths"])
