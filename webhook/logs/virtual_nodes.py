"""Keeps one virtual Node at the front door for each registered target, and removes all others."""

import socket
from collections.abc import Callable, Collection

import structlog

from webhook.errors import Clash, NotThere, Rejected, Unavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import LEASES, NODES
from webhook.logs.node import Address, is_stale, lease_spec, node_name, node_object, node_status
from webhook.model.contract import MIRRORED
from webhook.model.deadline import utc_now
from webhook.model.objects import Object, labels

log = structlog.get_logger(__name__)
_LEASES_IN = "kube-node-lease"


class VirtualNodes:
    """Creates, renews and removes the Nodes. `host` is a name or an address, resolved at each heartbeat."""

    def __init__(self, front: Cluster, *, host: str, port: int, registered: Callable[[], Collection[str]]) -> None:
        self._front, self._host, self._port, self._registered = front, host, port, registered

    def beat(self) -> None:
        """Bring the Nodes up to date and renew their leases. Raises any error of the front door."""
        address = self._address()
        nodes, _ = self._front.list(NODES, selector=MIRRORED)
        known = {node["metadata"]["name"]: node for node in nodes}
        registered = self._registered()
        for cluster in sorted(registered):
            try:
                self._keep(cluster, known.get(node_name(cluster)), address)
            except Rejected as error:
                # Go on: without a heartbeat the other Nodes would count as lost.
                log.error("node not kept", cluster=cluster, reason=error.message)
        for name, node in known.items():
            cluster = labels(node)[MIRRORED]
            if cluster not in registered and name == node_name(cluster):
                self._front.delete(NODES, None, name, uid=node["metadata"]["uid"], propagation="Background")
                log.info("node removed", cluster=cluster, node=name)

    def _keep(self, cluster: str, node: Object | None, address: Address) -> None:
        now, name = utc_now(), node_name(cluster)
        if node is None:
            try:
                node = self._front.create(NODES, None, node_object(cluster, address, now))
                log.info("node made", cluster=cluster, node=name)
            except Clash:
                log.error("there is a Node of this name that is not Medea's; no logs from this target", node=name)
                return
        elif is_stale(node.get("status") or {}, address, now):
            status = node_status(node.get("status") or {}, address, now)
            self._front.patch(NODES, None, name, {"status": status}, subresource="status")
        spec = lease_spec(cluster, now)
        try:
            self._front.patch(LEASES, _LEASES_IN, name, {"spec": spec})
        except NotThere:
            owner = {"apiVersion": NODES.api_version, "kind": NODES.kind, "name": name, "uid": node["metadata"]["uid"]}
            lease = {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec}
            self._front.create(LEASES, _LEASES_IN, lease)

    def _address(self) -> Address:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unavailable(f"MEDEA_LOGS_ADDRESS {self._host} has no address: {error}") from error
        return Address(str(found[0][4][0]), self._port)
