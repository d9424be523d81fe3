"""What a namespace gets that opts in, what goes when it opts out, and that others notice nothing of Medea."""

import json

from tests.end_to_end import attempts
from tests.end_to_end.commands import kubectl
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker

_PREPARED = "serviceaccounts,secrets,configmaps,rolebindings"


def test_an_http_step_of_a_namespace_without_medea_works_untouched(make_workspace: WorkspaceMaker) -> None:
    untouched = make_workspace(enabled=False)
    assert (
        not kubectl("front", "get", "configmap", "medea-executor-plugin", "-n", "argo", "--ignore-not-found").ok().out
    )
    untouched.kubectl("create", "serviceaccount", "steps").ok()
    agent = attempts.token("steps")
    untouched.kubectl("apply", "-f", "-", stdin=json.dumps(agent)).ok()
    rights = {**attempts.binding("medea-agent", "steps", untouched.name, name="steps")}
    untouched.kubectl("apply", "-f", "-", stdin=json.dumps(rights)).ok()
    http = {"name": "main", "http": {"url": "https://10.0.0.1:443/version", "insecureSkipVerify": True}}
    spec = {"entrypoint": "main", "serviceAccountName": "steps", "templates": [http]}
    manifest = {**attempts.workflow("asks"), "spec": spec}
    untouched.create(manifest)

    def phase() -> str:
        return str((origin(untouched.name, "asks").get("status") or {}).get("phase", ""))

    eventually(lambda: phase() in ("Succeeded", "Failed", "Error"), "the step has been answered", within=240)
    assert phase() == "Succeeded"


def test_a_namespace_that_opts_out_is_left_as_it_was_when_its_last_origin_has_gone(
    make_workspace: WorkspaceMaker,
) -> None:
    workspace = make_workspace()
    name = workspace.create(inline("true", SMALL))
    workspace.wait(name)
    assert len(prepared(workspace)) == 6
    kubectl("front", "label", "namespace", workspace.name, "medea.dev/enabled-").ok()
    kubectl("front", "label", "namespace", workspace.name, "medea.dev/hold-").ok()
    workspace.kubectl("delete", "workflow", name, "--timeout=110s").ok()
    eventually(lambda: not prepared(workspace), lambda: f"nothing is prepared any more: {prepared(workspace)}")


def prepared(workspace: Workspace) -> list[str]:
    """What Medea has made there."""
    selector = "app.kubernetes.io/managed-by=medea"
    return workspace.kubectl("get", _PREPARED, "-l", selector, "-o", "name").ok().out.split()
