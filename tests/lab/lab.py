"""What the laboratory offers to those who build on it: paths, identities, kubectl."""

from collections.abc import Sequence
from pathlib import Path

from tests.lab import pki
from tests.lab.binaries import binary
from tests.lab.layout import BY_NAME, CHECKOUT, CLUSTERS, STATE, Cluster
from tests.lab.shell import run


class Lab:
    """A handle on the machine's laboratory; it keeps no state of its own."""

    clusters: tuple[Cluster, ...] = CLUSTERS
    state: Path = STATE
    checkout: Path = CHECKOUT
    ca: Path = pki.CA

    def cluster(self, name: str) -> Cluster:
        """A cluster by its name."""
        return BY_NAME[name]

    def kubeconfig(self, cluster: str) -> Path:
        """The administrator's kubeconfig of a cluster."""
        return self.cluster(cluster).kubeconfig

    def identity(
        self,
        cluster: str,
        user: str,
        groups: Sequence[str] = (),
        *,
        namespace: str = "default",
        path: Path | None = None,
    ) -> Path:
        """A kubeconfig with a client certificate for any user in any groups; made once."""
        return pki.kubeconfig(self.cluster(cluster), user, groups, namespace=namespace, path=path)

    def certificate(self, name: str, user: str, hosts: Sequence[str] = ()) -> tuple[Path, Path]:
        """A certificate and key of the laboratory's authority, for a server at `hosts`; made once per name."""
        return pki.issue(name, user, hosts=hosts)

    def kubectl(self, cluster: str, *words: str, input: str | None = None, timeout: float = 60) -> str:
        """What kubectl prints, as the cluster's administrator."""
        kubectl = [binary("kubectl"), f"--kubeconfig={self.kubeconfig(cluster)}", f"--request-timeout={timeout:.0f}s"]
        return run([*kubectl, *words], input=input, timeout=timeout + 5)
