"""The chosen target is asked before the user is answered; when it doesn't want the run, the next one is."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

import pytest

from tests.ledger.test_placements import PLACED, new
from tests.support.scripted_apiserver import Answer, Script, apiserver, cut, reply
from webhook.admission.candidate import Candidate
from webhook.admission.preflight import preflight
from webhook.admission.review import Admission
from webhook.admission.stub import AgentPods, stub_placement, stub_spec
from webhook.admission.wire import Review
from webhook.errors import Missing, Unavailable
from webhook.kube.client import Cluster
from webhook.ledger import placements, reserving
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold
from webhook.model.deadline import Deadline
from webhook.namespaces.hold import OptedIn
from webhook.references.presence import Presence
from webhook.scout.model import Snapshot
from webhook.scout.placer import Placer
from webhook.totals.model import GIB, NOTHING, Totals

NOW = 1000.0
TAKES_IT = reply(201, {"metadata": {"name": "x"}})
FORBIDS = reply(403, {"message": "workflows are forbidden here"})
NOTHING_THERE = reply(404, {"message": "it is not there", "details": {"name": "nothing"}})
SIZES = {
    "executor_num": "1",
    "executor_cores_limit": "1",
    "executor_memory_limit": "1g",
    "driver_cores_limit": "1",
    "driver_memory_limit": "1g",
}


class Targets:
    """A registry of given clusters."""

    def __init__(self, clusters: dict[str, Cluster]) -> None:
        self._clusters = clusters
        self.synced = True
        self.impersonated: dict[str, frozenset[str]] = {}

    def names(self) -> dict[str, str | None]:
        return dict.fromkeys(self._clusters if self.synced else ())

    def clusters(self) -> dict[str, Cluster]:
        return self._clusters

    def wait(self, timeout: float) -> bool:
        return self.synced and timeout == 0

    def impersonated_groups(self, name: str) -> frozenset[str] | None:
        return self.impersonated.get(name)

    def get(self, name: str) -> Cluster:
        if name not in self._clusters:
            raise Missing(name)
        return self._clusters[name]


class Nothing:
    """Namespaces that need nothing."""

    def wait_for(self, space: OptedIn, deadline: Deadline) -> None:
        assert space.name == "ns" and deadline.left > 0


class Held:
    """Namespaces that all have one hold."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold

    def opted_in(self, namespace: str, _: Deadline) -> OptedIn | None:
        return OptedIn({"metadata": {"name": "ns", "uid": "n", "resourceVersion": "1"}}) if namespace == "ns" else None

    def choose(self, space: OptedIn, workflow: dict[str, Any], _: Deadline) -> Hold:
        assert space.name == "ns" and "metadata" in workflow
        return self._hold


class Samples:
    """Every target has a hundred cores and a hundred GiB free."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def wait_for(self, namespace: str, _: float) -> bool:
        return bool(namespace)

    def of_namespace(self, namespace: str) -> dict[str, Snapshot]:
        return {name: Snapshot(name, namespace, NOW, Totals(100_000, 100 * GIB), NOTHING) for name in self._names}


@contextmanager
def admission(
    pool: Pool, hold: Hold = Hold.PLUGIN, front: Answer = NOTHING_THERE, **answers: Answer
) -> Iterator[Admission]:
    """An admission whose targets answer their dry run like this."""
    with ExitStack() as stack:
        clusters = {name: stack.enter_context(apiserver(Script(answer))) for name, answer in answers.items()}
        registry: Any = Targets(clusters)
        samples: Any = Samples(list(clusters))
        presence = Presence(registry)
        placer = Placer(pool=pool, sampler=samples, registry=registry, max_age=60, presence=presence, clock=lambda: NOW)
        prepared: Any = Nothing()
        holds: Any = Held(hold)
        yield Admission(
            front=stack.enter_context(apiserver(Script(front))),
            registry=registry,
            pool=pool,
            placer=placer,
            is_own=lambda user: user == "medea",
            prepared=prepared,
            holds=holds,
            agents=AgentPods(),
            presence=presence,
            argo_configs=lambda _target: (),
        )


def review(spec: dict[str, Any] | None = None, **metadata: Any) -> Review:
    arguments = {"parameters": [{"name": name, "value": value} for name, value in SIZES.items()]}
    workflow = {"metadata": metadata, "spec": spec or {"entrypoint": "main", "arguments": arguments, "templates": []}}
    return Review("u", "CREATE", "Workflow", "ns", dry_run=False, user="ann", object=workflow)


def reviewed(admission: Admission, asked: Review, deadline: Deadline | None = None) -> dict[str, Any]:
    """The answer, for which there is ample time unless a test says otherwise."""
    return admission.review(asked, deadline or Deadline.after(60))


def placement_in(answer: dict[str, Any]) -> str:
    patch = json.loads(base64.b64decode(answer["response"]["patch"]))
    found = next(one["value"] for one in patch if one["path"] == "/metadata/annotations")
    return str(found["medea.dev/placement"])


@pytest.mark.parametrize("east", [FORBIDS, cut], ids=["refuses", "is away"])
def test_the_next_target_is_taken_when_one(pool: Pool, east: Answer) -> None:
    with admission(pool, east=east, west=TAKES_IT) as asked:
        # Chance may ask west first; ten submissions ask both.
        for _ in range(10):
            answer = reviewed(asked, review())
            row = placements.get(pool, placement_in(answer))
            assert row is not None and row.cluster == "west"


def test_a_workflow_that_every_target_refuses_is_refused_in_their_words_and_leaves_no_row(pool: Pool) -> None:
    with admission(pool, west=FORBIDS) as asked:
        response = reviewed(asked, review())["response"]
    assert not response["allowed"]
    assert "west refused: workflows are forbidden here" in response["status"]["message"]
    assert placements.unbound(pool, 0) == []


LEAF = {
    "templates": [{"name": "m", "container": {"image": "x", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}}]
}


def by_argument() -> Review:
    """It names the template `a` by an argument, so no copy of it can be referred to."""
    reference = {"name": "{{workflow.parameters.which}}", "template": "m"}
    steps = {"name": "main", "steps": [[{"name": "s", "templateRef": reference}]]}
    arguments = {"parameters": [{"name": "which", "value": "a"}]}
    return review({"entrypoint": "main", "arguments": arguments, "templates": [steps]})


def has(content: dict[str, Any] | None) -> Answer:
    """A target with this content under the template's own name."""
    found = NOTHING_THERE if content is None else reply(200, {"metadata": {"name": "a"}, "spec": content})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (found if handler.command == "GET" else TAKES_IT)(handler)

    return answer


@pytest.mark.parametrize("there", [None, {"templates": []}], ids=["nothing", "another version"])
def test_a_template_that_only_an_argument_names_must_be_there(pool: Pool, there: dict[str, Any] | None) -> None:
    front = reply(200, {"metadata": {"name": "a"}, "spec": LEAF})
    with admission(pool, front=front, west=has(there)) as asked:
        response = reviewed(asked, by_argument())["response"]
    assert not response["allowed"]
    assert "west refused: only an expression names WorkflowTemplate a" in response["status"]["message"]
    with admission(pool, front=front, west=has(there), east=has(LEAF)) as asked:
        row = placements.get(pool, placement_in(reviewed(asked, by_argument())))
    assert row is not None and row.cluster == "east"


@pytest.mark.parametrize(
    "why",
    [
        "exceeded quota: objects, requested: count/workflows=1",
        "unable to create new content in namespace ns because it is being terminated",
    ],
    ids=["its quota of objects is full", "its namespace is being deleted"],
)
def test_a_target_that_takes_nothing_now_has_refused_nothing(pool: Pool, why: str) -> None:
    words = f'workflows.argoproj.io "x" is forbidden: {why}'
    full = reply(403, {"message": words, "reason": "Forbidden", "details": {"name": "x"}})
    with admission(pool, west=full) as asked:
        answer = reviewed(asked, review())
    row = placements.get(pool, placement_in(answer))
    assert row is not None and (row.state, row.cluster, row.refused_by) == ("queued", None, {})
    assert why in str(row.reason)


def test_a_target_that_does_not_accept_the_namespace_keeps_it_waiting_with_the_command_that_changes_that(
    pool: Pool,
) -> None:
    words = 'workflows.argoproj.io is forbidden: User "medea" cannot create resource "workflows" in the namespace "ns"'
    with admission(pool, west=reply(403, {"message": words, "reason": "Forbidden"})) as asked:
        answer = reviewed(asked, review())
    row = placements.get(pool, placement_in(answer))
    assert row is not None and (row.state, row.cluster, row.refused_by) == ("queued", None, {})
    assert row.reason == "west: does not accept work from namespace ns: `medea target add west --namespaces ns`"


def test_no_room_is_promised_under_a_name_that_is_taken(pool: Pool) -> None:
    there = reply(200, {"metadata": {"name": "taken", "uid": "w"}})
    with admission(pool, west=TAKES_IT, front=there) as asked:
        response = reviewed(asked, review(name="taken"))["response"]
    assert response["status"] == {
        "code": 409,
        "reason": "AlreadyExists",
        "message": 'workflows.argoproj.io "taken" already exists',
    }
    assert placements.unbound(pool, 0) == []


def test_a_workflow_whose_targets_are_all_away_is_queued_and_holds_no_room(pool: Pool) -> None:
    with admission(pool, west=cut) as asked:
        answer = reviewed(asked, review())
    row = placements.get(pool, placement_in(answer))
    assert row is not None and (row.state, row.cluster) == ("queued", None)
    assert "did not answer" in str(row.reason)
    assert row.refused_by == {}


@pytest.mark.parametrize(("left", "decisions"), [(0.3, 2), (-0.1, 1)], ids=["to ask", "to answer"])
def test_without_time_left_the_ledger_is_not_asked_about_every_target(pool: Pool, left: float, decisions: int) -> None:
    wanted = Candidate(replace(new(), only_clusters=None), {"spec": {}}, None, None, None)
    with admission(pool, north=TAKES_IT, east=TAKES_IT, south=TAKES_IT, west=TAKES_IT, far=TAKES_IT) as asked:
        first = reserving.admit(pool, wanted.new, lambda _: replace(PLACED, cluster="far"))
        late = pytest.raises(Unavailable, match="to answer") if left < 0 else nullcontext()
        with late:
            preflight(asked.placer, asked.registry, wanted, first, Deadline(left, lambda: 0.0))
    assert len(placements.decisions(pool, wanted.new.placement)) == decisions


def test_a_template_that_does_not_exist_is_named(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        response = reviewed(asked, review({"workflowTemplateRef": {"name": "nothing"}}))["response"]
    assert not response["allowed"]
    assert "'nothing'" in response["status"]["message"]


def test_a_copied_stub_is_placed_anew_with_the_original_spec_and_its_own_arguments(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        first = reviewed(asked, review())
        patch = json.loads(base64.b64decode(first["response"]["patch"]))
        stub = next(one["value"] for one in patch if one["path"] == "/spec")
        stub["arguments"]["parameters"][0]["value"] = "2"
        again = reviewed(asked, review(stub, annotations={"medea.dev/placement": placement_in(first)}))
    placement = placement_in(again)
    row, original = placements.get(pool, placement), placements.original(pool, placement)
    assert placement != placement_in(first)
    assert row is not None and row.totals == Totals(3000, 3 * GIB)
    assert original is not None and original["workflow"]["spec"]["entrypoint"] == "main"


def test_a_stub_that_this_front_door_never_made_is_refused(pool: Pool) -> None:
    track = {"plugin": {"medea": {"track": {"placement": "0" * 32}}}}
    with admission(pool, west=TAKES_IT) as asked:
        response = reviewed(asked, review({"entrypoint": "medea", "templates": [track]}))["response"]
    assert not response["allowed"]
    assert "submit the original" in response["status"]["message"]


def test_a_run_of_medeas_own_passes_where_the_front_door_is_a_target_and_nobody_elses_does(pool: Pool) -> None:
    labelled = review(labels={"medea.dev/placement": "p"})
    with admission(pool, west=TAKES_IT) as asked:
        assert "patch" in reviewed(asked, labelled)["response"]
        mine = Review("u", "CREATE", "Workflow", "ns", dry_run=False, user="medea", object=labelled.object)
        assert "patch" not in reviewed(asked, mine)["response"]


def test_a_workflow_without_spark_parameters_is_placed_too(pool: Pool) -> None:
    limits = {"cpu": "2", "memory": "3Gi"}
    template = {"name": "main", "container": {"image": "x", "resources": {"limits": limits}}}
    with admission(pool, west=TAKES_IT) as asked:
        answer = reviewed(asked, review({"entrypoint": "main", "templates": [template]}))
    row = placements.get(pool, placement_in(answer))
    assert row is not None and row.totals == Totals(2000, 3 * GIB)


@pytest.mark.parametrize("verb", ["run", "get", "delete"])
def test_a_workflow_with_a_step_of_medeas_own_stays_and_its_user_is_told(pool: Pool, verb: str) -> None:
    step = {"name": "look", "plugin": {"medea": {verb: {"name": "other"}}}}
    tasks = [{"name": "a", "inline": step}]
    inline = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}]}
    with admission(pool, west=TAKES_IT) as asked:
        for spec in ({"entrypoint": "look", "templates": [step]}, inline):
            response = reviewed(asked, review(spec))["response"]
            assert response["allowed"] and "patch" not in response
            assert "left at the front door: template 'look'" in response["warnings"][0]
    assert placements.unbound(pool, 0) == []


def test_with_hold_none_the_spec_stays_the_users_and_the_row_says_so(pool: Pool) -> None:
    with admission(pool, Hold.NONE, west=TAKES_IT) as asked:
        answer = reviewed(asked, review())
    paths = {one["path"] for one in json.loads(base64.b64decode(answer["response"]["patch"]))}
    row = placements.get(pool, placement_in(answer))
    assert paths == {"/metadata/annotations", "/metadata/finalizers"}
    assert row is not None and row.hold is Hold.NONE


@pytest.mark.parametrize("hold", Hold)
def test_who_names_a_placement_is_told_nothing_of_its_original(pool: Pool, hold: Hold) -> None:
    secret = {"parameters": [{"name": "password", "value": "hunter2"}, *_parameters(SIZES)]}
    original = {"entrypoint": "main", "arguments": secret, "templates": [{"name": "main", "container": {"image": "x"}}]}
    with admission(pool, west=TAKES_IT) as asked:
        placement = placement_in(reviewed(asked, review(original)))
    forged = stub_spec({}, {}, placement, AgentPods())
    with admission(pool, hold, west=TAKES_IT) as asked:
        answer = reviewed(asked, review(forged))
    assert answer["response"]["allowed"]
    patch = json.loads(base64.b64decode(answer["response"]["patch"]))
    held = next(one["value"] for one in patch if one["path"] == "/spec")
    assert stub_placement(held) == placement_in(answer) != placement
    assert "hunter2" not in json.dumps(patch) and "image" not in json.dumps(patch)
    again = placements.original(pool, placement_in(answer))
    assert again is not None and again["workflow"]["spec"]["arguments"] == secret


def test_a_placement_of_another_namespace_is_not_known(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        placement = placement_in(reviewed(asked, review()))
        with pool.transaction() as connection:
            connection.execute("UPDATE workflows SET namespace = 'theirs'")
        response = reviewed(asked, review(stub_spec({}, {}, placement, AgentPods())))["response"]
    assert not response["allowed"] and "does not know" in response["status"]["message"]


def test_a_dry_run_leaves_nothing_behind(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        asked.prepared = cast("Any", None)
        response = reviewed(asked, replace(review(), dry_run=True))["response"]
    assert response["allowed"] and "would be placed on west" in response["warnings"][0]
    with pool.transaction() as connection:
        assert connection.execute("SELECT FROM workflows").fetchall() == []
        assert connection.execute("SELECT FROM decisions").fetchall() == []


def test_who_submits_ever_more_that_never_comes_into_being_is_refused_and_others_are_not(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserving, "UNBOUND_PER_USER", 3)
    monkeypatch.setattr(reserving, "UNBOUND_PER_NAMESPACE", 5)
    with admission(pool, west=TAKES_IT) as asked:
        answers = [reviewed(asked, review())["response"] for _ in range(4)]
        assert [one["allowed"] for one in answers] == [True, True, True, False]
        assert answers[-1]["status"]["code"] == 429
        assert "3 Workflows that 'ann' submitted to namespace ns have not been seen" in answers[-1]["status"]["message"]
        others = [reviewed(asked, replace(review(), user=f"bob-{number}"))["response"] for number in range(3)]
        assert [one["allowed"] for one in others] == [True, True, False]
        assert "accepts no more than 5" in others[-1]["status"]["message"]
        [first, *_] = placements.unbound(pool, 0)
        placements.bind(pool, first.placement, namespace="ns", name="came", uid="u")
        assert reviewed(asked, review())["response"]["allowed"]


def _parameters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def test_with_hold_none_a_step_of_medeas_own_is_refused_since_nobody_would_run_it(pool: Pool) -> None:
    step = {"name": "main", "plugin": {"medea": {"get": {"name": "x"}}}}
    with admission(pool, Hold.NONE, west=TAKES_IT) as asked:
        response = reviewed(asked, review({"entrypoint": "main", "templates": [step]}))["response"]
    assert not response["allowed"]
    assert "needs a namespace with hold plugin" in response["status"]["message"]


def test_a_template_that_only_an_expression_names_is_no_bug_and_its_user_is_told(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        response = reviewed(asked, review({"workflowTemplateRef": {"name": "{{workflow.name}}"}}))["response"]
    assert response["allowed"]
    assert "WorkflowTemplate {{workflow.name}} is known only when it runs" in response["warnings"][1]


def test_a_target_asked_for_is_not_said_to_be_unknown_before_any_is_known(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        targets: Any = asked.registry
        wanted = review(generateName="x-", annotations={"medea.dev/clusters": "west"})
        targets.synced = False
        answer = reviewed(asked, wanted)["response"]
        assert not answer["allowed"]
        assert (answer["status"]["code"], answer["status"]["message"]) == (
            503,
            "the targets are not known yet; try again",
        )
        targets.synced = True
        assert reviewed(asked, wanted)["response"]["allowed"]
