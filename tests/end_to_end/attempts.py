"""What a thief of Medea's tokens would try at the front door's apiserver, and what Medea itself has to be able to do.

All of it is about three namespaces: `{opted}`, which opted in with hold plugin, `{none}`, which did with hold none, and
`{other}`, which did not; `bystanders` are what others have in them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
CONTROLLER, WEBHOOK, LOGS = "medea-controller", "medea-webhook", "medea-logs"
SYSTEM, TARGETS = "medea-system", "medea-targets"
ARGO = "/apis/argoproj.io/v1alpha1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
LEASES = "/apis/coordination.k8s.io/v1"
MANAGED = {"app.kubernetes.io/managed-by": "medea"}
_QUIET: Object = {"runAsNonRoot": True, "allowPrivilegeEscalation": False}


@dataclass(frozen=True)
class Attempt:
    """One request by one account. `{opted}` and `{other}` in path and body stand for the namespaces' names."""

    what: str
    who: str
    method: str
    path: str
    body: Object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.who.removeprefix('medea-')} may {self.what}"


def in_namespace(namespace: str, plural: str, name: str = "") -> str:
    """The path of an object of the core group, or of the collection."""
    return f"/api/v1/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def of_argo(namespace: str, plural: str, name: str = "") -> str:
    """Likewise for Argo's group."""
    return f"{ARGO}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def bindings(namespace: str) -> str:
    """The path of a namespace's RoleBindings."""
    return f"{RBAC}/namespaces/{namespace}/rolebindings"


def workflow(name: str, **metadata: Any) -> Object:
    """A Workflow with a container."""
    templates = [{"name": "main", "container": {"image": "localhost/busybox:lab", "command": ["true"]}}]
    return _argo("Workflow", name, {"entrypoint": "main", "templates": templates}, **metadata)


def pod(name: str, spec: Object | None = None, container: Object | None = None, **metadata: Any) -> Object:
    """A pod as Medea makes them, changed by `spec` and `container`."""
    one = {"name": "main", "image": "localhost/busybox:lab", "securityContext": _QUIET, **(container or {})}
    wanted = {
        "nodeName": "medea-west",
        "nodeSelector": {"medea.dev/mirrored": "west"},
        "automountServiceAccountToken": False,
        "containers": [one],
        **(spec or {}),
    }
    labels = {"labels": {"medea.dev/mirrored": "west"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **labels, **metadata}, "spec": wanted}


def tick(**annotations: str) -> Object:
    """The Workflow of a tick, as Medea makes them where the hold is none."""
    owner = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "name": "theirs",
        "uid": "u",
        "controller": True,
    }
    labels = {"workflows.argoproj.io/cron-workflow": "theirs"}
    return workflow("theirs-1767229200", ownerReferences=[owner], labels=labels, annotations=annotations)


def token(account: str, name: str | None = None) -> Object:
    """A Secret that Kubernetes fills with the token of an account."""
    annotations = {"kubernetes.io/service-account.name": account}
    metadata = {"name": name or f"{account}.service-account-token", "annotations": annotations, "labels": MANAGED}
    kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token"}
    return {**kind, "metadata": metadata}


def binding(role: str, account: str, namespace: str, *, kind: str = "ClusterRole", name: str = "medea-agent") -> Object:
    """A RoleBinding."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "labels": MANAGED},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


def node(name: str, *, unschedulable: bool = True) -> Object:
    """A Node as Medea makes them."""
    taints = [{"key": "medea.dev/virtual", "value": "x", "effect": "NoSchedule"}]
    labels = {"medea.dev/mirrored": name.removeprefix("medea-")}
    spec = {"unschedulable": True, "taints": taints} if unschedulable else {}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec}


def event(name: str, kind: str = "Workflow") -> Object:
    """An Event about something of a namespace that opted in."""
    about = {"kind": kind, "name": "theirs", "namespace": "{opted}"}
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": about, "reason": "Any"}


def lease(name: str) -> Object:
    """A lease."""
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": {}}


def named(kind: str, name: str, **more: Any) -> Object:
    """An object of the core group with Medea's label."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": MANAGED}, **more}


def bystanders() -> Iterator[tuple[str, Object]]:
    """What others have: paths of collections, and the objects to create there."""
    for namespace in ("{opted}", "{other}"):
        yield of_argo(namespace, "workflows"), workflow("theirs", annotations={"medea.dev/skip": "true"})
        yield in_namespace(namespace, "secrets"), {**named("Secret", "theirs"), "type": "Opaque"}
        yield in_namespace(namespace, "configmaps"), named("ConfigMap", "theirs")
        # Not "theirs": Argo gives the pod of that Workflow its name. On no node: from one that is not there Kubernetes
        # takes them away within a minute.
        nowhere: Object = {"nodeName": None}
        yield in_namespace(namespace, "pods"), pod("their-pod", nowhere, labels={})
        agent = {"workflows.argoproj.io/component": "agent"}
        yield in_namespace(namespace, "pods"), pod("their-agent", nowhere, labels=agent)
        step = {"workflows.argoproj.io/workflow": "theirs"}
        yield in_namespace(namespace, "pods"), pod("their-step", nowhere, labels=step)
        yield of_argo(namespace, "workflowtasksets"), _argo("WorkflowTaskSet", "theirs", {"tasks": {}})
    cron = {"schedules": ["0 0 1 1 *"], "suspend": True, "workflowSpec": workflow("x")["spec"]}
    for namespace in ("{opted}", "{none}", "{other}"):
        yield of_argo(namespace, "cronworkflows"), _argo("CronWorkflow", "theirs", cron)
    yield in_namespace("{opted}", "events"), event("theirs")
    yield in_namespace(TARGETS, "secrets"), {**named("Secret", "no-target"), "type": "Opaque"}
    placed = {"medea.dev/placement": "p", "medea.dev/skip": "true"}
    yield of_argo("{other}", "workflows"), workflow("placed", annotations=placed)


def forbidden() -> Iterator[Attempt]:
    """What each account must be refused."""
    for who in (CONTROLLER, WEBHOOK, LOGS):
        yield from _anybody(who)
    yield from _controller_tokens()
    yield from _controller_pods()
    yield from _controller_workflows()
    yield from _controller_crons()
    yield from _controller_cluster()
    yield from _webhook()
    yield from _logs()


def needed() -> Iterator[Attempt]:
    """What Medea does; all of it can be asked for as a dry run."""
    c = CONTROLLER
    for account in ("medea-agent", "medea-executor-plugin"):
        yield Attempt(f"make {account}", c, "POST", in_namespace("{opted}", "serviceaccounts"), _account(account))
        yield Attempt(f"make the token of {account}", c, "POST", in_namespace("{opted}", "secrets"), token(account))
    yield Attempt(
        "bind the agent's role", c, "POST", bindings("{opted}"), binding("medea-agent", "medea-agent", "{opted}")
    )
    yield Attempt("install the plugin", c, "POST", in_namespace("{opted}", "configmaps"), _plugin())
    yield Attempt("show a tick", c, "PATCH", of_argo("{none}", "cronworkflows", "theirs"), _ticked())
    yield Attempt("make a probe", c, "POST", of_argo("{opted}", "workflows"), _probe())
    yield Attempt("show a run", c, "PATCH", of_argo("{other}", "workflows", "placed"), {"status": {"phase": "Running"}})
    yield Attempt("suspend", c, "PATCH", of_argo("{other}", "workflows", "placed"), {"spec": {"suspend": True}})
    yield Attempt("delete what had its time", c, "DELETE", of_argo("{other}", "workflows", "placed"))
    yield Attempt("close a task set", c, "PATCH", of_argo("{opted}", "workflowtasksets", "theirs"), _labelled())
    yield Attempt("show a pod", c, "POST", in_namespace("{opted}", "pods"), pod("shown"))
    yield Attempt("show an Event", c, "POST", in_namespace("{opted}", "events"), event("argos"))
    yield Attempt("make a target's Node", c, "POST", "/api/v1/nodes", node("medea-new"))
    yield Attempt("keep its lease", c, "POST", f"{LEASES}/namespaces/kube-node-lease/leases", lease("medea-new"))
    yield Attempt(
        "write its certificate", c, "POST", in_namespace(SYSTEM, "secrets"), named("Secret", "medea-authority")
    )
    yield Attempt("renew a target's token", c, "PATCH", in_namespace(TARGETS, "secrets", "target-west"), _renewed())
    yield Attempt("remove a target", c, "DELETE", in_namespace(TARGETS, "secrets", "target-west"))
    for who in (CONTROLLER, WEBHOOK, LOGS):
        yield Attempt("read the targets", who, "GET", in_namespace(TARGETS, "secrets"))
    yield Attempt("submit for a person", WEBHOOK, "POST", of_argo("{opted}", "workflows"), workflow("new"))
    yield Attempt("delete for a person", WEBHOOK, "DELETE", of_argo("{opted}", "workflows", "theirs"))
    yield Attempt("stop for a person", WEBHOOK, "PATCH", of_argo("{opted}", "workflows", "theirs"), _stop())
    yield Attempt("retry for a person", WEBHOOK, "DELETE", in_namespace("{opted}", "pods", "their-step"))
    yield Attempt("look at a shown pod", LOGS, "GET", in_namespace("{opted}", "pods", "their-pod"))


def _anybody(who: str) -> Iterator[Attempt]:
    yield Attempt("list Secrets of kube-system", who, "GET", in_namespace("kube-system", "secrets"))
    yield Attempt("list all Secrets", who, "GET", "/api/v1/secrets")
    yield Attempt("list the Secrets of Medea", who, "GET", in_namespace(SYSTEM, "secrets"))
    yield Attempt("watch the Secrets of Medea", who, "GET", in_namespace(SYSTEM, "secrets") + "?watch=true")
    for secret in ("medea-ledger", "medea-postgres", "medea-logs"):
        yield Attempt(f"read {secret}", who, "GET", in_namespace(SYSTEM, "secrets", secret))
    yield Attempt("make a target", who, "POST", in_namespace(TARGETS, "secrets"), _target("new"))
    yield Attempt("read a Secret", who, "GET", in_namespace("{opted}", "secrets", "theirs"))
    agent = "medea-agent.service-account-token"
    yield Attempt("read an agent's token", who, "GET", in_namespace("{opted}", "secrets", agent))
    yield Attempt("read ConfigMaps", who, "GET", in_namespace("{opted}", "configmaps"))
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = in_namespace("kube-system", "serviceaccounts", "default")
    yield Attempt("ask for another account's token", who, "POST", f"{path}/token", request)
    admin = {"Impersonate-User": "admin", "Impersonate-Group": "system:masters"}
    yield Attempt("be an administrator", who, "GET", in_namespace("kube-system", "secrets"), headers=admin)
    yield Attempt("run a program in a pod", who, "POST", f"{in_namespace('{opted}', 'pods', 'theirs')}/exec?command=id")
    yield Attempt("read a pod's log", who, "GET", f"{in_namespace('{opted}', 'pods', 'theirs')}/log")
    yield Attempt("speak to a kubelet", who, "GET", "/api/v1/nodes/front/proxy/pods")
    yield Attempt("let a namespace opt in", who, "PATCH", "/api/v1/namespaces/{other}", _labelled("medea.dev/enabled"))
    yield Attempt("delete a namespace", who, "DELETE", "/api/v1/namespaces/{other}")
    everybody = {
        **binding("cluster-admin", who, SYSTEM, name="medea-agent"),
        "kind": "ClusterRoleBinding",
    }
    yield Attempt("bind cluster-admin", who, "POST", f"{RBAC}/clusterrolebindings", everybody)
    here = binding("cluster-admin", who, SYSTEM)
    yield Attempt("bind cluster-admin in a namespace", who, "POST", bindings("{opted}"), here)
    rules = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    for role in ("medea-agent", "medea-controller", "medea-webhook"):
        yield Attempt(f"widen {role}", who, "PATCH", f"{RBAC}/clusterroles/{role}", rules)
    for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        yield Attempt(f"make {kind}", who, "POST", f"{ADMISSION}/{kind}", _webhooks(kind))
        yield Attempt(f"change others' {kind}", who, "PATCH", f"{ADMISSION}/{kind}/theirs", {"webhooks": []})
        yield Attempt(f"delete its own {kind}", who, "DELETE", f"{ADMISSION}/{kind}/medea")
    for kind in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        yield Attempt(f"delete {kind}", who, "DELETE", f"{ADMISSION}/{kind}/medea-secrets")
        yield Attempt(f"change {kind}", who, "PATCH", f"{ADMISSION}/{kind}/medea-pods", _labelled())
    leases = f"{LEASES}/namespaces/kube-system/leases"
    yield Attempt("take the scheduler's lease", who, "PATCH", f"{leases}/kube-scheduler", lease("kube-scheduler"))
    yield Attempt("delete all pods", who, "DELETE", in_namespace("{opted}", "pods"))
    yield Attempt("delete all Workflows", who, "DELETE", of_argo("{opted}", "workflows"))


def _controller_tokens() -> Iterator[Attempt]:
    c, opted, other = CONTROLLER, in_namespace("{opted}", "secrets"), in_namespace("{other}", "secrets")
    yield Attempt("make another account's token", c, "POST", opted, token("default"))
    yield Attempt(
        "make it under an agent's name", c, "POST", opted, token("default", "medea-agent.service-account-token")
    )
    yield Attempt("make it in kube-system", c, "POST", in_namespace("kube-system", "secrets"), token("default"))
    yield Attempt("make an agent's token where nobody opted in", c, "POST", other, token("medea-agent"))
    yield Attempt("make a token of its own", c, "POST", in_namespace(SYSTEM, "secrets"), token("medea-webhook"))
    yield Attempt(
        "make one under a name of its own", c, "POST", in_namespace(SYSTEM, "secrets"), token(WEBHOOK, "medea-tls")
    )
    yield Attempt("make any Secret", c, "POST", opted, {**named("Secret", "theirs-too"), "type": "Opaque"})
    yield Attempt("make any Secret of its own", c, "POST", in_namespace(SYSTEM, "secrets"), named("Secret", "another"))
    yield Attempt("delete its certificate", c, "DELETE", in_namespace(SYSTEM, "secrets", "medea-tls"))
    beside = in_namespace(TARGETS, "secrets", "no-target")
    yield Attempt("change what is no target's", c, "PATCH", beside, _renewed())
    yield Attempt("take it for a target", c, "PATCH", beside, {"metadata": {"labels": {"medea.dev/cluster": "new"}}})
    yield Attempt("delete what is no target's", c, "DELETE", beside)
    yield Attempt("delete a Secret", c, "DELETE", in_namespace("{opted}", "secrets", "theirs"))
    yield Attempt("make any account", c, "POST", in_namespace("{opted}", "serviceaccounts"), _account("another"))
    other_accounts = in_namespace("{other}", "serviceaccounts")
    yield Attempt("make an account where nobody opted in", c, "POST", other_accounts, _account("medea-agent"))
    yield Attempt("make any ConfigMap", c, "POST", in_namespace("{opted}", "configmaps"), named("ConfigMap", "another"))
    yield Attempt("put the plugin where nobody opted in", c, "POST", in_namespace("{other}", "configmaps"), _plugin())
    yield Attempt(
        "change a ConfigMap", c, "PATCH", in_namespace("{opted}", "configmaps", "theirs"), {"data": {"a": "b"}}
    )
    to_default = binding("medea-agent", "default", "{opted}")
    yield Attempt("bind the agent's role to others", c, "POST", bindings("{opted}"), to_default)
    elsewhere = binding("medea-agent", "medea-agent", "{other}")
    yield Attempt("bind it to another namespace's agent", c, "POST", bindings("{opted}"), elsewhere)
    yield Attempt("bind it where nobody opted in", c, "POST", bindings("{other}"), elsewhere)
    yield Attempt("bind another role", c, "POST", bindings("{opted}"), binding("view", "medea-agent", "{opted}"))
    theirs = f"{bindings('{opted}')}/theirs"
    yield Attempt("delete a RoleBinding", c, "DELETE", theirs)


def _controller_pods() -> Iterator[Attempt]:
    c, pods = CONTROLLER, in_namespace("{opted}", "pods")
    bad: dict[str, Object] = {
        "make a pod that is scheduled": pod("bad", {"nodeName": None}),
        "make a pod on a real node": pod("bad", {"nodeName": "front"}),
        "make a pod without its label": pod("bad", labels={}),
        "make a pod with the host's files": pod("bad", {"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}),
        "make a pod with a token": pod("bad", {"automountServiceAccountToken": True}),
        "make a pod that a real node of such a name would run": pod("bad", {"nodeSelector": {}}),
        "make a pod with storage": pod(
            "bad", {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "theirs"}}]}
        ),
        "make a privileged pod": pod("bad", container={"securityContext": {"privileged": True}}),
        "make a pod in the host's network": pod("bad", {"hostNetwork": True}),
    }
    for what, body in bad.items():
        yield Attempt(what, c, "POST", pods, body)
        yield Attempt(f"{what} in kube-system", c, "POST", in_namespace("kube-system", "pods"), body)
    for name in ("their-pod", "their-agent", "their-step"):
        yield Attempt(f"delete the pod {name}", c, "DELETE", f"{pods}/{name}")
        yield Attempt(
            f"change the status of {name}", c, "PATCH", f"{pods}/{name}/status", {"status": {"phase": "Failed"}}
        )
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "theirs", "namespace": "{opted}"}}
    events = in_namespace("{opted}", "events")
    yield Attempt("change an Event", c, "PATCH", f"{events}/theirs", {"message": "nothing was wrong"})
    yield Attempt("make an Event of a pod", c, "POST", events, event("bad", "Pod"))
    yield Attempt("evict a pod", c, "POST", f"{pods}/theirs/eviction", eviction)


def _controller_workflows() -> Iterator[Attempt]:
    c = CONTROLLER
    for namespace in ("{opted}", "{other}", "kube-system"):
        yield Attempt(f"submit in {namespace}", c, "POST", of_argo(namespace, "workflows"), workflow("bad"))
        probe = _probe()
        probe["spec"]["templates"][0]["container"] = {"image": "x"}
        yield Attempt(f"make a probe that runs in {namespace}", c, "POST", of_argo(namespace, "workflows"), probe)
    marks = {"metadata": {"annotations": {"medea.dev/placement": "p"}}}
    for namespace in ("{opted}", "{other}"):
        theirs = of_argo(namespace, "workflows", "theirs")
        yield Attempt(f"change a Workflow of {namespace}", c, "PATCH", theirs, {"spec": {"suspend": True}})
        yield Attempt(f"mark a Workflow of {namespace} as placed", c, "PATCH", theirs, marks)
        yield Attempt(f"delete a Workflow of {namespace}", c, "DELETE", theirs)
    placed = of_argo("{other}", "workflows", "placed")
    yield Attempt("change what a Workflow runs", c, "PATCH", placed, {"spec": {"templates": []}})
    yield Attempt("change as whom it runs", c, "PATCH", placed, {"spec": {"serviceAccountName": "default"}})
    yield Attempt("take something off it", c, "PATCH", placed, {"spec": {"entrypoint": None}})
    tasks = {"spec": {"tasks": {"x": {"http": {"url": "http://169.254.169.254"}}}}}
    yield Attempt("give an agent work", c, "PATCH", of_argo("{opted}", "workflowtasksets", "theirs"), tasks)
    yield Attempt(
        "plant a template", c, "POST", of_argo("{opted}", "workflowtemplates"), _argo("WorkflowTemplate", "bad", {})
    )


def _controller_crons() -> Iterator[Attempt]:
    c = CONTROLLER
    for namespace in ("{opted}", "{other}"):
        yield Attempt(f"make a tick in {namespace}", c, "POST", of_argo(namespace, "workflows"), tick())
        theirs = of_argo(namespace, "cronworkflows", "theirs")
        yield Attempt(f"show a tick in {namespace}", c, "PATCH", theirs, _ticked())
    unseen = tick(**{"medea.dev/skip": "true"})
    yield Attempt("make a tick that nobody reviews", c, "POST", of_argo("{none}", "workflows"), unseen)
    crons = of_argo("{none}", "cronworkflows")
    bad: dict[str, Object] = {
        "change when it ticks": {"spec": {"schedules": ["* * * * *"]}},
        "change what it runs": {"spec": {"workflowSpec": {"serviceAccountName": "default"}}},
        "label it": _labelled(),
        "keep it": {"metadata": {"finalizers": ["medea.dev/run"]}},
    }
    for what, body in bad.items():
        yield Attempt(f"take a CronWorkflow and {what}", c, "PATCH", f"{crons}/theirs", body)
    yield Attempt("make a CronWorkflow", c, "POST", crons, _argo("CronWorkflow", "bad", {"schedules": []}))
    yield Attempt("delete a CronWorkflow", c, "DELETE", f"{crons}/theirs")


def _controller_cluster() -> Iterator[Attempt]:
    c = CONTROLLER
    yield Attempt("make any Node", c, "POST", "/api/v1/nodes", node("another"))
    yield Attempt(
        "make a Node for everybody's pods", c, "POST", "/api/v1/nodes", node("medea-open", unschedulable=False)
    )
    yield Attempt("delete a real Node", c, "DELETE", "/api/v1/nodes/{node}")
    yield Attempt("change a real Node", c, "PATCH", "/api/v1/nodes/{node}/status", {"status": {"addresses": []}})
    leases = f"{LEASES}/namespaces/kube-node-lease/leases"
    yield Attempt("keep a dead Node alive", c, "POST", leases, lease("another"))


def _webhook() -> Iterator[Attempt]:
    w = WEBHOOK
    yield Attempt("list pods", w, "GET", "/api/v1/pods")
    yield Attempt("delete a pod", w, "DELETE", in_namespace("{opted}", "pods", "their-pod"))
    yield Attempt("delete a pod where nobody opted in", w, "DELETE", in_namespace("{other}", "pods", "their-step"))
    yield Attempt(
        "make an agent's account", w, "POST", in_namespace("{opted}", "serviceaccounts"), _account("medea-agent")
    )
    yield Attempt("make an agent's token", w, "POST", in_namespace("{opted}", "secrets"), token("medea-agent"))
    yield Attempt("bind a role", w, "POST", bindings("{opted}"), binding("medea-agent", "medea-agent", "{opted}"))
    yield Attempt("make a pod", w, "POST", in_namespace("{opted}", "pods"), pod("bad"))
    yield Attempt("install the plugin", w, "POST", in_namespace("{opted}", "configmaps"), _plugin())
    for namespace in ("{other}", "kube-system"):
        yield Attempt(f"submit in {namespace}", w, "POST", of_argo(namespace, "workflows"), workflow("bad"))
    theirs = of_argo("{other}", "workflows", "theirs")
    yield Attempt("change a Workflow where nobody opted in", w, "PATCH", theirs, _stop())
    yield Attempt("delete a Workflow where nobody opted in", w, "DELETE", theirs)
    skipping = workflow("bad", annotations={"medea.dev/skip": "true"})
    yield Attempt("submit what runs at the front door", w, "POST", of_argo("{opted}", "workflows"), skipping)
    yield from _no_key(w)
    yield Attempt("write a certificate", w, "POST", in_namespace(SYSTEM, "secrets"), named("Secret", "medea-tls"))
    yield Attempt("take the controllers' lease", w, "POST", f"{LEASES}/namespaces/{SYSTEM}/leases", lease("x"))
    yield Attempt("make a Node", w, "POST", "/api/v1/nodes", node("medea-bad"))
    webhooks = f"{ADMISSION}/mutatingwebhookconfigurations/medea"
    yield Attempt("change Medea's webhooks", w, "PATCH", webhooks, {"webhooks": []})


def _logs() -> Iterator[Attempt]:
    logs = LOGS
    yield Attempt("list pods", logs, "GET", "/api/v1/pods")
    yield Attempt("read Workflows", logs, "GET", of_argo("{opted}", "workflows"))
    yield Attempt("submit", logs, "POST", of_argo("{opted}", "workflows"), workflow("bad"))
    yield Attempt("make a pod", logs, "POST", in_namespace("{opted}", "pods"), pod("bad"))
    yield from _no_key(logs)
    yield Attempt("read Medea's certificate", logs, "GET", in_namespace(SYSTEM, "secrets", "medea-tls"))
    yield Attempt("write a certificate", logs, "POST", in_namespace(SYSTEM, "secrets"), named("Secret", "medea-tls"))


def _no_key(who: str) -> Iterator[Attempt]:
    """What only the controller may do with Secrets."""
    authority, west = (
        in_namespace(SYSTEM, "secrets", "medea-authority"),
        in_namespace(TARGETS, "secrets", "target-west"),
    )
    yield Attempt("read the authority's key", who, "GET", authority)
    only = in_namespace(SYSTEM, "secrets") + "?fieldSelector=metadata.name%3Dmedea-authority"
    yield Attempt("find the authority's key", who, "GET", only)
    yield Attempt("change a target's credentials", who, "PATCH", west, _renewed())
    yield Attempt("remove a target", who, "DELETE", west)


def _target(name: str) -> Object:
    metadata = {"name": name, "labels": {"medea.dev/cluster": name}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}


def _renewed() -> Object:
    return {"data": {"kubeconfig": "e30K"}}


def _account(name: str) -> Object:
    return named("ServiceAccount", name)


def _plugin() -> Object:
    return named("ConfigMap", "medea-executor-plugin", data={"sidecar.container": "name: medea"})


def _probe() -> Object:
    templates = [{"name": "wait", "suspend": {"duration": "1"}}]
    probe = _argo("Workflow", "medea-probe", {"entrypoint": "wait", "templates": templates})
    probe["metadata"] |= {"labels": {"medea.dev/probe": "true"}, "annotations": {"medea.dev/skip": "true"}}
    return probe


def _argo(kind: str, name: str, spec: Object, **metadata: Any) -> Object:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def _webhooks(kind: str) -> Object:
    name = "MutatingWebhookConfiguration" if kind.startswith("mutating") else "ValidatingWebhookConfiguration"
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": name, "metadata": {"name": "bad"}, "webhooks": []}


def _labelled(label: str = "example.com/mine") -> Object:
    return {"metadata": {"labels": {label: "true"}}}


def _ticked() -> Object:
    marks = {"annotations": {"cronworkflows.argoproj.io/last-used-schedule": "0 0 1 1 *"}}
    return {"metadata": marks, "status": {"lastScheduledTime": "2026-01-01T01:00:00Z", "phase": "Active"}}


def _stop() -> Object:
    return {"spec": {"shutdown": "Stop"}}
