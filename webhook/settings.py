"""Every setting, read once from the environment. The names without MEDEA_ are the original Medea's."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, FilePath
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from webhook.model.contract import Hold


def _parsed(value: Any) -> Any:
    """JSON, as it stands in the environment. Anything else than a text is a value already."""
    return json.loads(value) if isinstance(value, str) else value


_JSON = BeforeValidator(_parsed)


class Settings(BaseSettings):
    """Settings of the service and the controller; both read the same."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    postgresql_url: Annotated[str | None, Field(description="host:port/database; unset: an embedded Postgres")] = None
    postgresql_user: Annotated[str, Field(description="the ledger's user")] = "medea"
    postgresql_pass: Annotated[str, Field(description="the ledger's password", repr=False)] = "medea"
    prometheus_url: Annotated[str, Field(description="where kube_resourcequota of every target is")] = (
        "http://127.0.0.1:9090"
    )

    medea_argo_server: Annotated[
        str | None,
        Field(pattern=r"^https?://[^\s/]+(/\S*)?$", description="URL of the front door's argo-server; unset: no verbs"),
    ] = None
    medea_argo_server_ca: Annotated[
        FilePath | None, Field(description="file with the CA of argo-server; unset: the system's authorities")
    ] = None
    medea_balancer_port: Annotated[int, Field(description="plain HTTP: submit, get and delete Workflows")] = 8090
    medea_scout_port: Annotated[int, Field(description="plain HTTP: ask for a target")] = 8091
    medea_scout_url: Annotated[str, Field(description="where the command line asks the scout")] = (
        "http://127.0.0.1:8091"
    )
    medea_webhook_port: Annotated[int, Field(description="TLS: the webhook, and everything else too")] = 8443
    medea_metrics_port: Annotated[int, Field(description="plain HTTP: metrics of the service")] = 9095
    medea_controller_metrics_port: Annotated[
        int, Field(description="plain HTTP: metrics and health of the controller")
    ] = 9096
    medea_bind: Annotated[str, Field(description="the address the ports are opened on")] = "0.0.0.0"
    medea_logs_certs: Annotated[
        Path | None,
        Field(description="folder with tls.crt, tls.key and the apiserver's client authority ca.crt; unset: no logs"),
    ] = None
    medea_logs_port: Annotated[int, Field(description="TLS: logs, for the front door's apiserver alone")] = 8444
    medea_logs_address: Annotated[
        str, Field(description="name or address by which the front door's apiserver reaches that port")
    ] = "medea.medea-system.svc"
    medea_logs_streams: Annotated[int, Field(ge=1, description="logs read at once")] = 256
    medea_threads: Annotated[int, Field(ge=4, description="requests served at once")] = 128

    medea_certs: Annotated[Path, Field(description="folder with tls.crt and tls.key")] = Path("certs/out")
    medea_data: Annotated[Path, Field(description="folder of the embedded Postgres")] = Path(".medea")
    medea_namespace: Annotated[str, Field(description="where the targets' Secrets are, and the controller's lease")] = (
        "medea-system"
    )
    kubeconfig: Annotated[Path | None, Field(description="the front door; unset: the cluster Medea runs in")] = None

    medea_hold: Annotated[Hold, Field(description="hold of namespaces without the label medea.dev/hold")] = Hold.PLUGIN
    medea_probe_quiet: Annotated[
        float, Field(gt=0, description="seconds a probe must be left alone before hold none is used")
    ] = 30.0

    medea_plugin_image: Annotated[
        str, Field(min_length=1, description="image of the plugin in the agents of namespaces that opted in")
    ] = "medea"
    medea_plugin_url: Annotated[
        str, Field(pattern=r"^https://[^\s/]+$", description="https://HOST[:PORT] at which agents reach Medea")
    ] = "https://medea-plugin.medea-system.svc"
    medea_agent_pull_secrets: Annotated[
        tuple[str, ...],
        NoDecode,
        _JSON,
        Field(description='JSON: names of Secrets to pull agents\' images with, as ["registry"]'),
    ] = ()
    medea_agent_tolerations: Annotated[
        tuple[dict[str, str | int], ...],
        NoDecode,
        _JSON,
        Field(description="JSON: tolerations of agents, as in a pod's spec"),
    ] = ()
    medea_agent_node_selector: Annotated[
        dict[str, str], NoDecode, _JSON, Field(description="JSON: nodeSelector of agents, as in a pod's spec")
    ] = {}
    medea_agent_priority_class: Annotated[str | None, Field(description="priorityClassName of agents")] = None

    medea_sample_interval: Annotated[float, Field(gt=0, description="seconds between two reads of Prometheus")] = 5.0
    medea_sample_max_age: Annotated[
        float, Field(gt=0, description="seconds after which a sample excludes its target")
    ] = 60.0
    medea_expiry: Annotated[
        float, Field(ge=70, description="seconds until a placement without an origin expires; an apiserver may take 68")
    ] = 90.0
    medea_sweep_interval: Annotated[float, Field(gt=0, description="seconds between two sweeps")] = 30.0
    medea_retention_days: Annotated[
        float, Field(gt=0, description="days the ledger remembers a Workflow whose origin is gone")
    ] = 30.0
