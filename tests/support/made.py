"""What a run has made on its target, with artifacts that Argo has to delete before it can go."""

from tests.support.fake_apiserver import FakeApiserver
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.model.contract import ARGO_ARTIFACT_GC, MADE_BY
from webhook.model.objects import Object


def make_child(target: FakeApiserver, run: Object) -> None:
    """A Workflow `child` that the run has made and owns, with the pod `gc` by which Argo deletes its artifacts."""
    child = owned("child", run, labels={MADE_BY: run["metadata"]["uid"]}, finalizers=[ARGO_ARTIFACT_GC])
    made = target.put(WORKFLOWS, {"metadata": child, "spec": {}})
    target.put(PODS, {"metadata": owned("gc", made)})


def owned(name: str, workflow: Object, **more: object) -> Object:
    """The metadata of what a Workflow owns."""
    owner = workflow["metadata"]
    reference = {"apiVersion": WORKFLOWS.api_version, "kind": "Workflow", "name": owner["name"], "uid": owner["uid"]}
    return {"name": name, "namespace": owner["namespace"], "ownerReferences": [reference], **more}
