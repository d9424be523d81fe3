"""kube-state-metrics for every cluster, and the one Prometheus that asks them all."""

import yaml

from tests.lab import pki
from tests.lab.binaries import binary
from tests.lab.controlplane import MASTERS
from tests.lab.layout import CLUSTERS, MEDEA_METRICS, PROMETHEUS, STATE, Cluster
from tests.lab.processes import Process, http_ok

RULES, EXTRA = STATE / "prometheus" / "rules", STATE / "prometheus" / "extra"
"""Folders of rules (YAML) and of further targets (JSON): a test puts its own there and reloads Prometheus."""
_COLLECTORS = "resourcequotas,limitranges,pods"
_METRICS = (
    "kube_resourcequota",
    "kube_limitrange",
    "kube_pod_info",
    "kube_pod_status_phase",
    "kube_pod_container_resource_limits",
)
"""All that Medea reads, and nothing else."""


def kube_state_metrics(cluster: Cluster) -> Process:
    """One cluster's kube-state-metrics."""
    argv = [
        binary("kube-state-metrics"),
        f"--kubeconfig={pki.kubeconfig(cluster, 'kube-state-metrics', MASTERS)}",
        "--host=127.0.0.1",
        f"--port={cluster.metrics_port}",
        "--telemetry-host=127.0.0.1",
        f"--telemetry-port={cluster.telemetry_port}",
        f"--resources={_COLLECTORS}",
        f"--metric-allowlist={','.join(_METRICS)}",
    ]
    health = http_ok(f"http://127.0.0.1:{cluster.metrics_port}/metrics")
    return Process(f"kube-state-metrics-{cluster.name}", argv, health)


def prometheus() -> Process:
    """The Prometheus that Medea reads."""
    folder = STATE / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(_config()))
    argv = [
        "/usr/bin/prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=2h",
        f"--web.listen-address={PROMETHEUS}",
        "--web.enable-lifecycle",
        "--log.level=warn",
    ]
    return Process("prometheus", argv, http_ok(f"http://{PROMETHEUS}/-/ready"))


def _config() -> dict[str, object]:
    targets = [
        {"targets": [f"127.0.0.1:{cluster.metrics_port}"], "labels": {"cluster": cluster.name}} for cluster in CLUSTERS
    ]
    job = {
        "job_name": "kube-state-metrics",
        # The namespace and pod that a sample is about, not those that it was scraped from.
        "honor_labels": True,
        "static_configs": targets,
    }
    # The label `cluster` of Medea's own metrics is the target that they are about.
    medea = {
        "job_name": "medea",
        "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in MEDEA_METRICS.values()]}],
    }
    extra = {"job_name": "extra", "file_sd_configs": [{"files": [f"{EXTRA}/*.json"]}]}
    return {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": [f"{RULES}/*.yaml"],
        "scrape_configs": [job, medea, extra],
    }
