"""Pods of all sorts at the front door that call Medea's ports, by the addresses of its pods and of its Services."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.end_to_end.commands import kubectl
from tests.end_to_end.objects import Object
from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import BUSYBOX

Ways = Mapping[int, tuple[str, int]]
"""Ports of Medea's pods, and for each the address and port that is called."""
# All at once: one that gets no answer takes two seconds.
_CALL = """\
while read -r name address port; do
  { nc -w 2 "$address" "$port" -e true < /dev/null 2> /dev/null && echo "$name"; } &
done
wait
"""


@dataclass(frozen=True)
class Caller:
    """One pod."""

    name: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> Object:
        """What an apiserver is given."""
        limits = {"limits": {"cpu": "10m", "memory": "16Mi"}}
        main = {"name": "main", "image": BUSYBOX, "command": ["sleep", "3600"], "resources": limits}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": self.labels},
            "spec": {"containers": [main], "terminationGracePeriodSeconds": 0},
        }

    def address(self) -> str:
        """Its own."""
        words = ("get", "pod", self.name, "-n", self.namespace, "-o", "jsonpath={.status.podIP}")
        return kubectl("front", *words).ok().out

    def reaches(self, ways: Ways) -> set[int]:
        """The ports to which it gets a connection."""
        asked = "".join(f"{name} {address} {port}\n" for name, (address, port) in ways.items())
        words = ("exec", "-i", self.name, "-n", self.namespace, "--", "sh", "-c", _CALL)
        return set(map(int, kubectl("front", *words, stdin=asked).ok().out.split()))


def make_namespace(name: str, labels: Mapping[str, str] | None = None) -> None:
    """One in which pods can be made at once."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}
    medea.apply(Lab(), manifest)
    kubectl("front", "wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=60s").ok()


def start(callers: Iterable[Caller]) -> None:
    """Make these pods, and wait until they run."""
    made = {"apiVersion": "v1", "kind": "List", "items": [one.manifest for one in callers]}
    kubectl("front", "apply", "-f", "-", stdin=json.dumps(made)).ok()
    for one in callers:
        words = ("wait", f"pod/{one.name}", "-n", one.namespace, "--for=condition=Ready", "--timeout=180s")
        kubectl("front", *words, timeout=200).ok()


def reached(callers: Iterable[Caller], ways: Ways) -> dict[str, set[int]]:
    """What each reaches, by its name."""
    with ThreadPoolExecutor() as pool:
        found = {one.name: pool.submit(one.reaches, ways) for one in callers}
    return {name: ports.result() for name, ports in found.items()}


def by_pods() -> Ways:
    """The addresses of Medea's pods, past its Services."""
    return {port: (address, port) for _, _, port, address in _endpoints()}


def by_services() -> Ways:
    """The addresses of its Services."""
    listed = {one["metadata"]["name"]: one["spec"] for one in _of_medea("services")}
    return {
        behind: (listed[service]["clusterIP"], port["port"])
        for service, name, behind, _ in _endpoints()
        for port in listed[service]["ports"]
        if port.get("name", "") == name
    }


def _endpoints() -> list[tuple[str, str, int, str]]:
    """Service, the name of its port, the pod's port, and the pod's address."""
    return [
        (one["metadata"]["labels"]["kubernetes.io/service-name"], port.get("name", ""), port["port"], address)
        for one in _of_medea("endpointslices")
        for port in one["ports"]
        for endpoint in one["endpoints"]
        for address in endpoint["addresses"]
    ]


def _of_medea(kinds: str) -> list[Object]:
    found: list[Object] = json.loads(kubectl("front", "get", kinds, "-n", medea.SYSTEM, "-o", "json").ok().out)["items"]
    return found
