"""etcd, and each cluster's apiserver, controller-manager and scheduler."""

from pathlib import Path

import yaml

from tests.lab import pki
from tests.lab.binaries import binary
from tests.lab.layout import ETCD_PEER_URL, ETCD_URL, FRONT, KUBE, SERVICE_IP, SERVICE_RANGE, STATE, Cluster
from tests.lab.processes import Process, http_ok, http_ok_unverified
from tests.lab.versions import triple, version

MASTERS = ("system:masters",)
# What the laboratory's pods, quotas, tokens and deletions need; every further controller costs memory three times.
CONTROLLERS = (
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "resourcequota-controller",
    "garbage-collector-controller",
    "pod-garbage-collector-controller",
    "root-ca-certificate-publisher-controller",
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "clusterrole-aggregation-controller",
)
# What the front door has beyond that, so that Medea can be installed there as its users do.
INSTALLABLE = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "ttl-after-finished-controller",
    "endpointslice-controller",
    "disruption-controller",
    "horizontal-pod-autoscaler-controller",
    "persistentvolume-binder-controller",
    "persistentvolumeclaim-protection-controller",
    "persistentvolume-protection-controller",
)


def policies() -> str:
    """The version of the API that mutating policies are served in."""
    beta = triple(version("KUBERNETES")) >= (1, 34)
    return f"admissionregistration.k8s.io/{'v1beta1' if beta else 'v1alpha1'}"


def etcd() -> Process:
    """The one etcd that keeps all clusters, each under its own prefix."""
    argv = [
        binary("etcd"),
        f"--data-dir={STATE / 'etcd'}",
        f"--listen-client-urls={ETCD_URL}",
        f"--advertise-client-urls={ETCD_URL}",
        f"--listen-peer-urls={ETCD_PEER_URL}",
        f"--initial-advertise-peer-urls={ETCD_PEER_URL}",
        f"--initial-cluster=default={ETCD_PEER_URL}",
        "--quota-backend-bytes=4294967296",
        "--auto-compaction-retention=5m",
        # It outlives kill -9 all the same; only a power cut could lose a write, and then the laboratory is gone too.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]
    return Process("etcd", argv, http_ok(f"{ETCD_URL}/health"))


def apiserver(cluster: Cluster) -> Process:
    """One cluster's apiserver."""
    # The front door's gateway is where pods of the front door reach it.
    hosts = [
        "127.0.0.1",
        FRONT.gateway,
        SERVICE_IP,
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ]
    certificate, key = pki.issue(f"{cluster.name}-apiserver", "kube-apiserver", hosts=hosts)
    client, client_key = pki.issue(f"{cluster.name}-apiserver-client", "kube-apiserver-client", MASTERS)
    argv = [
        binary("kube-apiserver"),
        f"--etcd-servers={ETCD_URL}",
        f"--etcd-prefix=/{cluster.name}",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.api_port}",
        f"--advertise-address={cluster.gateway}",
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--client-ca-file={pki.CA}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.SERVICE_ACCOUNT_KEY}",
        f"--service-account-signing-key-file={pki.SERVICE_ACCOUNT_KEY}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={pki.CA}",
        f"--kubelet-client-certificate={client}",
        f"--kubelet-client-key={client_key}",
        # The policy that makes every pod's requests small, see common.yaml.
        "--feature-gates=MutatingAdmissionPolicy=true",
        f"--runtime-config={policies()}=true",
        "--profiling=false",
        *_aggregation(cluster),
    ]
    return Process(f"apiserver-{cluster.name}", argv, http_ok(f"{cluster.api_url}/readyz", pki.CA), deadline=180)


def _aggregation(cluster: Cluster) -> list[str]:
    """How the front door makes itself known to whoever serves APIs beside it, as KEDA does."""
    if cluster != FRONT:
        return []
    certificate, key = pki.issue("front-proxy", "front-proxy")
    return [
        f"--proxy-client-cert-file={certificate}",
        f"--proxy-client-key-file={key}",
        f"--requestheader-client-ca-file={pki.CA}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    ]


def controller_manager(cluster: Cluster) -> Process:
    """One cluster's controller-manager."""
    kubeconfig = pki.kubeconfig(cluster, "system:kube-controller-manager", MASTERS)
    controllers = CONTROLLERS + (INSTALLABLE if cluster == FRONT else ())
    argv = [
        binary("kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(controllers)}",
        "--use-service-account-credentials=false",
        f"--service-account-private-key-file={pki.SERVICE_ACCOUNT_KEY}",
        f"--root-ca-file={pki.CA}",
        # With an election it would end whenever its apiserver is killed.
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.controller_port}",
        f"--cert-dir={STATE / 'certs' / cluster.name}",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--horizontal-pod-autoscaler-sync-period=5s",
        "--profiling=false",
    ]
    health = f"https://127.0.0.1:{cluster.controller_port}/healthz"
    return Process(f"controller-manager-{cluster.name}", argv, http_ok_unverified(health))


def scheduler(cluster: Cluster) -> Process:
    """One cluster's scheduler."""
    argv = [
        binary("kube-scheduler"),
        f"--config={_scheduler_config(cluster)}",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.scheduler_port}",
        f"--cert-dir={STATE / 'certs' / cluster.name}",
    ]
    health = f"https://127.0.0.1:{cluster.scheduler_port}/healthz"
    return Process(f"scheduler-{cluster.name}", argv, http_ok_unverified(health))


def _scheduler_config(cluster: Cluster) -> Path:
    kubeconfig = pki.kubeconfig(cluster, "system:kube-scheduler", MASTERS)
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 200, "burst": 400},
    }
    path = KUBE / f"{cluster.name}-scheduler.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
