"""What commands work with: the clusters by a person's own kubeconfig, the ledger, and the terminal."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from webhook.errors import ClusterUnavailable, LedgerUnavailable, Refused
from webhook.kube.client import Cluster, front_door, of_context
from webhook.kube.registry import Registry
from webhook.ledger import identities
from webhook.ledger.pool import Pool
from webhook.model.limits.admin import COMMAND_WAIT
from webhook.settings import Settings
from webhook.wiring.parts import ledger_dsn

_USUAL = Path("~/.kube/config")


def console() -> Console:
    """A console with the terminal's width, or wide enough for tables if the output is piped."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def front(settings: Settings, context: str | None = None) -> Cluster:
    """The front door: a context of the person's kubeconfig, the current one if None; in a pod, the pod's own cluster.

    Raises Refused.
    """
    if context is None and not _has_kubeconfig(settings):
        return front_door(None)
    return of_context("front", context, _kubeconfig(settings))


def target(settings: Settings, name: str, context: str) -> Cluster:
    """A target, as its administrator sees it. Raises Refused."""
    return of_context(name, context, _kubeconfig(settings))


def known_ledger(settings: Settings) -> str | None:
    """The ledger's DSN; None where there is none.

    Without an address there may still be a laptop's own, but none is made for a command.
    """
    known = settings.postgresql_url or settings.medea_ledger_dsn or settings.medea_data.exists()
    return ledger_dsn(settings) if known else None


def recorded_clusters(settings: Settings) -> Mapping[str, str] | None:
    """The uids by which the ledger knows the targets' clusters, by name; None without a ledger that answers."""
    dsn = known_ledger(settings)
    try:
        return None if dsn is None else identities.recorded(dsn)
    except LedgerUnavailable:
        return None


@contextmanager
def ledger(settings: Settings) -> Iterator[Pool]:
    """The ledger. Raises Refused where there is none, and LedgerUnavailable if it does not answer."""
    dsn = known_ledger(settings)
    if dsn is None:
        pod = f"kubectl -n {settings.medea_namespace} exec deploy/medea-controller -- medea …"
        raise Refused(f"there is no ledger here: set POSTGRESQL_URL, or run the command where Medea runs: {pod}")
    pool = Pool(dsn, size=2)
    pool.start()
    try:
        if not pool.wait(COMMAND_WAIT):
            raise LedgerUnavailable("the ledger (Postgres) did not answer")
        yield pool
    finally:
        pool.close()


@contextmanager
def registry(front_door: Cluster, settings: Settings, pool: Pool | None = None) -> Iterator[Registry]:
    """The targets; with a ledger only those that are still the clusters it knows.

    Raises ClusterUnavailable if the front door does not answer.
    """
    expected = partial(identities.expected, pool) if pool else None
    found = Registry(front_door, settings.medea_targets_namespace, expected=expected)
    found.start()
    try:
        if not found.wait(COMMAND_WAIT):
            raise ClusterUnavailable("the front door did not answer")
        yield found
    finally:
        found.stop()


def _has_kubeconfig(settings: Settings) -> bool:
    return settings.kubeconfig is not None or _USUAL.expanduser().exists()


def _kubeconfig(settings: Settings) -> str:
    return str(settings.kubeconfig or _USUAL)
