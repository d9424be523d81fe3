"""Whatever JSON stands where a Workflow should: it is answered or refused, and never a failure inside."""

import copy
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.admission.test_preflight import TAKES_IT, admission
from tests.ledger.test_placements import PLACED, new
from tests.support.scripted_apiserver import reply
from webhook.ledger import placements, reserving
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold
from webhook.server.apps import create_webhook_app
from webhook.server.clients import Clients
from webhook.wiring.doors import Background

Object = dict[str, Any]

# Every field that something reads, and values that mean something in one of them.
_FIELDS = """
metadata spec status name generateName namespace uid annotations labels finalizers ownerReferences entrypoint templates
templateDefaults workflowTemplateRef templateRef template clusterScope arguments parameters artifacts value valueFrom
default dag tasks steps depends dependencies target inline hooks exit onExit withItems withParam withSequence count
start end format container script containerSet containers sidecars initContainers resource manifest action data plugin
medea track run placement http suspend podSpecPatch resources limits cpu memory parallelism daemon inputs
serviceAccountName shutdown ttlStrategy phase nodes outputs type children boundaryID finishedAt startedAt
displayName deletionTimestamp
"""
_TEXTS = """
main t p1 p2 medea placement 1 0 -1 500m 1Gi {{item}} {{inputs.parameters.value}} {{ [] [1,2] {} a.Succeeded Running
Failed Succeeded Suspend Stop Terminate create medea-job medea-job-1 job true ffffffffffffffffffffffffffffffff
"""
FIELDS, TEXTS = _FIELDS.split(), _TEXTS.split()
MARKS = [
    "medea.dev/placement",
    "medea.dev/verbs",
    "medea.dev/clusters",
    "medea.dev/policy",
    "medea.dev/skip",
    "workflows.argoproj.io/resubmitted-from-workflow",
]
MANIFEST = json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"entrypoint": "main"}})

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([*TEXTS, MANIFEST])
    | st.text(max_size=8)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, *MARKS]) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=10,
)
SPECS = st.fixed_dictionaries(
    {"entrypoint": st.just("main") | ANYTHING},
    optional=dict.fromkeys(("arguments", "hooks", "workflowTemplateRef", "podSpecPatch", "parallelism"), ANYTHING)
    | {
        "templates": st.lists(
            st.fixed_dictionaries(
                {"name": st.just("main")},
                optional=dict.fromkeys(
                    ("dag", "steps", "container", "resource", "plugin", "inputs", "script"), ANYTHING
                ),
            ),
            max_size=2,
        )
        | ANYTHING
    },
)
METADATA = st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "generateName", "labels"), ANYTHING))
WORKFLOWS = (
    st.fixed_dictionaries({"metadata": METADATA, "spec": SPECS}, optional={"status": ANYTHING})
    | st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), ANYTHING)
    | ANYTHING
)
PLACED_ORIGIN: Object = {
    "metadata": {"name": "job", "namespace": "ns", "uid": "o1", "annotations": {"medea.dev/placement": "p1"}},
    "spec": {"entrypoint": "medea", "suspend": True, "arguments": {"parameters": [{"name": "a", "value": "1"}]}},
    "status": {"phase": "Failed", "nodes": {"medea-job": {"type": "Suspend", "phase": "Running"}}},
}


def posted(client: FlaskClient, operation: str, thing: Any, old: Any = None) -> None:
    """Post a review, as an apiserver does it, and look that the answer is one."""
    request = {
        "uid": "u",
        "operation": operation,
        "kind": {"kind": "Workflow"},
        "namespace": "ns",
        "userInfo": {"username": "ann"},
        "object": thing,
        "oldObject": old,
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    answer = client.post("/mutate?timeout=30s", json=review)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        response = (answer.json or {})["response"]
        assert response["allowed"] or response["status"]["code"] not in (None, 500)


def client_of(asked: Any) -> FlaskClient:
    """The application over an admission alone."""
    return create_webhook_app(asked, Background(), Clients(None)).test_client()


@pytest.mark.parametrize("hold", list(Hold))
def test_any_json_that_is_submitted_is_answered_or_refused(pool: Pool, hold: Hold) -> None:
    with admission(pool, hold, west=TAKES_IT) as asked:
        client = client_of(asked)

        @given(WORKFLOWS)
        @settings(max_examples=60)
        @example({"metadata": {}, "spec": {"entrypoint": "medea", "templates": [[]]}})
        @example({"metadata": {}, "spec": {"entrypoint": "medea", "templates": 5}})
        def submitted(thing: Any) -> None:
            posted(client, "CREATE", thing)

        submitted()


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A placed origin with something else somewhere in it, or something else altogether."""
    if draw(st.booleans()):
        return draw(WORKFLOWS)
    made = copy.deepcopy(PLACED_ORIGIN)
    for _ in range(draw(st.integers(0, 3))):
        place: Any = made
        path = draw(st.sampled_from([("spec",), ("status",), ("metadata",), ("status", "nodes", "medea-job"), ()]))
        for key in path:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[draw(st.sampled_from([*FIELDS, *place]))] = draw(ANYTHING)
    return made


@pytest.mark.parametrize("hold", list(Hold))
def test_any_change_to_any_json_is_answered_or_refused(pool: Pool, hold: Hold) -> None:
    reserving.admit(pool, new("p1", hold=hold), lambda _: PLACED)
    placements.bind(pool, "p1", namespace="ns", name="job", uid="o1")
    placements.intend_run(pool, "p1", "job", cluster="west")
    placements.dispatched(pool, "p1", cluster="west", run_name="job", run_uid="r1")
    with admission(pool, hold, west=reply(200, {"metadata": {"uid": "r1"}})) as asked:
        client = client_of(asked)

        @given(changed(), changed())
        @settings(max_examples=60)
        def change(old: Any, thing: Any) -> None:
            posted(client, "UPDATE", thing, old)

        change()
