"""The pods' networks: one bridge per cluster, the way to its apiserver, and no way out of the machine."""

import json
from pathlib import Path

from tests.lab.layout import (
    ARGO_SERVER_URL,
    CLUSTERS,
    DNS_PORT,
    FRONT,
    MEDEA_PLUGIN_PORT,
    POSTGRES_PORT,
    PROMETHEUS,
    SERVICE_IP,
    SERVICE_RANGE,
    STORE_PORT,
    Cluster,
)
from tests.lab.shell import run

CNI_PROGRAMS = "/usr/lib/cni"
_CHAIN, _INPUT, _INSIDE, _HOST = "MEDEA-LAB", "MEDEA-LAB-IN", "MEDEA-LAB-INSIDE", "MEDEA-LAB-HOST"
_IPTABLES = ("iptables", "-w", "10")


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
    keep_pods_in()
    for table, hook, chain in (
        ("nat", "PREROUTING", _CHAIN),
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


def let_pods_out() -> None:
    """Let pods of the front door reach, at their gateway, what Medea needs: all apiservers, Postgres, Prometheus, Argo.

    Only while Medea runs inside of the cluster: otherwise no pod has any business there. People on this host reach it
    at the same addresses.
    """
    ports = [cluster.api_port for cluster in CLUSTERS] + [POSTGRES_PORT, *map(_port, (PROMETHEUS, ARGO_SERVER_URL))]
    match = ["-p", "tcp", "-m", "multiport", "--dports", ",".join(map(str, ports))]
    to_loopback = [*match, "-d", FRONT.gateway, "-j", "DNAT", "--to-destination", "127.0.0.1"]
    _chain("nat", "PREROUTING", _INSIDE, [["-i", FRONT.bridge, *to_loopback]])
    _chain("filter", "INPUT", _INSIDE, [["-i", FRONT.bridge, *match, "-j", "ACCEPT"]])
    _chain("nat", "OUTPUT", _HOST, [to_loopback])


def keep_pods_in() -> None:
    """Take back what `let_pods_out` allowed."""
    for table, hook in (("nat", "PREROUTING"), ("filter", "INPUT")):
        _no_chain(table, hook, _INSIDE)
    _no_chain("nat", "OUTPUT", _HOST)


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
    if not Path(f"/sys/class/net/{cluster.bridge}").exists():
        run(["ip", "link", "add", cluster.bridge, "type", "bridge"])
    address = f"{cluster.gateway}/{cluster.subnet.partition('/')[2]}"
    run(["ip", "address", "replace", address, "dev", cluster.bridge])
    run(["ip", "link", "set", cluster.bridge, "up"])
    # Only on this interface: packets for the service address are sent on to the loopback, where the apiserver is.
    Path(f"/proc/sys/net/ipv4/conf/{cluster.bridge}/route_localnet").write_text("1")


def _service_route() -> None:
    # The host must have some way to a Service's address before kube-proxy's rules put another in its place. Whatever
    # other way the machine has to these addresses goes first.
    run(["ip", "route", "add", SERVICE_RANGE, "dev", FRONT.bridge, "metric", "4000"], check=False)


def _rules() -> None:
    nat = [_to_apiserver(cluster) for cluster in CLUSTERS]
    # Where bridges pass through iptables, pods of one cluster would not reach each other either.
    forward = [["-i", cluster.bridge, "-o", cluster.bridge, "-j", "ACCEPT"] for cluster in CLUSTERS]
    forward += [[direction, cluster.bridge, "-j", "DROP"] for cluster in CLUSTERS for direction in ("-i", "-o")]
    _chain("nat", "PREROUTING", _CHAIN, nat)
    _chain("filter", "FORWARD", _CHAIN, forward)
    _chain("filter", "INPUT", _INPUT, [rule for cluster in CLUSTERS for rule in _from_pods(cluster)])


def _to_apiserver(cluster: Cluster) -> list[str]:
    match = ["-s", cluster.subnet, "-d", SERVICE_IP, "-p", "tcp", "--dport", "443"]
    return [*match, "-j", "DNAT", "--to-destination", f"127.0.0.1:{cluster.api_port}"]


def _from_pods(cluster: Cluster) -> list[list[str]]:
    """Of this host, a pod may reach its own apiserver, Medea's door for plugins, and what a test serves."""
    rules = [["-i", cluster.bridge, "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"]]
    ports = f"{cluster.api_port},{MEDEA_PLUGIN_PORT}"
    rules.append(["-i", cluster.bridge, "-p", "tcp", "-m", "multiport", "--dports", ports, "-j", "ACCEPT"])
    rules.append(["-i", cluster.bridge, "-p", "tcp", "--dport", str(STORE_PORT), "-j", "ACCEPT"])
    if cluster == FRONT:
        for protocol in ("udp", "tcp"):
            rules.append(["-i", cluster.bridge, "-p", protocol, "--dport", str(DNS_PORT), "-j", "ACCEPT"])
    rules.append(["-i", cluster.bridge, "-p", "icmp", "-j", "ACCEPT"])
    rules.append(["-i", cluster.bridge, "-j", "DROP"])
    return rules


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


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
