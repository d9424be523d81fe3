"""The commands `inventory`, `config` and `desired`: the three trees, as the API has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from webhook.admin.asking import TokenFile, ask
from webhook.admin.surroundings import console
from webhook.settings import Settings

Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Else that of MEDEA_JOBS_NAMESPACE.")]
Row = tuple[str, ...]


def inventory(namespace: Namespace = None, token_file: TokenFile = None) -> None:
    """Show what is discovered: every target, and its room for a namespace."""
    _show("inventory", namespace, token_file, ("target", "cpu free", "GiB free", "profile", ""), _targets)


def config(namespace: Namespace = None, token_file: TokenFile = None) -> None:
    """Show what people asked for in a namespace: jobs, and other Workflows that are split."""
    _show("config", namespace, token_file, ("workflow", "job", "power", "split", "items", "submitted by"), _asked)


def desired(namespace: Namespace = None, token_file: TokenFile = None) -> None:
    """Show what each target shall run in a namespace."""
    _show("desired", namespace, token_file, ("target", "workflow", "chunk of", "state", "cpu", "GiB"), _wanted)


def _show(
    tree: str,
    namespace: str | None,
    token_file: Path | None,
    headings: Row,
    rows: Callable[[dict[str, Any]], list[Row]],
) -> None:
    query = f"?namespace={quote(namespace, safe='')}" if namespace else ""
    answer = ask(Settings(), f"/{tree}{query}", token_file=token_file)
    out = console()
    table = Table(title=f"{tree}, namespace {answer['namespace']}{_more(answer)}", title_justify="left")
    for heading in headings:
        table.add_column(heading)
    for row in rows(answer):
        table.add_row(*row)
    out.print(table)


def _more(answer: dict[str, Any]) -> str:
    words = f"; chunks {answer['chunks']}" if "chunks" in answer else ""
    words += f"; {answer['waiting']} wait for a target" if "waiting" in answer else ""
    return words + ("; there are more" if answer.get("truncated") else "")


def _targets(answer: dict[str, Any]) -> list[Row]:
    return [
        (
            one["name"],
            _number(one["cpu"]["free"]),
            _number(one["memory"]["free"]),
            one["clusterProfile"] or "",
            one["why"],
        )
        for one in answer["targets"]
    ]


def _asked(answer: dict[str, Any]) -> list[Row]:
    keys = ("workflow", "job", "powerNeeded", "split", "items", "submittedBy")
    return [tuple("" if one[key] is None else str(one[key]) for key in keys) for one in answer["jobs"]]


def _wanted(answer: dict[str, Any]) -> list[Row]:
    return [(target["name"], *_run(one)) for target in answer["targets"] for one in target["runs"]]


def _run(one: dict[str, Any]) -> Row:
    return one["workflow"], one["chunkOf"] or "", one["state"], _number(one["cpu"]), _number(one["memory"])


def _number(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"
