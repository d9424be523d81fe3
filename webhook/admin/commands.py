"""The commands `medea ledger`. The docstrings of commands are their help texts."""

from collections import Counter
from typing import Annotated

import typer
from rich.table import Table

from webhook.admin import surroundings
from webhook.admin.rebuild import Report
from webhook.admin.rebuild import rebuild as rebuild_ledger
from webhook.admin.surroundings import console
from webhook.model.objects import Metadata, Object
from webhook.settings import Settings

ledger_app = typer.Typer(no_args_is_help=True, help="What is done about the ledger as a whole.")


@ledger_app.callback()
def _group() -> None:
    """With a callback, typer keeps a group although it has only one command."""


@ledger_app.command()
def rebuild(
    gone: Annotated[list[str] | None, typer.Option(help="A target that will never come back; may be repeated.")] = None,
) -> None:
    """Make the rows of a lost ledger again, from what the front door and the targets show."""
    settings, out = Settings(), console()
    front = surroundings.front(settings)
    with surroundings.ledger(settings) as pool, surroundings.registry(front, settings, pool) as registry:
        report = rebuild_ledger(front, registry, pool, gone=gone or [])
    out.print(_report_table(report))
    for one in report.matches:
        if one.words:
            out.print(f"{_name(one.origin)}: {one.found}: {one.words}", markup=False)
    for cluster, run in report.unmatched:
        out.print(f"{_name(run)} on {cluster}: left alone: its origin is not at the front door", markup=False)


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
