"""Every setting, read once from the environment. The names without MEDEA_ are the original Medea's."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from webhook.certificates.names import names_in
from webhook.model.addresses import is_loopback
from webhook.model.contract import Hold
from webhook.scout.prometheus_access import Access
from webhook.scout.promql import RESERVED_LABELS

_URL = r"^https?://[^\s/]+(/\S*)?$"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Eyes(StrEnum):
    """Where the targets' quotas are read."""

    AUTO = "auto"
    """Prometheus if it is set, and the targets' apiservers where it has nothing to say or is wrong."""
    PROMETHEUS = "prometheus"
    APISERVER = "apiserver"


_DAY = 86_400


class Issuer(StrEnum):
    """Who makes the certificates."""

    MEDEA = "medea"
    CERT_MANAGER = "cert-manager"


def _no_token_in_plain_text(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.netloc):
        raise ValueError("tokens are sent there: it must begin with https://, or be on the loopback")
    return url


SafeUrl = Annotated[str, Field(pattern=_URL), AfterValidator(_no_token_in_plain_text)]
"""A URL to which tokens may be sent."""


class Api(StrEnum):
    """Who may use the API."""

    CLOSED = "closed"
    OPEN = "open"


def _parsed(value: Any) -> Any:
    """JSON, as it stands in the environment. Anything else than a text is a value already."""
    return json.loads(value) if isinstance(value, str) else value


_JSON = BeforeValidator(_parsed)


def _names(text: str) -> str:
    names_in("any", text)
    return text


class Settings(BaseSettings):
    """Settings of the doors and the controller; all read the same."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    postgresql_url: Annotated[str | None, Field(description="host:port/database; unset: an embedded Postgres")] = None
    postgresql_user: Annotated[str, Field(description="the ledger's user")] = "medea"
    postgresql_pass: Annotated[str, Field(description="the ledger's password", repr=False)] = "medea"
    medea_ledger_dsn: Annotated[
        str | None,
        Field(description="postgresql://user:password@host:port/database?sslmode=…, in place of these", repr=False),
    ] = None
    prometheus_url: Annotated[
        str | None,
        Field(
            pattern=_URL,
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
        SafeUrl | None, Field(description="URL of the front door's argo-server; unset: no verbs")
    ] = None
    medea_argo_server_ca: Annotated[
        FilePath | None, Field(description="file with the CA of argo-server; unset: the system's authorities")
    ] = None
    medea_argo_account: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][-a-z0-9.]*:[a-z0-9][-a-z0-9.]*$",
            description="namespace:name of the account of the front door's Argo controller, for `medea check`",
        ),
    ] = "argo:argo"
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
    medea_jobs_namespace: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            description="namespace of jobs counted in power that name none; unset: each has to name one",
        ),
    ] = None
    medea_jobs_template: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
            description="WorkflowTemplate that serves such jobs, unless they name another",
        ),
    ] = "power-job"
    medea_jobs_unit: Annotated[
        int, Field(ge=1, le=10**9, description="watt-seconds of one item of such a job; in very large jobs it is more")
    ] = 10
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
    medea_logs_port: Annotated[
        int, Field(description="TLS: logs, and the way into pods, for the front door's apiserver alone")
    ] = 8444
    medea_logs_address: Annotated[
        str, Field(description="name or address by which the front door's apiserver reaches that port")
    ] = "medea-logs.medea-system.svc"
    medea_logs_streams: Annotated[int, Field(ge=1, description="logs read at once")] = 256
    medea_logs_sessions: Annotated[
        int,
        Field(
            ge=0, description="connections into pods at once, by kubectl exec and the like; half of them a namespace"
        ),
    ] = 64
    medea_files_namespace: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            description="namespace of the services and jobs of the door for files; unset: no such door",
        ),
    ] = None
    medea_files_port: Annotated[int, Field(description="TLS: jobs with files, as the Orchestrator takes them")] = 5000
    medea_files_metrics_port: Annotated[int, Field(description="plain HTTP: metrics and health of that door")] = 9100
    medea_files_largest: Annotated[
        int,
        Field(
            ge=1,
            le=12 * 1024**3,
            description="bytes that an uploaded file may have; all of an upload may have four times that",
        ),
    ] = 2 * 1024**3
    medea_files_uploads: Annotated[
        int, Field(ge=1, description="uploads received at once, each of which takes some 15 MiB of memory")
    ] = 8
    medea_files_queued_per_user: Annotated[
        int, Field(ge=1, description="jobs of one user_id that may wait in the door's queue; 429 beyond that")
    ] = 10_000
    medea_files_upload_seconds: Annotated[float, Field(gt=0, description="seconds that an upload may take")] = 3600.0
    medea_retention_hours: Annotated[
        float, Field(gt=0, description="hours that jobs of doors are kept after their end, with files and results")
    ] = 48.0
    max_age: Annotated[
        float | None,
        Field(gt=0, description="the same in seconds, as the Orchestrator reads it; unset: MEDEA_RETENTION_HOURS"),
    ] = None
    medea_s3_endpoint: Annotated[
        str | None,
        Field(pattern=r"^https?://[^\s/]+/?$", description="URL of the S3 store with the files; unset: no such door"),
    ] = None
    medea_s3_bucket: Annotated[str | None, Field(min_length=3, description="the bucket there")] = None
    medea_s3_prefix: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", description="folder in that bucket")
    ] = "medea/files"
    medea_s3_region: Annotated[
        str, Field(min_length=1, description="region that calls of the store are signed for")
    ] = "us-east-1"
    medea_s3_access_key: Annotated[
        str | None, Field(description="access key of the store; unset: found as AWS' own tools do", repr=False)
    ] = None
    medea_s3_secret_key: Annotated[str | None, Field(description="the secret key that belongs to it", repr=False)] = (
        None
    )
    medea_s3_ca: Annotated[
        FilePath | None, Field(description="file with the CA of the store; unset: the usual authorities")
    ] = None
    argo_namespace: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            description="namespace of Workflows that name none where nodes are chosen; unset: each must",
        ),
    ] = None
    mq_ip: Annotated[
        str | None,
        Field(min_length=1, description="RabbitMQ, for questions about nodes; unset: they are asked over HTTP only"),
    ] = None
    mq_port: Annotated[int, Field(ge=1, le=65535, description="its port")] = 5672
    mq_id: Annotated[str | None, Field(description="as whom Medea logs in there")] = None
    mq_passwd: Annotated[str | None, Field(description="the password that belongs to it", repr=False)] = None
    mq_resource_que: Annotated[
        str | None, Field(min_length=1, max_length=200, description="the queue with these questions")
    ] = None
    medea_mq_ca: Annotated[
        FilePath | None, Field(description="file with the CA of RabbitMQ, which is spoken to over TLS then")
    ] = None
    medea_mq_durable: Annotated[
        bool,
        Field(
            description="whether that queue outlives a restart of RabbitMQ; the node allocator's clients want it not to"
        ),
    ] = False
    medea_classes_namespace: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            description="namespace of the WorkflowTemplates and jobs of the door for job classes; unset: no such door",
        ),
    ] = None
    medea_classes_config: Annotated[
        FilePath | None,
        Field(description="file with the placement configuration; unset: that of the Cloud Job Orchestrator"),
    ] = None
    medea_classes_port: Annotated[
        int, Field(description="TLS: jobs of classes, as the Cloud Job Orchestrator takes them")
    ] = 8000
    medea_classes_metrics_port: Annotated[int, Field(description="plain HTTP: metrics and health of that door")] = 9101
    medea_worker_metrics_port: Annotated[
        int, Field(ge=0, description="the same of a worker; 0: any port that is free")
    ] = 9102
    rabbitmq_url: Annotated[
        str | None,
        Field(
            pattern=r"^amqps?://[^\s/@]+@[^\s/@]+(/[^\s/]*)?$",
            description="amqp://user:password@host:port/vhost of the RabbitMQ with the queues of workers",
            repr=False,
        ),
    ] = None
    medea_rabbitmq_ca: Annotated[
        FilePath | None,
        Field(description="file with the CA of RabbitMQ, for amqps://; unset: the system's authorities"),
    ] = None
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
    medea_namespace: Annotated[
        str, Field(description="where Medea itself is: its certificates and the controller's lease")
    ] = "medea-system"
    medea_targets_namespace: Annotated[
        str,
        Field(description="where the targets' Secrets are, and their ClusterProfiles; nothing else should be there"),
    ] = "medea-targets"
    kubeconfig: Annotated[Path | None, Field(description="the front door; unset: the cluster Medea runs in")] = None

    medea_hold: Annotated[Hold, Field(description="hold of namespaces without the label medea.dev/hold")] = Hold.PLUGIN
    medea_probe_quiet: Annotated[
        float, Field(gt=0, description="seconds that a probe is left in a namespace whose hold becomes none")
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

    @field_validator("medea_webhook_client_name")
    @classmethod
    def _with_an_authority(cls, name: str | None, others: ValidationInfo) -> str | None:
        authority = others.data.get("medea_webhook_client_ca")
        if (name is None) != (authority is None):
            raise ValueError("MEDEA_WEBHOOK_CLIENT_CA and MEDEA_WEBHOOK_CLIENT_NAME must be set together, or neither")
        return name

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
        if (self.medea_s3_access_key is None) != (self.medea_s3_secret_key is None):
            raise ValueError("MEDEA_S3_ACCESS_KEY and MEDEA_S3_SECRET_KEY must be set together, or neither")
        return self

    @property
    def jobs_kept(self) -> float:
        """Seconds that jobs of doors are kept after their end, with files and results."""
        return self.max_age or self.medea_retention_hours * 3600

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
