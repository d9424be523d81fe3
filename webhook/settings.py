"""Every setting, read once from the environment. The names without MEDEA_ are the original Medea's."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import Field, FilePath, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from webhook.model.contract import Hold
from webhook.scout.prometheus_access import Access
from webhook.scout.promql import RESERVED_LABELS

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Eyes(StrEnum):
    """Where the targets' quotas are read."""

    AUTO = "auto"
    """Prometheus if it is set, and the targets' apiservers where it has nothing to say or is wrong."""
    PROMETHEUS = "prometheus"
    APISERVER = "apiserver"


class Settings(BaseSettings):
    """Settings of the service and the controller; both read the same."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    postgresql_url: Annotated[str | None, Field(description="host:port/database; unset: an embedded Postgres")] = None
    postgresql_user: Annotated[str, Field(description="the ledger's user")] = "medea"
    postgresql_pass: Annotated[str, Field(description="the ledger's password", repr=False)] = "medea"
    prometheus_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[^\s/]+(/\S*)?$",
            description="where kube_resourcequota of every target is; unset: the targets' apiservers are asked",
        ),
    ] = None

    medea_quota_source: Annotated[
        Eyes, Field(description="auto, prometheus or apiserver: where the targets' quotas are read")
    ] = Eyes.AUTO
    medea_prometheus_token_file: Annotated[
        FilePath | None, Field(description="file with the bearer token for Prometheus, read for every request")
    ] = None
    medea_prometheus_user: Annotated[str | None, Field(description="user for Prometheus, with a password")] = None
    medea_prometheus_password_file: Annotated[
        FilePath | None, Field(description="file with that user's password, read for every request")
    ] = None
    medea_prometheus_headers: Annotated[
        str | None,
        Field(
            description="headers for Prometheus: NAME=VALUE,NAME=VALUE, %-encoded, as X-Scope-OrgID=team", repr=False
        ),
    ] = None
    medea_prometheus_ca: Annotated[
        FilePath | None, Field(description="file with the CA of Prometheus; unset: the system's authorities")
    ] = None
    medea_prometheus_cluster_label: Annotated[
        str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", description="the label in Prometheus with a target's name")
    ] = "cluster"

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

    medea_sample_interval: Annotated[float, Field(gt=0, description="seconds between two reads of Prometheus")] = 5.0
    medea_sample_max_age: Annotated[
        float | None,
        Field(
            gt=0,
            description="seconds after which a sample excludes its target; unset: 2.5 times the interval at which "
            "Prometheus has new ones, between 15 and 300, and 30 for what the apiservers say",
        ),
    ] = None
    medea_expiry: Annotated[
        float, Field(ge=70, description="seconds until a placement without an origin expires; an apiserver may take 68")
    ] = 90.0
    medea_sweep_interval: Annotated[float, Field(gt=0, description="seconds between two sweeps")] = 30.0
    medea_retention_days: Annotated[
        float, Field(gt=0, description="days the ledger remembers a Workflow whose origin is gone")
    ] = 30.0

    @field_validator("medea_prometheus_headers")
    @classmethod
    def _are_headers(cls, value: str | None) -> str | None:
        _headers(value)
        return value

    @field_validator("medea_prometheus_cluster_label")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in RESERVED_LABELS:
            raise ValueError("kube-state-metrics uses this label for something else; it must be one of its own")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        if self.medea_quota_source is Eyes.PROMETHEUS and not self.prometheus_url:
            raise ValueError("MEDEA_QUOTA_SOURCE is 'prometheus', and PROMETHEUS_URL is not set")
        if (self.medea_prometheus_user is None) != (self.medea_prometheus_password_file is None):
            raise ValueError("MEDEA_PROMETHEUS_USER and MEDEA_PROMETHEUS_PASSWORD_FILE must be set together")
        named = "authorization" in {name.lower() for name in _headers(self.medea_prometheus_headers)}
        if sum((self.medea_prometheus_token_file is not None, self.medea_prometheus_user is not None, named)) > 1:
            raise ValueError(
                "only one of MEDEA_PROMETHEUS_TOKEN_FILE, MEDEA_PROMETHEUS_USER and a header Authorization in "
                "MEDEA_PROMETHEUS_HEADERS can be set"
            )
        return self

    @property
    def eyes(self) -> Eyes:
        """Where quotas are read, given that without a Prometheus only the apiservers are left."""
        auto = self.medea_quota_source is Eyes.AUTO
        return Eyes.APISERVER if auto and not self.prometheus_url else self.medea_quota_source

    @property
    def prometheus_access(self) -> Access:
        """How Medea makes itself known to Prometheus."""
        return Access(
            token_file=self.medea_prometheus_token_file,
            user=self.medea_prometheus_user,
            password_file=self.medea_prometheus_password_file,
            headers=_headers(self.medea_prometheus_headers),
            ca=self.medea_prometheus_ca,
        )


def setting_problems(error: ValidationError) -> Iterator[str]:
    """What is wrong with the settings, a line each. The value of a setting that may hold a secret is left out."""
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        words = problem["msg"].removeprefix("Value error, ")
        field = Settings.model_fields.get(name)
        if not name:
            yield words
        elif field is not None and field.repr:
            yield f"{name.upper()} is {problem['input']!r}: {words}"
        else:
            yield f"{name.upper()}: {words}"


def _headers(value: str | None) -> dict[str, str]:
    """The headers of the setting. Raises ValueError, without any value in it."""
    found = {}
    for number, pair in enumerate(value.split(",") if value else (), start=1):
        name, equals, content = pair.partition("=")
        name, content = name.strip(), unquote(content.strip())
        if not equals or not _HEADER.fullmatch(name):
            raise ValueError(f"header {number} must be NAME=VALUE, such as X-Scope-OrgID=team")
        if not content or not content.isascii() or not content.isprintable():
            raise ValueError(f"the value of header {name} must be printable ASCII, and not empty")
        found[name] = content
    return found
