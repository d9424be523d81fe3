"""Every setting, read once from the environment. The names without MEDEA_ are the original Medea's."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from webhook.certificates.names import names_in
from webhook.model.addresses import is_loopback
from webhook.model.contract import Hold

_DAY = 86_400


def _no_token_in_plain_text(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.netloc):
        raise ValueError("tokens are sent there: it must begin with https://, or be on the loopback")
    return url


SafeUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$"), AfterValidator(_no_token_in_plain_text)]
"""A URL to which tokens may be sent."""


class Api(StrEnum):
    """Who may use the API."""

    CLOSED = "closed"
    OPEN = "open"


class Issuer(StrEnum):
    """Who makes the certificates."""

    MEDEA = "medea"
    CERT_MANAGER = "cert-manager"


def _names(text: str) -> str:
    names_in("any", text)
    return text


class Settings(BaseSettings):
    """Settings of the doors and the controller; all read the same."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    postgresql_url: Annotated[str | None, Field(description="host:port/database; unset: an embedded Postgres")] = None
    postgresql_user: Annotated[str, Field(description="the ledger's user")] = "medea"
    postgresql_pass: Annotated[str, Field(description="the ledger's password", repr=False)] = "medea"
    prometheus_url: Annotated[str, Field(description="where kube_resourcequota of every target is")] = (
        "http://127.0.0.1:9090"
    )

    medea_argo_server: Annotated[
        SafeUrl | None, Field(description="URL of the front door's argo-server; unset: no verbs")
    ] = None
    medea_argo_server_ca: Annotated[
        FilePath | None, Field(description="file with the CA of argo-server; unset: the system's authorities")
    ] = None
    medea_api: Annotated[
        Api,
        Field(
            description="closed: TLS, and a token that the front door knows; open: plain HTTP without a token, on "
            "127.0.0.1 only, as the original Medea"
        ),
    ] = Api.CLOSED
    medea_balancer_port: Annotated[int, Field(description="the API: submit, get, steer and delete Workflows")] = 8090
    medea_scout_port: Annotated[int, Field(description="the API: ask for a target")] = 8091
    medea_scout_url: Annotated[SafeUrl, Field(description="where the command line asks the scout")] = (
        "https://localhost:8091"
    )
    medea_api_ca: Annotated[
        FilePath | None,
        Field(description="file with the CA that the command line trusts there; unset: the system's authorities"),
    ] = None
    medea_webhook_port: Annotated[int, Field(description="TLS: reviews of the front door's apiserver")] = 8443
    medea_webhook_client_ca: Annotated[
        FilePath | None,
        Field(description="file with the CA of the apiserver's client certificate; unset: reviews need none"),
    ] = None
    medea_webhook_client_name: Annotated[
        str | None,
        Field(validate_default=True, description="the common name in that certificate; nobody else may send reviews"),
    ] = None
    medea_plugin_port: Annotated[int, Field(description="TLS: what the executor plugin in Argo's agents calls")] = 8445
    medea_webhook_metrics_port: Annotated[int, Field(description="plain HTTP: metrics and health of the webhook")] = (
        9095
    )
    medea_controller_metrics_port: Annotated[int, Field(description="the same of the controller")] = 9096
    medea_plugin_metrics_port: Annotated[int, Field(description="the same of the plugin's door")] = 9097
    medea_api_metrics_port: Annotated[int, Field(description="the same of the API")] = 9098
    medea_logs_metrics_port: Annotated[int, Field(description="the same of the door for logs")] = 9099
    medea_bind: Annotated[str, Field(description="the address the ports are opened on")] = "0.0.0.0"
    medea_logs_certs: Annotated[
        Path | None,
        Field(description="folder with tls.crt, tls.key and the apiserver's client authority ca.crt; unset: no logs"),
    ] = None
    medea_logs_port: Annotated[int, Field(description="TLS: logs, for the front door's apiserver alone")] = 8444
    medea_logs_address: Annotated[
        str, Field(description="name or address by which the front door's apiserver reaches that port")
    ] = "medea-logs.medea-system.svc"
    medea_logs_streams: Annotated[int, Field(ge=1, description="logs read at once")] = 256
    medea_threads: Annotated[int, Field(ge=4, description="requests that a door serves at once")] = 512

    medea_certs: Annotated[Path, Field(description="folder with tls.crt, tls.key and ca.crt")] = Path("certs/out")
    medea_tls_secret: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
            description="Secret in MEDEA_NAMESPACE that MEDEA_CERTS is kept equal to; unset: somebody else fills it",
        ),
    ] = None
    medea_tls_issuer: Annotated[
        Issuer, Field(description="who makes that Secret: medea (the controller), or cert-manager")
    ] = Issuer.MEDEA
    medea_tls_names: Annotated[
        Annotated[str, AfterValidator(_names)] | None,
        Field(description="further names and addresses of the serving certificate, by commas"),
    ] = None
    medea_tls_authority_life: Annotated[
        int, Field(ge=30, description="seconds that an authority is valid; it is replaced in its last third")
    ] = 3650 * _DAY
    medea_tls_life: Annotated[
        int, Field(ge=30, description="seconds that a serving certificate is valid; it is replaced in its last third")
    ] = 90 * _DAY
    medea_data: Annotated[Path, Field(description="folder of the embedded Postgres")] = Path(".medea")
    medea_namespace: Annotated[str, Field(description="where the targets' Secrets are, and the controller's lease")] = (
        "medea-system"
    )
    kubeconfig: Annotated[Path | None, Field(description="the front door; unset: the cluster Medea runs in")] = None

    medea_hold: Annotated[Hold, Field(description="hold of namespaces without the label medea.dev/hold")] = Hold.PLUGIN
    medea_probe_quiet: Annotated[
        float, Field(gt=0, description="seconds a probe must be left alone before hold none is used")
    ] = 30.0

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

    @field_validator("medea_webhook_client_name")
    @classmethod
    def _with_an_authority(cls, name: str | None, others: ValidationInfo) -> str | None:
        authority = others.data.get("medea_webhook_client_ca")
        if (name is None) != (authority is None):
            raise ValueError("MEDEA_WEBHOOK_CLIENT_CA and MEDEA_WEBHOOK_CLIENT_NAME must be set together, or neither")
        return name
