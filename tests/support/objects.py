"""Rows, origins and runs to decide about."""

import datetime
from dataclasses import replace
from typing import Any

from webhook.ledger.placement import Placement
from webhook.model.contract import Hold, State
from webhook.totals.model import Totals

MOMENT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ROW = Placement(
    placement="p1",
    seq=1,
    state=State.RUNNING,
    name="job",
    generate_name=None,
    namespace="ns",
    template=None,
    cluster="west",
    origin_uid="o1",
    run_name="job",
    run_uid="r1",
    phase=None,
    message=None,
    reason="west: free",
    totals=Totals(1000, 1 << 30),
    largest_pod=None,
    takes=None,
    policy="random",
    only_clusters=None,
    refused_by={},
    identity="ann",
    end_shown=False,
    run_kept=False,
    hold=Hold.PLUGIN,
    created_at=MOMENT,
    bound_at=MOMENT,
    placed_at=MOMENT,
    dispatched_at=MOMENT,
    ended_at=None,
    released_at=None,
    deleted_at=None,
)


def row(**changes: Any) -> Placement:
    """A running placement, changed."""
    return replace(ROW, **changes)


def origin(nodes: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """An origin as Argo's controller has begun it."""
    root = {"id": "job", "name": "job", "type": "DAG", "phase": "Running", "children": ["job-1"]}
    task = {"id": "job-1", "name": "job.placement", "type": "Plugin", "phase": "Running", "boundaryID": "job"}
    return {
        "metadata": {
            "name": "job",
            "namespace": "ns",
            "uid": "o1",
            "resourceVersion": "7",
            "finalizers": ["medea.dev/run"],
            **metadata,
            "annotations": {"medea.dev/placement": "p1", **metadata.get("annotations", {})},
        },
        "status": {"phase": "Running", "nodes": {"job": root, "job-1": task} if nodes is None else nodes},
    }


def run(phase: str = "Running", pod_phase: str | None = None, **metadata: Any) -> dict[str, Any]:
    """A run of one DAG with one pod."""
    pod = {
        "id": "job-9",
        "name": "job.main",
        "displayName": "main",
        "type": "Pod",
        "phase": pod_phase or phase,
        "boundaryID": "job",
        "startedAt": "2026-01-01T00:00:00Z",
        "templateScope": "namespaced/t",
    }
    root: dict[str, Any] = {
        "id": "job",
        "name": "job",
        "displayName": "job",
        "type": "DAG",
        "phase": phase,
        "children": ["job-9"],
    }
    root["outputs"] = {"parameters": [{"name": "pi", "value": "3"}]}
    return {
        "metadata": {
            "name": "job",
            "namespace": "ns",
            "uid": "r1",
            "labels": {"medea.dev/placement": "p1", "medea.dev/origin-uid": "o1"},
            **metadata,
        },
        "status": {
            "phase": phase,
            "progress": "1/1",
            "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:01:00Z",
            "nodes": {"job": root, "job-9": pod},
        },
    }
