"""The laboratory's network bears that pods come and go."""

import json

from tests.end_to_end.commands import run
from tests.end_to_end.objects import Object
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import BUSYBOX, WEST


def _address() -> str:
    return str(json.loads(run(["ip", "-json", "link", "show", WEST.bridge]).ok().out)[0]["address"])


def _passing(name: str) -> Object:
    limits = {"limits": {"cpu": "10m", "memory": "16Mi"}}
    main = {"name": "main", "image": BUSYBOX, "command": ["true"], "resources": limits}
    spec = {"restartPolicy": "Never", "containers": [main]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_the_address_that_pods_know_their_gateway_by_stays_as_it_is(shared: Workspace) -> None:
    before = {_address()}
    shared.apply(*(_passing(f"passing-{number}") for number in range(4)), cluster="west")
    words = ("pods", "--all", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=110s")
    shared.kubectl("wait", *words, cluster="west").ok()
    assert {_address()} == before
    shared.kubectl("delete", "pods", "--all", "--timeout=110s", cluster="west").ok()
    assert {_address()} == before
