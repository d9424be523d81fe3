"""What makes Services and their names work at the front door: kube-proxy, and CoreDNS beside it on the host."""

from pathlib import Path

import yaml

from tests.lab import pki
from tests.lab.binaries import binary
from tests.lab.controlplane import MASTERS
from tests.lab.layout import CLUSTER_DOMAIN, DNS_PORT, KUBE, Cluster
from tests.lab.processes import Process, http_ok
from tests.lab.shell import run

_COREFILE = """\
{domain}:{port} in-addr.arpa:{port} {{
    bind {address}
    errors
    ready 127.0.0.1:{health_port}
    kubernetes {domain} in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
}}
.:{port} {{
    bind {address}
    # There is nothing else to ask, and a client that gets no answer waits.
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def kube_proxy(cluster: Cluster) -> Process:
    """The node's kube-proxy. It runs on the host, as the kubelet does, so its rules are the host's."""
    argv = [binary("kube-proxy"), f"--config={_proxy_config(cluster)}"]
    health = f"http://127.0.0.1:{cluster.proxy_health_port}/healthz"
    return Process(f"kube-proxy-{cluster.name}", argv, http_ok(health))


def remove_rules() -> None:
    """Remove what a kube-proxy left in this network's rules; it must not run any more."""
    program = Path(binary("kube-proxy"))
    if program.exists():
        run([program, "--cleanup"], check=False)


def coredns(cluster: Cluster) -> Process:
    """The cluster's CoreDNS, on the gateway of its pods; Service kube-dns leads there."""
    path = KUBE / f"{cluster.name}-corefile"
    path.write_text(
        _COREFILE.format(
            domain=CLUSTER_DOMAIN,
            address=cluster.gateway,
            port=DNS_PORT,
            health_port=cluster.dns_health_port,
            kubeconfig=pki.kubeconfig(cluster, "system:coredns", MASTERS),
        )
    )
    argv = [binary("coredns"), "-conf", str(path)]
    return Process("coredns", argv, http_ok(f"http://127.0.0.1:{cluster.dns_health_port}/ready"))


def _proxy_config(cluster: Cluster) -> Path:
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(pki.kubeconfig(cluster, "system:kube-proxy", MASTERS))},
        "hostnameOverride": cluster.name,
        "clusterCIDR": cluster.subnet,
        "healthzBindAddress": f"127.0.0.1:{cluster.proxy_health_port}",
        "metricsBindAddress": f"127.0.0.1:{cluster.proxy_metrics_port}",
        # Pods of one bridge answer each other past the host, so that an answer would carry the pod's own address.
        "iptables": {"masqueradeAll": True, "localhostNodePorts": False, "minSyncPeriod": "200ms"},
        # The kernel's limits are the machine's business, and mostly can't be written here.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    path, text = KUBE / f"{cluster.name}-kube-proxy.yaml", yaml.safe_dump(config)
    # A running kube-proxy ends when its file is written, even to the same.
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path
