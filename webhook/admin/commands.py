"""The commands `medea target` and `medea ledger`. The docstrings of commands are their help texts."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from webhook.admin.forget import check_unregistered
from webhook.admin.forget import forget as forget_target
from webhook.admin.rebuild import Report
from webhook.admin.rebuild import rebuild as rebuild_ledger
from webhook.errors import ClusterUnavailable, LedgerUnavailable
from webhook.kube.client import Cluster, front_door
from webhook.kube.registry import Registry
from webhook.ledger import identities
from webhook.ledger.by_cluster import Share, shares
from webhook.ledger.pool import Pool
from webhook.model.limits import COMMAND_WAIT
from webhook.model.objects import Metadata, Object
from webhook.settings import Settings
from webhook.wiring import ledger_dsn

target_app = typer.Typer(no_args_is_help=True, help="What is done about one target.")
ledger_app = typer.Typer(no_args_is_help=True, help="What is done about the ledger as a whole.")


@target_app.callback()
@ledger_app.callback()
def _group() -> None:
    """With a callback, typer keeps a group although it has only one command."""


@target_app.command()
def forget(
    name: Annotated[str, typer.Argument(help="a target that is gone for good")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Have nothing wait any more for a target that is gone for good. What ran there is lost."""
    settings, out = Settings(), console()
    check_unregistered(open_front(settings), settings.medea_namespace, name)
    with open_ledger(settings) as pool:
        there = shares(pool, name)
        if not there and identities.forget(pool, name):
            out.print(f"nothing was on {name}; any cluster may be registered by that name now", markup=False)
            return
        if not there:
            out.print(f"the ledger knows of nothing on {name}", markup=False)
            return
        out.print(_shares_table(f"on {name}, and lost with it unless it has ended or not begun", there))
        if not yes:
            typer.confirm(f"Is {name} gone for good?", abort=True)
        for became, count in forget_target(pool, name).items():
            out.print(f"{count} {became}", markup=False)


@ledger_app.command()
def rebuild(
    gone: Annotated[list[str] | None, typer.Option(help="A target that will never come back; may be repeated.")] = None,
) -> None:
    """Make the rows of a lost ledger again, from what the front door and the targets show."""
    settings, out = Settings(), console()
    front = open_front(settings)
    with open_ledger(settings) as pool, open_registry(front, settings, pool) as registry:
        report = rebuild_ledger(front, registry, pool, gone=gone or [])
    out.print(_report_table(report))
    for one in report.matches:
        if one.words:
            out.print(f"{_name(one.origin)}: {one.found}: {one.words}", markup=False)
    for cluster, run in report.unmatched:
        out.print(f"{_name(run)} on {cluster}: left alone: its origin is not at the front door", markup=False)


def console() -> Console:
    """A console with the terminal's width, or wide enough for tables if the output is piped."""
    return Console(width=None if sys.stdout.isatty() else 160)


def open_front(settings: Settings) -> Cluster:
    """The client of the front door."""
    return front_door(str(settings.kubeconfig) if settings.kubeconfig else None)


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Pool]:
    """The ledger, for as long as the block lasts. Raises LedgerUnavailable."""
    pool = Pool(ledger_dsn(settings), size=2)
    pool.start()
    try:
        if not pool.wait(COMMAND_WAIT):
            raise LedgerUnavailable("the ledger (Postgres) did not answer")
        yield pool
    finally:
        pool.close()


@contextmanager
def open_registry(front: Cluster, settings: Settings, pool: Pool | None = None) -> Iterator[Registry]:
    """The targets, for as long as the block lasts; with a ledger only those that are still the clusters it knows.

    Raises ClusterUnavailable.
    """
    expected = partial(identities.expected, pool) if pool else None
    registry = Registry(front, settings.medea_namespace, expected=expected)
    registry.start()
    try:
        if not registry.wait(COMMAND_WAIT):
            raise ClusterUnavailable("the front door did not answer")
        yield registry
    finally:
        registry.stop()


def _shares_table(title: str, there: list[Share]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("namespace", "state", "origins", "with a run"):
        table.add_column(heading)
    for share in there:
        table.add_row(share.namespace, share.state, str(share.placements), str(share.runs))
    return table


def _report_table(report: Report) -> Table:
    table = Table(title="found at the front door and on the targets", title_justify="left")
    for heading in ("how many", "what became of them"):
        table.add_column(heading)
    for found, count in Counter(one.found for one in report.matches).items():
        table.add_row(str(count), found)
    table.add_row(str(len(report.unmatched)), "runs without an origin, left alone")
    return table


def _name(workflow: Object) -> str:
    metadata: Metadata = workflow["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"
