"""`make bench`: what Medea adds to a create, and how soon a run exists, on the running laboratory.

The baseline is the same create in a namespace that did not opt in, measured in turn with it in the same run, so that
the ratios hold whatever else the machine does. Nothing here asserts a figure. The Workflows are suspended: no pod of
theirs ever starts, but each one at the front door has its agent.
"""

import json
import statistics
import time
from collections.abc import Callable

import psycopg
from rich.console import Console
from rich.table import Table

from tests.lab import lifecycle
from tests.lab.lab import Lab
from tests.lab.layout import POSTGRES_DSN
from webhook.kube.client import Cluster, front_door
from webhook.kube.resources import NAMESPACES, WORKFLOWS
from webhook.model.objects import Object

_ROUNDS = 40
_OPTED_IN, _BASELINE = "bench-medea", "bench-baseline"
_SETTLE = 60.0


def main() -> None:
    """Measure, print, and remove what was made."""
    lab = lifecycle.running()
    front = front_door(str(lab.kubeconfig("front")))
    console = Console(width=150)
    _prepare(lab)
    try:
        rows = {
            "create, dry run: no preflight": _pair(lambda place: _create(front, place, dry_run=True)),
            "create: ledger and preflight": _pair(lambda place: _create(front, place, dry_run=False)),
        }
        console.print(_table(rows))
        console.print(_dispatch_line())
    finally:
        for namespace in (_OPTED_IN, _BASELINE):
            lab.kubectl("front", "delete", "workflows", "--all", "-n", namespace, "--timeout=90s", timeout=100)
            for cluster in lab.clusters:
                lab.kubectl(cluster.name, "delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


def _prepare(lab: Lab) -> None:
    for cluster in lab.clusters:
        for namespace in (_OPTED_IN, _BASELINE):
            lab.kubectl(cluster.name, "create", "namespace", namespace)
        if cluster.name != "front":
            lab.kubectl(
                cluster.name, "-n", _OPTED_IN, "create", "quota", "q", "--hard=limits.cpu=500,limits.memory=500Gi"
            )
    lab.kubectl("front", "label", "namespace", _OPTED_IN, "medea.dev/enabled=true")
    front = front_door(str(lab.kubeconfig("front")))
    assert front.find(NAMESPACES, None, _OPTED_IN)
    # The first placements would only be queued, before the new quota has been scraped.
    time.sleep(5)


def workflow() -> Object:
    """A suspended Workflow of two cores and a gibibyte."""
    sizes = {
        "executor_num": "1",
        "executor_cores_limit": "1",
        "executor_memory_limit": "0.5g",
        "driver_cores_limit": "1",
        "driver_memory_limit": "0.5g",
    }
    return {
        "metadata": {"generateName": "bench-"},
        "spec": {
            "suspend": True,
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": name, "value": value} for name, value in sizes.items()]},
            "templates": [{"name": "main", "container": {"image": "localhost/busybox:lab"}}],
        },
    }


def _create(front: Cluster, namespace: str, *, dry_run: bool) -> float:
    started = time.perf_counter()
    front.create(WORKFLOWS, namespace, workflow(), dry_run=dry_run)
    return (time.perf_counter() - started) * 1000


def _pair(create: Callable[[str], float]) -> tuple[list[float], list[float]]:
    """The baseline and Medea in turn, after one of each that is not counted."""
    for namespace in (_BASELINE, _OPTED_IN):
        create(namespace)
    pairs = [(create(_BASELINE), create(_OPTED_IN)) for _ in range(_ROUNDS)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _table(rows: dict[str, tuple[list[float], list[float]]]) -> Table:
    table = Table(title=f"milliseconds, {_ROUNDS} pairs in turn", title_justify="left")
    for heading in ("", "baseline p50", "p99", "with Medea p50", "p99", "added p50", "added p99", "ratio p50"):
        table.add_column(heading)
    for name, (baseline, medea) in rows.items():
        base, ours = percentiles(baseline), percentiles(medea)
        added = percentiles([other - one for one, other in zip(baseline, medea, strict=True)])
        cells = [*base, *ours, *added]
        table.add_row(name, *(f"{cell:.1f}" for cell in cells), f"{ours[0] / base[0]:.1f}")
    return table


def percentiles(values: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    cut = statistics.quantiles(values, n=100, method="inclusive")
    return statistics.median(values), cut[98]


def _dispatch_line() -> str:
    """From the ledger's own times, once every run exists."""
    query = (
        "SELECT count(*) FILTER (WHERE dispatched_at IS NULL), json_agg(extract(epoch FROM dispatched_at - placed_at)) "
        "FROM workflows WHERE namespace = %s AND placed_at > now() - interval '5 minutes' AND bound_at IS NOT NULL"
    )
    deadline = time.monotonic() + _SETTLE
    while True:
        with psycopg.connect(POSTGRES_DSN) as connection:
            row = connection.execute(query, (_OPTED_IN,)).fetchone()
        assert row is not None
        if row[0] == 0 or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    waits = [
        value * 1000 for value in (row[1] if isinstance(row[1], list) else json.loads(row[1])) if value is not None
    ]
    median, worst = percentiles(waits)
    return f"accepted → run exists on the target: p50 {median:.0f} ms, p99 {worst:.0f} ms ({len(waits)} runs)"


if __name__ == "__main__":
    main()
