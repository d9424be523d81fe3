"""Origins and runs as Medea makes them, of a Workflow as a user submits it."""

from typing import Any

from webhook.admission.stub import AgentPods, stub_spec
from webhook.model.contract import Hold
from webhook.model.objects import Object
from webhook.model.run import run_object

SPEC: dict[str, Any] = {
    "entrypoint": "main",
    "arguments": {"parameters": [{"name": "n", "value": "1"}]},
    "templates": [{"name": "main", "container": {"image": "busybox"}}],
}


def origin(
    placement: str = "p1",
    *,
    hold: Hold = Hold.PLUGIN,
    state: str = "running",
    cluster: str | None = "west",
    created: str = "2026-01-01T00:00:00Z",
    uid: str | None = None,
    spec: Object = SPEC,
    status: Object | None = None,
    marks: dict[str, str] | None = None,
    **metadata: Any,
) -> Object:
    """What the front door has of `placement`: the Workflow `job-p1` in the namespace `ns`, with the uid `uid-p1`."""
    annotations = {
        "medea.dev/placement": placement,
        "medea.dev/state": state,
        "medea.dev/totals": "cpu=1.5, ram=2Gi",
        **({"medea.dev/cluster": cluster} if cluster else {}),
        **(marks or {}),
    }
    held = stub_spec(spec, {}, placement, AgentPods()) if hold is Hold.PLUGIN else spec
    return {
        "metadata": {
            "name": f"job-{placement}",
            "namespace": "ns",
            "uid": uid or f"uid-{placement}",
            "resourceVersion": "7",
            "creationTimestamp": created,
            "finalizers": ["medea.dev/run"],
            "labels": {"team": "a", "workflows.argoproj.io/phase": "Running"},
            "annotations": {"mine": "1", **annotations},
            **metadata,
        },
        "spec": held,
        "status": {"phase": "Running"} if status is None else status,
    }


def run(
    placement: str = "p1",
    *,
    uid: str | None = None,
    origin_uid: str | None = None,
    created: str = "2026-01-01T00:00:05Z",
    spec: Object = SPEC,
    status: Object | None = None,
    **metadata: Any,
) -> Object:
    """The run of `placement` on a target."""
    name = f"job-{placement}"
    made = run_object(
        {"metadata": {"labels": {"team": "a"}}, "spec": spec},
        placement=placement,
        name=name,
        origin_name=name,
        origin_uid=origin_uid or f"uid-{placement}",
    )
    made["metadata"] |= {"namespace": "ns", "uid": uid or f"run-{placement}", "creationTimestamp": created, **metadata}
    return {**made, "status": status or {"phase": "Running"}}
