"""The pods' networks: one bridge per cluster, the way to its apiserver, and no way out of the machine."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.lab.layout import (
    ARGO_SERVER_TLS_PORT,
    CLUSTERS,
    DNS_PORT,
    FRONT,
    MEDEA_LOGS_PORT,
    MEDEA_PLUGIN_PORT,
    POSTGRES_PORT,
    PROMETHEUS,
    SERVICE_IP,
    SERVICE_RANGE,
    STORE_PORTS,
    Cluster,
)
from tests.lab.shell import run

CNI_PROGRAMS = "/usr/lib/cni"
_CHAIN, _INPUT, _OUTPUT = "MEDEA-LAB", "MEDEA-LAB-IN", "MEDEA-LAB-OUT"
_IPTABLES = ("iptables", "-w", "10")
_NEEDED = (
    *(cluster.api_port for cluster in CLUSTERS),
    POSTGRES_PORT,
    int(PROMETHEUS.rpartition(":")[2]),
    ARGO_SERVER_TLS_PORT,
)
"""Ports of the loopback that Medea reaches at the front door's gateway, be it in a pod or on this host: one kubeconfig
of a target is good for both."""


def set_up() -> None:
    """Bridges and rules for all clusters; repeating it changes nothing."""
    # A Service's packets leave for another interface than they came from.
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for cluster in CLUSTERS:
        _bridge(cluster)
    _service_route()
    _rules()


def tear_down() -> None:
    """Remove every bridge and rule that `set_up` made."""
    for table, hook, chain in (
        ("nat", "PREROUTING", _CHAIN),
        ("nat", "OUTPUT", _OUTPUT),
        ("filter", "FORWARD", _CHAIN),
        ("filter", "INPUT", _INPUT),
    ):
        _no_chain(table, hook, chain)
    # kube-proxy's own cleaning up leaves this one.
    for hook in ("INPUT", "OUTPUT"):
        _no_chain("filter", hook, "KUBE-FIREWALL")
    for cluster in CLUSTERS:
        run(["ip", "link", "delete", cluster.bridge], check=False)
        for leftover in Path("/var/lib/cni/results").glob(f"{cluster.bridge}-*"):
            leftover.unlink(missing_ok=True)


def write_cni(cluster: Cluster, folder: Path) -> None:
    """The configuration by which containerd connects a pod to its cluster's bridge."""
    folder.mkdir(parents=True, exist_ok=True)
    bridge = {
        "type": "bridge",
        "bridge": cluster.bridge,
        "isGateway": True,
        "isDefaultGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(cluster.folder / "addresses"),
            "ranges": [[{"subnet": cluster.subnet, "gateway": cluster.gateway}]],
        },
    }
    config = {"cniVersion": "0.4.0", "name": cluster.bridge, "plugins": [bridge]}
    (folder / "10-bridge.conflist").write_text(json.dumps(config, indent=2))


def _bridge(cluster: Cluster) -> None:
    # Of this network, whichever /sys is mounted here.
    settings = Path(f"/proc/sys/net/ipv4/conf/{cluster.bridge}")
    if not settings.exists():
        run(["ip", "link", "add", cluster.bridge, "type", "bridge"])
    address = f"{cluster.gateway}/{cluster.subnet.partition('/')[2]}"
    # A bridge without an address of its own has the lowest of its ports': it may change with each pod that comes or
    # goes, and what others send to the one that they remember is lost for half a minute.
    run(["ip", "link", "set", cluster.bridge, "address", f"02:6d:65:64:65:{cluster.number:02x}"])
    run(["ip", "address", "replace", address, "dev", cluster.bridge])
    run(["ip", "link", "set", cluster.bridge, "up"])
    # Only on this interface: packets for the service address are sent on to the loopback, where the apiserver is.
    (settings / "route_localnet").write_text("1")


def _service_route() -> None:
    # The host must have some way to a Service's address before kube-proxy's rules put another in its place. Whatever
    # other way the machine has to these addresses goes first.
    run(["ip", "route", "add", SERVICE_RANGE, "dev", FRONT.bridge, "metric", "4000"], check=False)


def _rules() -> None:
    nat = [*map(_to_apiserver, CLUSTERS), ["-i", FRONT.bridge, *_to_loopback(_NEEDED)]]
    # Where bridges pass through iptables, pods of one cluster would not reach each other either.
    forward = [["-i", cluster.bridge, "-o", cluster.bridge, "-j", "ACCEPT"] for cluster in CLUSTERS]
    forward += [[direction, cluster.bridge, "-j", "DROP"] for cluster in CLUSTERS for direction in ("-i", "-o")]
    _chain("nat", "PREROUTING", _CHAIN, nat)
    _chain("nat", "OUTPUT", _OUTPUT, [_to_loopback((*_NEEDED, MEDEA_LOGS_PORT))])
    _chain("filter", "FORWARD", _CHAIN, forward)
    _chain("filter", "INPUT", _INPUT, [rule for cluster in CLUSTERS for rule in _from_pods(cluster)])


def _to_apiserver(cluster: Cluster) -> list[str]:
    match = ["-s", cluster.subnet, "-d", SERVICE_IP, "-p", "tcp", "--dport", "443"]
    return [*match, "-j", "DNAT", "--to-destination", f"127.0.0.1:{cluster.api_port}"]


def _to_loopback(ports: Sequence[int]) -> list[str]:
    return ["-d", FRONT.gateway, *_ports(ports), "-j", "DNAT", "--to-destination", "127.0.0.1"]


def _from_pods(cluster: Cluster) -> list[list[str]]:
    """Of this host, a pod may reach its own apiserver, Medea's door for plugins, and what a test serves.

    A pod of the front door may be Medea's, and reach what Medea needs.
    """
    rules = [["-i", cluster.bridge, "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"]]
    ports = (cluster.api_port, MEDEA_PLUGIN_PORT, *STORE_PORTS)
    rules.append(["-i", cluster.bridge, *_ports(ports), "-j", "ACCEPT"])
    if cluster == FRONT:
        rules.append(["-i", cluster.bridge, *_ports(_NEEDED), "-j", "ACCEPT"])
        for protocol in ("udp", "tcp"):
            rules.append(["-i", cluster.bridge, "-p", protocol, "--dport", str(DNS_PORT), "-j", "ACCEPT"])
    rules.append(["-i", cluster.bridge, "-p", "icmp", "-j", "ACCEPT"])
    rules.append(["-i", cluster.bridge, "-j", "DROP"])
    return rules


def _ports(ports: Sequence[int]) -> list[str]:
    return ["-p", "tcp", "-m", "multiport", "--dports", ",".join(map(str, ports))]


def _no_chain(table: str, hook: str, chain: str) -> None:
    run([*_IPTABLES, "-t", table, "-D", hook, "-j", chain], check=False)
    run([*_IPTABLES, "-t", table, "-F", chain], check=False)
    run([*_IPTABLES, "-t", table, "-X", chain], check=False)


def _chain(table: str, hook: str, chain: str, rules: list[list[str]]) -> None:
    # A pod that starts right now must not find a moment without rules, so a chain that is complete is left alone.
    iptables = [*_IPTABLES, "-t", table]
    if run([*iptables, "-S", chain], check=False).count("\n-A ") == len(rules):
        return
    run([*iptables, "-N", chain], check=False)
    run([*iptables, "-F", chain])
    for rule in rules:
        run([*iptables, "-A", chain, *rule])
    run([*iptables, "-D", hook, "-j", chain], check=False)
    run([*iptables, "-I", hook, "-j", chain])
