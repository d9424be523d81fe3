"""A check says line by line what is fine about a target and what is missing, with the command that mends it."""

import datetime
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import REFUSE, answer
from tests.targets.administrator import SPACE, Administrator
from webhook.kube.client import About, Cluster
from webhook.kube.resources import LEASES, NAMESPACES, PODS, RESOURCE_QUOTAS, ROLE_BINDINGS, SECRETS, WORKFLOWS
from webhook.model.contract import CLUSTER, ENABLED, NODE_POOLS
from webhook.targets.argo import takes_up
from webhook.targets.check import gather
from webhook.targets.credentials import secret_data
from webhook.targets.findings import Finding, Grade, findings
from webhook.targets.grants import WORK


def check(
    admin: Administrator,
    *namespaces: str,
    name: str = "west",
    probe: bool = True,
    recorded: Mapping[str, str] | None = MappingProxyType({"east": "e"}),
) -> list[Finding]:
    connect = admin.target
    facts = gather(admin.front_door, SPACE, name, namespaces, connect=connect, probe=probe, recorded=recorded)
    return findings(facts, admin.clock.now())


@pytest.fixture(autouse=True)
def _nobody_takes_a_workflow_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.targets.check.takes_up", lambda _cluster, _namespace: False)


def missing(found: list[Finding]) -> list[tuple[str, str | None]]:
    return [(one.words, one.mend) for one in found if one.grade is Grade.MISSING]


def added(*namespaces: str) -> Administrator:
    admin = Administrator(*namespaces)
    admin.add(*namespaces)
    return admin


def test_of_a_target_that_was_just_added_nothing_is_missing() -> None:
    found = check(added("a", "b"), "a", "b")
    assert [one for one in found if one.grade is not Grade.FINE] == []
    told = "\n".join(one.words for one in found)
    for words in (
        "https://",
        "v1.35.4",
        "medea-system:medea",
        "renewed",
        "clock agrees",
        "pod workflow-controller-1",
        "v3.7.4",
    ):
        assert words in told
    assert "namespace a accepts work" in told and "limits.cpu 8" in told


def old_kubernetes(admin: Administrator) -> None:
    admin.west.kubernetes = "v1.29.3"


def old_argo(admin: Administrator) -> None:
    put_controller(admin, "quay.io/argoproj/workflow-controller:v3.5.15")


def put_controller(admin: Administrator, image: str) -> None:
    pod = admin.west.get(PODS, "argo", "workflow-controller-1")
    assert pod is not None
    admin.west.put(PODS, {**pod, "spec": {"containers": [{"name": "workflow-controller", "image": image}]}})


def no_argo(admin: Administrator) -> None:
    admin.west.unserved = {"workflows", "workflowtemplates"}


def dead_argo(admin: Administrator) -> None:
    admin.west.remove(PODS, "argo", "workflow-controller-1")


def no_consent(admin: Administrator) -> None:
    admin.west.remove(ROLE_BINDINGS, "a", WORK)


def no_namespace(admin: Administrator) -> None:
    admin.west.remove(NAMESPACES, None, "a")


def no_quota(admin: Administrator) -> None:
    admin.west.remove(RESOURCE_QUOTAS, "a", "q")


def half_a_quota(admin: Administrator) -> None:
    admin.west.change(RESOURCE_QUOTAS, "a", "q", {"spec": {"hard": {"limits.memory": None}}})


def unknown_here(admin: Administrator) -> None:
    admin.front.remove(NAMESPACES, None, "a")


def no_reading(admin: Administrator) -> None:
    admin.west.allowed = lambda spec: spec["resourceAttributes"]["verb"] != "watch"


def expired(admin: Administrator) -> None:
    admin.west.faults = lambda _call: answer(401, "Unauthorized")


def away(admin: Administrator) -> None:
    admin.west.faults = lambda _call: REFUSE


def spoiled(admin: Administrator) -> None:
    admin.front.change(SECRETS, SPACE, "target-west", {"data": {"kubeconfig": "AAAA"}})


def unregistered(admin: Administrator) -> None:
    admin.front.remove(SECRETS, SPACE, "target-west")


@pytest.mark.parametrize(
    ("fault", "words", "mend"),
    [
        (old_kubernetes, "v1.29.3, and Medea needs 1.30", "kubeadm upgrade plan"),
        (old_argo, "v3.5.15, and Medea needs 3.6", "kubectl --context west -n argo apply --server-side"),
        (no_argo, "no workflows, workflowtemplates", "kubectl --context west create namespace argo"),
        (dead_argo, "controller does nothing", "kubectl --context west get pods"),
        (no_consent, "namespace a accepts no work", "medea target add west --context west --namespaces a"),
        (no_namespace, "namespace a does not exist", "kubectl --context west create namespace a"),
        (no_quota, "no quota of limits.cpu and limits.memory", "kubectl --context west -n a create quota"),
        (half_a_quota, "no quota of limits.memory", "kubectl --context west -n a create quota"),
        (unknown_here, "does not exist at the front door", "kubectl create namespace a; kubectl label namespace a"),
        (no_reading, "may not watch Workflows", "medea target add west --context west"),
        (expired, "does not accept its credentials", "medea target add west --context west"),
        (away, "does not answer", "kubectl --context west get --raw /readyz"),
        (spoiled, "Secret target-west: its kubeconfig is of no use", "medea target add west --context west"),
        (unregistered, "is not registered", "medea target add west --context west"),
    ],
)
def test_whatever_is_missing_is_told_with_the_command_that_mends_it(
    fault: Callable[[Administrator], None], words: str, mend: str | None
) -> None:
    admin = added("a")
    fault(admin)
    told = missing(check(admin, "a"))
    assert any(words in one and (mend is None or (command or "").startswith(mend)) for one, command in told), told


def test_a_namespace_that_nobody_named_may_keep_its_work_to_itself() -> None:
    admin = added("a", "b")
    admin.west.remove(ROLE_BINDINGS, "b", WORK)
    assert missing(check(admin)) == []
    assert ("namespace b accepts no work", Grade.NOTE) in [(one.words, one.grade) for one in check(admin)]


def test_a_target_of_an_earlier_version_is_told_how_medea_may_look_for_what_workflows_refer_to() -> None:
    admin = added("a")
    admin.west.allowed = lambda spec: spec["resourceAttributes"]["resource"] != "configmaps"
    noted = [(one.words, one.mend) for one in check(admin, "a") if one.grade is Grade.NOTE]
    words = "in namespace a Medea may not look for what Workflows refer to, as ConfigMaps"
    assert noted == [(words, "medea target add west --context west --namespaces a")]


def test_that_a_namespace_has_yet_to_opt_in_is_no_fault_of_the_target() -> None:
    admin = added("a")
    admin.front.change(NAMESPACES, None, "a", {"metadata": {"labels": {ENABLED: None}}})
    found = check(admin, "a")
    assert missing(found) == []
    [note] = [one for one in found if one.words == "namespace a has not opted in at the front door"]
    assert note.grade is Grade.NOTE and str(note.mend).startswith("kubectl label namespace a medea.dev/enabled=true")


def test_a_clock_that_goes_wrong_is_told_with_the_difference() -> None:
    admin = added("a")

    class Late(Cluster):
        """Asking it takes a minute by the clock that the fakes share."""

        def about(self) -> About:
            admin.clock.advance(60)
            return super().about()

        def close(self) -> None:
            """The fake stays."""

    def connect(name: str, configuration: Configuration) -> Cluster:
        return Late(name, configuration, http=admin.west, clock=admin.clock)

    facts = gather(admin.front_door, SPACE, "west", ["a"], connect=connect, probe=False)
    assert facts.apart == 60
    told = missing(findings(facts, admin.clock.now()))
    assert told[0][0] == "its clock is 60 s ahead of the front door's"


def test_a_token_that_was_not_renewed_is_told_before_it_expires() -> None:
    admin = added("a")
    admin.clock.advance(13 * 24 * 3600)
    [(words, mend)] = missing(check(admin, "a"))
    assert "have not been renewed" in words and mend == "medea target add west --context west"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("argoproj/workflow-controller:v4.1.0", "Argo Workflows v4.1.0, and Medea was only run with 3.7"),
        ("argoproj/workflow-controller:latest", "of an unknown version (latest), and Medea needs 3.6 or newer"),
        ("argoproj/workflow-controller@sha256:0a", "of an unknown version (none is told), and Medea needs 3.6"),
    ],
)
def test_a_version_of_argo_that_nobody_has_tried_is_noted_and_lets_the_target_be_used(image: str, words: str) -> None:
    admin = added("a")
    put_controller(admin, image)
    found = check(admin, "a")
    assert missing(found) == []
    assert [words in one.words for one in found if one.grade is Grade.NOTE] == [True]


def test_a_drained_target_says_so() -> None:
    admin = added("a")
    admin.front.change(SECRETS, SPACE, "target-west", {"metadata": {"annotations": {"medea.dev/drain": "true"}}})
    assert "medea target undrain west" in [one.mend for one in check(admin, "a")]


@pytest.mark.parametrize(("age", "alive"), [(5, True), (3600, False)])
def test_a_lease_shows_a_controller_that_lives(age: float, alive: bool) -> None:
    admin = added("a")
    dead_argo(admin)
    renewed = (admin.clock.now() - datetime.timedelta(seconds=age)).isoformat()
    metadata = {"name": "workflow-controller", "namespace": "argo"}
    admin.west.put(LEASES, {"metadata": metadata, "spec": {"renewTime": renewed}})
    admin.west.put(LEASES, {"metadata": {"name": "other", "namespace": "argo"}, "spec": {}})
    assert (missing(check(admin, "a")) == []) is alive


def test_a_controller_that_was_given_nothing_to_do_is_not_called_dead() -> None:
    admin = added("a")
    dead_argo(admin)
    found = check(admin, "a", probe=False)
    assert missing(found) == []
    assert ("whether Argo's controller works there was not tried", "medea target check west") in [
        (one.words, one.mend) for one in found if one.grade is Grade.NOTE
    ]


@pytest.mark.parametrize("renewed", [None, 5, "yesterday", "2026-01-01T00:00:00"])
def test_a_lease_of_any_shape_shows_nothing(renewed: Any) -> None:
    admin = added("a")
    dead_argo(admin)
    metadata = {"name": "workflow-controller", "namespace": "argo"}
    admin.west.put(LEASES, {"metadata": metadata, "spec": {"renewTime": renewed}})
    assert len(missing(check(admin, "a"))) == 1


@pytest.mark.parametrize("lives", [True, False])
def test_without_other_signs_a_small_workflow_shows_whether_a_controller_works_and_is_removed(lives: bool) -> None:
    admin = added("a")
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        for one in admin.west.all(WORKFLOWS) if lives else []:
            admin.west.change(WORKFLOWS, "a", one["metadata"]["name"], {"status": {"phase": "Running"}})

    assert takes_up(admin.target(), "a", patience=3, sleep=sleep) is lives
    assert len(looks) == (1 if lives else 6)
    assert admin.west.all(WORKFLOWS) == []


def test_no_line_of_a_check_shows_a_token() -> None:
    admin = added("a")
    token = admin.kubeconfig()["users"][0]["user"]["token"]
    for fault in (lambda _: None, spoiled, expired, away):
        fault(admin)
        assert not any(token[:30] in one.words + (one.mend or "") for one in check(admin, "a"))


def test_of_two_secrets_the_older_is_checked() -> None:
    admin = added("a")
    admin.clock.advance(5)
    metadata = {"name": "another", "namespace": SPACE, "labels": {CLUSTER: "west"}}
    admin.front.put(SECRETS, {"metadata": metadata, "data": {"kubeconfig": "AAAA"}})
    assert missing(check(admin, "a")) == []


def test_a_token_that_does_not_say_when_it_expires_is_only_noted() -> None:
    admin = added("a")
    config = admin.kubeconfig()
    config["users"][0]["user"]["token"] = "opaque"
    admin.front.change(SECRETS, SPACE, "target-west", {"data": secret_data(config)})
    found = check(admin, "a")
    assert missing(found) == []
    assert any(one.grade is Grade.NOTE and "don't say when they expire" in one.words for one in found)


def test_another_cluster_under_the_targets_name_is_told_by_what_the_ledger_knows() -> None:
    admin = added("a")
    admin.west.put(NAMESPACES, {"metadata": {"name": "kube-system", "uid": "w"}})
    assert "it is the cluster that the ledger knows by this name" in [
        one.words for one in check(admin, recorded={"west": "w"})
    ]
    [(words, _)] = missing(check(admin, "a", recorded={"west": "another"}))
    assert "is another cluster now: its uid is w, expected another" in words


def test_without_a_ledger_it_is_said_that_the_cluster_was_not_compared() -> None:
    admin = added("a")
    notes = [one.words for one in check(admin, "a", recorded=None) if one.grade is Grade.NOTE]
    assert len(notes) == 1 and "could not be compared: there is no ledger" in notes[0]


def test_a_target_whose_uid_may_not_be_read_is_one_that_medea_can_not_be_sure_of() -> None:
    admin = added("a")
    words = 'namespaces "kube-system" is forbidden: User "medea" cannot get resource "namespaces" in API group ""'
    admin.west.faults = lambda call: answer(403, words, "Forbidden") if call.name == "kube-system" else None
    assert any("may not get the namespace kube-system" in words for words, _ in missing(check(admin, "a")))


def test_where_argos_configuration_may_not_be_read_that_is_said_with_what_mends_it() -> None:
    admin = added("a")
    words = 'configmaps "workflow-controller-configmap" is forbidden: User "m" cannot get resource "configmaps" in API'
    admin.west.faults = lambda call: answer(403, words, "Forbidden") if call.resource == "configmaps" else None
    [found] = [one for one in check(admin, "a") if one.grade is Grade.NOTE]
    assert found.words.startswith("Medea may not get ConfigMap workflow-controller-configmap in namespace argo")
    assert found.mend == "medea target add west --context west"


def test_a_namespace_that_keeps_its_events_to_itself_is_noted_with_what_gives_them() -> None:
    admin = added("a")
    allowed = admin.west.allowed
    admin.west.allowed = lambda spec: spec["resourceAttributes"]["resource"] != "events" and allowed(spec)
    [note] = [one for one in check(admin, "a") if one.grade is not Grade.FINE]
    assert (note.grade, "Events" in note.words) == (Grade.NOTE, True)
    assert note.mend is not None and "medea target add west" in note.mend and "--namespaces a" in note.mend


def test_node_pools_are_shown_and_ones_that_cannot_be_read_are_missing() -> None:
    admin = added("a")
    note = '[{"selector": {"size": "s"}, "sizes": {"cpu": "2"}}]'
    noted = {NODE_POOLS: note}
    admin.front_door.patch(SECRETS, SPACE, "target-west", {"metadata": {"annotations": noted}})
    assert "its node pools: size=s with cpu 2" in [one.words for one in check(admin, "a")]
    admin.front_door.patch(SECRETS, SPACE, "target-west", {"metadata": {"annotations": {NODE_POOLS: "x"}}})
    [(words, mend)] = missing(check(admin, "a"))
    assert words.startswith("its node pools are not known") and "--node-pools LABEL" in str(mend)
