"""Argo on a target, as far as fan-outs need it: each item has a node, and they end one after the other."""

from collections import Counter
from typing import Any

from tests.faults.argo import FINAL, TargetArgo, parameter
from tests.support.fake_apiserver import FakeApiserver
from webhook.kube.resources import WORKFLOWS

Object = dict[str, Any]
SECONDS, FAILS = "test/seconds", "test/fails"
"""Parameters: for how many seconds each item runs, and which item fails."""


class FanoutArgo(TargetArgo):
    """Runs Workflows whose entrypoint is a fan-out. `ran` counts how often each item was carried out, by Workflow."""

    def __init__(self, fake: FakeApiserver, ran: Counter[tuple[str, str]]) -> None:
        super().__init__(fake)
        self.ran = ran
        self.slow = 1.0

    def _reconcile(self, workflow: Object, status: Object) -> None:
        step = _step(workflow)
        if step is None or status.get("phase") in FINAL or "deletionTimestamp" in workflow["metadata"]:
            super()._reconcile(workflow, status)
        elif not status.get("phase"):
            super()._reconcile(workflow, status)
            self._go_on(workflow["metadata"]["namespace"], workflow["metadata"]["name"], 0.0)
        elif workflow["spec"].get("shutdown"):
            self._stop(workflow)
        elif not workflow["spec"].get("suspend"):
            self._go_on(workflow["metadata"]["namespace"], workflow["metadata"]["name"], self._age(workflow))

    def _go_on(self, namespace: str, name: str, age: float) -> None:
        workflow = next(one for one in self.fake.look(WORKFLOWS, namespace) if one["metadata"]["name"] == name)
        items, seconds = _step(workflow)["withItems"], float(parameter(workflow, SECONDS, "4")) * self.slow
        before = workflow["status"].get("nodes") or {}
        nodes = {}
        for number, item in enumerate(items):
            node = before.get(f"{name}-{number}") or _node(workflow, number, item, self.fake.clock.stamp())
            if node["phase"] == "Running" and age >= seconds * (number + 1):
                node = self._carried_out(workflow, node, item)
            nodes[node["id"]] = node
        done = sum(one["phase"] != "Running" for one in nodes.values())
        self._write(workflow, {"status": {"nodes": nodes, "progress": f"{done}/{len(items)}"}})
        if done == len(items):
            failed = any(one["phase"] == "Failed" for one in nodes.values())
            self._end(workflow, "Failed" if failed else "Succeeded", "an item failed" if failed else None)

    def _carried_out(self, workflow: Object, node: Object, item: Any) -> Object:
        labels = workflow["metadata"].get("labels") or {}
        self.ran[labels.get("test/whole", ""), str(item)] += 1
        if str(item) == parameter(workflow, FAILS, "none"):
            return {**node, "phase": "Failed", "message": "exit code 1", "finishedAt": self.fake.clock.stamp()}
        outputs = {"parameters": [{"name": "answer", "value": f"<{item}>"}], "result": str(item)}
        return {**node, "phase": "Succeeded", "finishedAt": self.fake.clock.stamp(), "outputs": outputs}

    def _stop(self, workflow: Object) -> None:
        shutdown = workflow["spec"]["shutdown"]
        stopped = {"phase": "Failed", "message": f"workflow shutdown with strategy:  {shutdown}"}
        nodes = {
            key: node if node["phase"] != "Running" or node["type"] == "Steps" else {**node, **stopped}
            for key, node in (workflow["status"].get("nodes") or {}).items()
        }
        self._write(workflow, {"status": {"nodes": nodes}})
        self._end(workflow, "Failed", f"Stopped with strategy '{shutdown}'")


def _step(workflow: Object) -> Any:
    for template in (workflow.get("spec") or {}).get("templates") or []:
        if "steps" in template:
            return template["steps"][0][0]
    return None


def _node(workflow: Object, number: int, item: Any, now: str) -> Object:
    name, shown = workflow["metadata"]["name"], f"work({number}:{item})"
    return {
        "id": f"{name}-{number}",
        "name": f"{name}[0].{shown}",
        "displayName": shown,
        "type": "Pod",
        "templateName": "one",
        "boundaryID": name,
        "phase": "Running",
        "startedAt": now,
    }
