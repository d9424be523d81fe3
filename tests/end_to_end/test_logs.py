"""What a run's pods write is read at the front door, by the programs people use, as it is written."""

import json
import re
import uuid
from collections.abc import Iterable, Iterator

import pytest
import requests

from tests.end_to_end import medea
from tests.end_to_end.commands import argo_words, kubectl, kubectl_words, reading
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import MIRRORED, Object, mirrored, origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab import pki
from tests.lab.layout import ARGO_SERVER_URL, FRONT, MEDEA_LOGS_PORT

WAITS = "echo first; n=0; while [ ! -e /tmp/go ]; do sleep 0.2; [ $((n+=1)) -lt 1500 ] || exit 1; done; echo last"
"""A job that writes a line, and another one once somebody has made a file in its pod. It fails if nobody ever does."""


@pytest.fixture(scope="module")
def finished(shared: Workspace) -> str:
    """A Workflow that has written two lines while somebody followed its log; its name.

    `argo logs -f` has to show the first while the pod runs, because only then is the pod told to go on.
    """
    name = shared.create(inline(WAITS, SMALL))
    command = argo_words("front", "logs", "-n", shared.name, "--no-color", name, "-f")
    seen = []
    with reading(*command) as lines:
        for line in lines:
            seen.append(line)
            if line.rstrip().endswith(": first"):
                [pod] = mirrored(shared.name)
                target, real = pod["metadata"]["labels"][MIRRORED], pod["metadata"]["annotations"][f"{MIRRORED}-pod"]
                kubectl(target, "exec", "-n", shared.name, real, "-c", "main", "--", "sh", "-c", ": > /tmp/go").ok()
    # It has come to an end of its own, and that is the Workflow's.
    assert any(line.rstrip().endswith(": last") for line in seen), seen
    assert origin(shared.name, name)["status"]["phase"] == "Succeeded"
    # From now on nothing changes the origin any more.
    eventually(lambda: ledger_row(shared.name, name)["mirrored"], "all of its end is shown")
    return name


def test_the_log_of_a_finished_workflow_is_read_by_argo_kubectl_and_the_ui(shared: Workspace, finished: str) -> None:
    shown = shared.argo("get", finished, "--no-color").ok().out
    [pod] = re.findall(rf"{finished}-main-\d+", shown)
    assert list(of_the_program(shared.kubectl("logs", pod).ok().out.splitlines())) == ["first", "last"]
    assert shared.kubectl("logs", pod, "-c", "main", "--tail=1", "--timestamps").ok().out.startswith("20")
    assert shared.kubectl("logs", pod, "-c", "wait").ok().out
    for words in ((finished, pod), (finished, "-l", MIRRORED)):
        assert f"{pod}: first\n{pod}: last\n" in shared.argo("logs", *words, "--no-color").ok().out
    # For a while after the end there is the log of Argo's agent too.
    lines = shared.argo("logs", finished, "--no-color").ok().out.splitlines()
    of_the_pod = [line.removeprefix(f"{pod}: ") for line in lines if line.startswith(pod)]
    assert list(of_the_program(of_the_pod)) == ["first", "last"]
    path = f"/api/v1/workflows/{shared.name}/{finished}/log"
    query = {"logOptions.container": "main", "logOptions.follow": "true", "podName": pod}
    answer = requests.get(ARGO_SERVER_URL + path, params=query, timeout=60)
    contents = [json.loads(line)["result"]["content"] for line in answer.text.splitlines() if line]
    assert list(of_the_program(contents)) == ["first", "last"]


def test_a_mirrored_pod_that_somebody_forces_away_comes_back_and_its_origin_does_not_change(
    shared: Workspace, finished: str
) -> None:
    [pod] = mirrored(shared.name)
    before = origin(shared.name, finished)["metadata"]["resourceVersion"]
    shared.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0").ok()

    def again() -> bool:
        uids = [one["metadata"]["uid"] for one in mirrored(shared.name) if one["status"]["phase"] == "Succeeded"]
        return len(uids) == 1 and uids != [pod["metadata"]["uid"]]

    eventually(again, "the pod is mirrored again")
    assert origin(shared.name, finished)["metadata"]["resourceVersion"] == before


@pytest.mark.usefixtures("finished")
def test_a_pod_that_stands_for_none_of_its_placement_is_not_read_and_goes(shared: Workspace) -> None:
    [real] = mirrored(shared.name)
    labels = {**real["metadata"]["labels"], "medea.dev/placement": uuid.uuid4().hex}
    forged = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "forged", "labels": labels, "annotations": real["metadata"]["annotations"]},
        "spec": {"nodeName": real["spec"]["nodeName"], "containers": [{"name": "main", "image": "none"}]},
    }
    shared.kubectl("create", "-f", "-", stdin=json.dumps(forged)).ok()
    assert "first" not in shared.kubectl("logs", "forged").said
    eventually(lambda: len(mirrored(shared.name)) == 1, "what a dead controller may have left is removed")
    assert [pod["metadata"]["name"] for pod in mirrored(shared.name)] == [real["metadata"]["name"]]


@pytest.mark.usefixtures("finished")
def test_only_who_may_speak_to_kubelets_is_served(shared: Workspace) -> None:
    [pod] = mirrored(shared.name)
    address = f"https://{FRONT.gateway}:{MEDEA_LOGS_PORT}"
    url = f"{address}/containerLogs/{shared.name}/{pod['metadata']['name']}/main"
    session = requests.Session()
    session.trust_env, session.verify = False, str(pki.CA)
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=60)
    # A certificate of the right authority, and a user who may not read what kubelets know.
    session.cert = _files(pki.issue("front-nobody", "nobody"))
    refused = session.get(url, timeout=60)
    assert (refused.status_code, "may not speak to the kubelets" in refused.text) == (403, True)
    session.close()
    session.cert = _files(pki.issue("front-apiserver-client", "kube-apiserver-client", ("system:masters",)))
    assert list(of_the_program(session.get(url, timeout=60).text.splitlines())) == ["first", "last"]
    assert session.get(f"{address}/api/v1/targets/{shared.name}", timeout=60).status_code == 404
    assert medea.patient_call("GET", f"/containerLogs/{shared.name}/{pod['metadata']['name']}/main").status_code == 404


def test_deleting_a_workflow_leaves_no_mirrored_pod_and_a_pod_that_is_gone_says_so(workspace: Workspace) -> None:
    name = workspace.create(inline(WAITS, SMALL))

    def running() -> list[Object]:
        # Argo's own container may run before the job's, whose log there is not yet then.
        return [pod for pod in mirrored(workspace.name) if _main_runs(pod)]

    [pod] = eventually(running, "its pod is shown as running")
    row, shown = ledger_row(workspace.name, name), pod["metadata"]["name"]
    words = kubectl_words("front", "logs", "-n", workspace.name, "-f", shown)
    with reading(*words) as lines:
        assert next(of_the_program(lines)) == "first\n"
        workspace.argo("delete", name).ok()
        # The log ends with the pod.
        assert "last\n" not in list(lines)
    eventually(lambda: not mirrored(workspace.name), "its mirrored pod went with it")
    assert kubectl("front", "get", "node", f"medea-{row['cluster']}").ok().out
    assert "not found" in workspace.kubectl("logs", shown).said


def _main_runs(pod: Object) -> bool:
    """Whether the job's container does."""
    return any(one["name"] == "main" and one["ready"] for one in pod["status"].get("containerStatuses", ()))


def of_the_program(lines: Iterable[str]) -> Iterator[str]:
    """Without those that Argo's executor writes: in Argo 4 also before the first."""
    return (line for line in lines if not line.startswith("time="))


def _files(pair: tuple[object, object]) -> tuple[str, str]:
    return str(pair[0]), str(pair[1])
