"""The parts that several processes have, from the settings. Nothing is created at import."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webhook.certificates.delivery import authority_bundle
from webhook.errors import BadRequest, MedeaError
from webhook.kube.client import Cluster, front_door
from webhook.kube.informer import Informer
from webhook.kube.prober import TargetProber
from webhook.kube.registry import Registry
from webhook.ledger import identities
from webhook.ledger.address import checked_dsn, conninfo_of_url
from webhook.ledger.embedded import embedded_dsn
from webhook.ledger.pool import Pool
from webhook.model.limits.scout import SAMPLE_OLDEST
from webhook.references.presence import Presence
from webhook.scout.both_eyes import BothEyes
from webhook.scout.eye import Eye
from webhook.scout.placer import Placer
from webhook.scout.quota_watch import QuotaWatch
from webhook.scout.sampler import Sampler
from webhook.settings import Eyes, Settings
from webhook.targets.acceptance import Acceptance


def check_set(who: str, wanted: Mapping[str, object]) -> None:
    """Raises MedeaError with the settings that are missing; `who` needs all of them."""
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        raise MedeaError(f"{who} {' and '.join(missing)}")


@dataclass(frozen=True)
class Parts:
    """The parts that every process which places Workflows has, each its own."""

    front: Cluster
    registry: Registry
    prober: TargetProber
    pool: Pool
    sampler: Eye
    placer: Placer
    acceptance: Acceptance
    presence: Presence
    authority_bundle: Callable[[], str]
    """The authorities that vouch for Medea's servers, as PEM. Raises Unavailable."""


def make_parts(settings: Settings) -> Parts:
    """The shared parts, not started."""
    front = front_of(settings)
    pool = Pool(ledger_dsn(settings))
    registry = Registry(front, settings.medea_targets_namespace, expected=functools.partial(identities.expected, pool))
    sampler = _make_eye(settings, registry)
    acceptance, presence = Acceptance(registry), Presence(registry)
    placer = Placer(
        pool=pool,
        sampler=sampler,
        registry=registry,
        closed=acceptance.refusal,
        presence=presence,
        max_age=settings.medea_sample_max_age or SAMPLE_OLDEST,
    )
    bundle = functools.partial(authority_bundle, settings.medea_certs)
    return Parts(front, registry, TargetProber(registry), pool, sampler, placer, acceptance, presence, bundle)


def _make_eye(settings: Settings, registry: Registry) -> Eye:
    """The eye, or both, that the settings ask for."""
    max_age = settings.medea_sample_max_age
    if settings.eyes is Eyes.APISERVER:
        return QuotaWatch(registry, max_age=max_age)
    sampler = Sampler(
        url=str(settings.prometheus_url),
        interval=settings.medea_sample_interval,
        max_age=max_age,
        access=settings.prometheus_access,
        label=settings.medea_prometheus_cluster_label,
    )
    return sampler if settings.eyes is Eyes.PROMETHEUS else BothEyes(sampler, QuotaWatch(registry, max_age=max_age))


def front_of(settings: Settings) -> Cluster:
    return front_door(kubeconfig_of(settings))


def kubeconfig_of(settings: Settings) -> str | None:
    return str(settings.kubeconfig) if settings.kubeconfig else None


def opted_in_names(namespaces: Informer) -> list[str] | None:
    """The names of the namespaces that opted in; None while the informer is not up to date."""
    return [namespace["metadata"]["name"] for namespace in namespaces.all()] if namespaces.current else None


def ledger_dsn(settings: Settings) -> str:
    """The ledger's DSN, from the settings; without an address it starts the embedded Postgres. Raises BadRequest."""
    if settings.medea_ledger_dsn and settings.postgresql_url:
        raise BadRequest("POSTGRESQL_URL and MEDEA_LEDGER_DSN are both set: one of them has to go")
    if settings.medea_ledger_dsn:
        return checked_dsn(settings.medea_ledger_dsn)
    if settings.postgresql_url:
        return conninfo_of_url(settings.postgresql_url, settings.postgresql_user, settings.postgresql_pass)
    return embedded_dsn(settings.medea_data)
