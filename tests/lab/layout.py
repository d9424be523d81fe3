"""Where everything is: addresses, ports, folders. Nothing here does anything."""

from dataclasses import dataclass
from pathlib import Path

# Machine-wide on purpose: a laboratory left behind by another checkout is found and cleaned up.
STATE = Path("/var/lib/medea-lab")
CHECKOUT = Path(__file__).resolve().parents[2]
ENV_FILE = CHECKOUT / ".lab" / "env"

PKI = STATE / "pki"
KUBE = STATE / "kube"
LOGS = STATE / "logs"
PIDS = STATE / "run"
BIN = STATE / "bin"

ETCD_URL = "http://127.0.0.1:2479"
ETCD_PEER_URL = "http://127.0.0.1:2480"
SERVICE_IP = "10.0.0.1"
SERVICE_RANGE = "10.0.0.0/24"
DNS_IP = "10.0.0.10"
CLUSTER_DOMAIN = "cluster.local"
DNS_PORT = 10053
"""Where the front door's CoreDNS listens, on the front door's gateway."""
ARGO_SERVER_URL = "http://127.0.0.1:2746"
ARGO_SERVER_TLS_PORT = 2747
"""The same over TLS, for whoever sends it a token from elsewhere: Medea, where it runs in pods."""
PROMETHEUS = "127.0.0.1:9490"
POSTGRES_PORT = 5455
POSTGRES_DSN = f"postgresql://medea:medea@127.0.0.1:{POSTGRES_PORT}/medea"
MEDEA_PORT = 8443
MEDEA_URL = f"https://127.0.0.1:{MEDEA_PORT}"
MEDEA_PLUGIN_PORT = 8445
MEDEA_BALANCER_URL = "https://127.0.0.1:8090"
MEDEA_SCOUT_URL = "https://127.0.0.1:8091"
MEDEA_CERTS = STATE / "medea" / "certs"
MEDEA_API_TOKEN = STATE / "medea" / "token"
"""The token of an administrator, for Medea's API."""
MEDEA_LOGS_PORT = 8444
MEDEA_LOGS_CERTS = STATE / "medea" / "logs"
MEDEA_WAYS = STATE / "medea" / "ways"
"""What leads from the loopback to Medea's Services, where Medea runs inside the front door."""
MEDEA_METRICS = {"webhook": 9095, "controller": 9096, "plugin": 9097, "api": 9098, "logs": 9099}
"""Where each part of Medea tells of itself, on the loopback."""
KUBELET_PORT = 10250
REGISTRY = "127.0.0.1:5480"
"""Where a test may have a registry: containerd speaks to one on the loopback without TLS."""
STORE_PORTS = range(8100, 8108)
"""A test may put a server of its own at one of these; pods reach it at their gateway."""

WORKFLOWS = "argo-workflows"
BUSYBOX = "localhost/busybox:lab"
ARGOEXEC = "localhost/argoexec:lab"
PAUSE = "localhost/pause:lab"


@dataclass(frozen=True)
class Cluster:
    """One cluster: a name, and a number from which its ports and addresses follow."""

    name: str
    number: int

    @property
    def api_port(self) -> int:
        """Where its apiserver listens on the loopback."""
        return 6440 + self.number

    @property
    def api_url(self) -> str:
        """Its apiserver's URL."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def controller_port(self) -> int:
        """Its controller-manager's port."""
        return 6540 + self.number

    @property
    def scheduler_port(self) -> int:
        """Its scheduler's port."""
        return 6640 + self.number

    @property
    def metrics_port(self) -> int:
        """Its kube-state-metrics' port."""
        return 6740 + self.number

    @property
    def telemetry_port(self) -> int:
        """Where its kube-state-metrics tells of itself."""
        return 6840 + self.number

    @property
    def kubelet_health_port(self) -> int:
        """Its kubelet's own health port."""
        return 6940 + self.number

    @property
    def proxy_health_port(self) -> int:
        """Its kube-proxy's health port."""
        return 7040 + self.number

    @property
    def proxy_metrics_port(self) -> int:
        """Its kube-proxy's metrics."""
        return 7140 + self.number

    @property
    def dns_health_port(self) -> int:
        """Its CoreDNS's port that tells whether it knows the Services."""
        return 7240 + self.number

    @property
    def subnet(self) -> str:
        """The network of its pods."""
        return f"10.{40 + self.number}.0.0/24"

    @property
    def gateway(self) -> str:
        """The host's address in that network; also the node's address."""
        return f"10.{40 + self.number}.0.1"

    @property
    def bridge(self) -> str:
        """The network interface of its pods' bridge."""
        return f"medea-{self.name}"

    @property
    def cgroup(self) -> str:
        """The cgroup under which its kubelet keeps all pods."""
        return f"medea-lab-{self.name}"

    @property
    def folder(self) -> Path:
        """Its node's state."""
        return STATE / "nodes" / self.name

    @property
    def containerd_socket(self) -> Path:
        """Where its containerd listens."""
        return self.folder / "containerd.sock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return KUBE / f"{self.name}.kubeconfig"


FRONT = Cluster("front", 1)
WEST = Cluster("west", 2)
EAST = Cluster("east", 3)
CLUSTERS = (FRONT, WEST, EAST)
TARGETS = (WEST, EAST)
BY_NAME = {cluster.name: cluster for cluster in CLUSTERS}
