"""The command `medea`. The docstrings of commands are their help texts."""

import multiprocessing
import signal
import sys
from typing import Annotated, Any

import requests
import structlog
import typer
from pydantic import ValidationError
from rich.table import Table

from webhook.admin.commands import ledger_app
from webhook.admin.surroundings import console
from webhook.admin.target_commands import target_app
from webhook.errors import MedeaError
from webhook.kube.leader import Leader, Lease
from webhook.ledger.migrate import migrate as migrate_ledger
from webhook.server.app import Server
from webhook.server.health import start_health_server
from webhook.settings import Settings
from webhook.telemetry import configure_logging
from webhook.totals.model import cores, gibibytes
from webhook.wiring import ledger_dsn, make_controller

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Many Kubernetes clusters, one Argo Workflows.")
app.add_typer(target_app, name="target")
app.add_typer(ledger_app, name="ledger")
_TIMEOUT = 10


def main() -> None:
    """Entry point. A wrong setting or an unavailable dependency is reported on one line, without a traceback."""
    try:
        app()
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = ".".join(str(part) for part in problem["loc"]).upper()
            print(f"medea: {name} is {problem['input']!r}: {problem['msg']}", file=sys.stderr)
        sys.exit(2)
    except MedeaError as error:
        print(f"medea: {error.message}", file=sys.stderr)
        sys.exit(1)
    except requests.RequestException as error:
        print(f"medea: the scout did not answer: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def serve(
    everything: Annotated[bool, typer.Option("--all", help="Run the controller beside it, for a laptop.")] = False,
) -> None:
    """Serve the webhook and the API."""
    configure_logging()
    settings = Settings()
    if everything:
        multiprocessing.get_context("spawn").Process(target=controller, daemon=True).start()
    Server(settings).run()


@app.command()
def controller() -> None:
    """Run the controller, once it holds the lease."""
    configure_logging()
    settings = Settings()
    parts, work = make_controller(settings)
    start_health_server(settings.medea_bind, settings.medea_controller_metrics_port, unready=work.unready)
    parts.prober.start()
    parts.acceptance.start()
    leader = Leader(Lease(parts.front, settings.medea_namespace), work)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leader.stop())
    structlog.get_logger(__name__).info("waiting for the lease")
    if not leader.run():
        sys.exit(1)


@app.command()
def migrate() -> None:
    """Bring the ledger's schema up to date, and end."""
    configure_logging()
    migrate_ledger(ledger_dsn(Settings()))


@app.command()
def targets(namespace: Annotated[str, typer.Option("--namespace", "-n")]) -> None:
    """Show every target's quota and room for a namespace."""
    answer = _ask(f"/api/v1/targets/{namespace}")
    console().print(verdict_table(f"namespace {namespace}", answer["targets"]))


@app.command()
def explain(placement: Annotated[str, typer.Argument(help="the annotation medea.dev/placement of an origin")]) -> None:
    """Show why a Workflow went where it went."""
    answer = _ask(f"/api/v1/placements/{placement}")
    row, out = answer["placement"], console()
    out.print(
        f"[bold]{row['name'] or row['generate_name']}[/] is {row['state']}"
        + (f" on {row['cluster']}" if row["cluster"] else "")
    )
    for decision in answer["decisions"]:
        out.print(verdict_table(f"{decision['outcome']}: {decision['reason']}", decision["verdicts"]))
        for note in decision.get("notes") or []:
            out.print(f"not fully known: {note}", markup=False)


def verdict_table(title: str, verdicts: list[dict[str, Any]]) -> Table:
    """A table with one row per target, with the numbers that the decision was based on."""
    table = Table(title=title, title_justify="left")
    for heading in ("target", "quota", "others use", "reserved", "free", "sample age", ""):
        table.add_column(heading)
    for verdict in verdicts:
        age = verdict["sample_age"]
        table.add_row(
            verdict["cluster"],
            *(_amount(verdict[key]) for key in ("hard", "foreign", "reserved", "free")),
            "" if age is None else f"{age:.0f} s",
            verdict["removed_by"] or "",
            style="dim" if verdict["removed_by"] else "green",
        )
    return table


def _amount(totals: dict[str, int] | None) -> str:
    return "" if totals is None else f"{cores(totals['cpu_milli'])} cpu, {gibibytes(totals['memory_bytes'])}"


def _ask(path: str) -> dict[str, Any]:
    response = requests.get(Settings().medea_scout_url.rstrip("/") + path, timeout=_TIMEOUT)
    answer: dict[str, Any] = response.json()
    if response.status_code != 200:
        raise MedeaError(answer["error"]["message"])
    return answer
