"""kubectl exec, cp, attach and port-forward at the front door lead into a run's pod, for whom both clusters let in."""

import json
import os
import re
from pathlib import Path

import pytest
import requests

from tests.end_to_end.commands import Ran, kubectl, kubectl_words, reading, run
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import MIRRORED, mirrored
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab import pki
from tests.lab.layout import FRONT, MEDEA_LOGS_PORT
from webhook.targets import grants

SERVES = """mkdir /tmp/www; echo served > /tmp/www/index.html; httpd -p 8080 -h /tmp/www
while [ ! -e /tmp/go ]; do echo tick; sleep 0.2; done; echo last"""
"""A job that writes, and serves a page, until somebody makes a file in its pod."""


@pytest.fixture
def entered(workspace: Workspace) -> tuple[str, str]:
    """The name at the front door of the pod of a job that waits, and the target where it runs."""
    workspace.create(inline(SERVES, SMALL))

    def running() -> list[tuple[str, str]]:
        return [
            (pod["metadata"]["name"], pod["metadata"]["labels"][MIRRORED])
            for pod in mirrored(workspace.name)
            if any(one["name"] == "main" and one["ready"] for one in pod["status"].get("containerStatuses", ()))
        ]

    [found] = eventually(running, "its pod is mirrored, and runs")
    return found


def test_people_enter_the_pods_of_their_runs(workspace: Workspace, entered: tuple[str, str], tmp_path: Path) -> None:
    pod, target = entered

    def execute(*command: str, stdin: str | None = None, flags: tuple[str, ...] = ()) -> Ran:
        return workspace.kubectl("exec", *flags, pod, "-c", "main", "--", *command, stdin=stdin)

    closed = execute("true")
    assert closed.code == 1
    assert f"{target} does not let Medea into pods of namespace {workspace.name} (pods/exec)" in closed.err
    assert f"medea target add {target} --namespaces {workspace.name} --exec" in closed.err

    grant = grants.way_in(workspace.name)
    binding = {"apiVersion": grant.kind.api_version, "kind": grant.kind.kind, **grant.body}
    kubectl(target, "create", "-f", "-", stdin=json.dumps(binding)).ok()
    eventually(lambda: execute("true").code == 0, "the target lets people in")
    done = execute("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.code, done.out) == (7, "out\n") and done.err.startswith("err\n")
    assert execute("cat", stdin="hello", flags=("-i",)).ok().out == "hello"
    # As an older kubectl does it.
    words = kubectl_words("front", "exec", "-n", workspace.name, pod, "--", "echo", "spdy")
    assert run(["env", "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", *words]).ok().out == "spdy\n"

    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(3 << 20))
    workspace.kubectl("cp", str(there), f"{pod}:/tmp/copy", "-c", "main").ok()
    workspace.kubectl("cp", f"{pod}:/tmp/copy", str(back), "-c", "main").ok()
    assert back.read_bytes() == there.read_bytes()

    with reading(*kubectl_words("front", "port-forward", "-n", workspace.name, pod, ":8080")) as lines:
        port = re.findall(r"127\.0\.0\.1:(\d+) -> 8080", next(lines))
        for _ in range(2):
            assert requests.get(f"http://127.0.0.1:{port[0]}/", timeout=60).text == "served\n"

    kubectl("front", "create", "-n", workspace.name, "rolebinding", "ann", "--clusterrole=view", "--user=ann").ok()
    eventually(
        lambda: 'resource "pods/exec"' in workspace.kubectl("exec", "--as=ann", pod, "--", "true").err,
        "who may look at the pod may not enter it",
    )
    assert direct("somebody", f"{workspace.name}/{pod}") == 403
    missing = workspace.kubectl("exec", pod, "-c", "missing", "--", "true")
    assert "container missing" in missing.err

    with reading(*kubectl_words("front", "attach", "-n", workspace.name, pod, "-c", "main")) as lines:
        assert "tick\n" in lines
        execute("touch", "/tmp/go").ok()
        # It ends of its own, since the pod does.
        assert "last\n" in list(lines)
    assert execute("true").code == 1


def direct(user: str, pod: str) -> int:
    """What a user is answered who speaks to the door as if to a kubelet."""
    session = requests.Session()
    session.trust_env, session.verify = False, str(pki.CA)
    certificate, key = pki.issue(f"front-{user}", user)
    session.cert = str(certificate), str(key)
    with session:
        url = f"https://{FRONT.gateway}:{MEDEA_LOGS_PORT}/exec/{pod}/main?command=true"
        return session.get(url, headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}, timeout=60).status_code
