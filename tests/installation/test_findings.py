"""What `medea check` says of what it found."""

import datetime
from dataclasses import replace

import pytest

from webhook.admin.target_output import finding_lines
from webhook.installation.findings import (
    MUTATE,
    STEER,
    ArgoFacts,
    Facts,
    LedgerFacts,
    findings,
    is_good,
)
from webhook.model.contract import Hold
from webhook.targets import findings as of_target
from webhook.targets.findings import Finding, Grade, NamespaceFacts

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
WEST = of_target.Facts(
    "west",
    version="v1.35.4",
    user="Medea",
    apart=0.0,
    namespaces=[
        NamespaceFacts("team", True, True, True, True, False, {"limits.cpu": "1", "limits.memory": "1Gi"}),
    ],
    alive="a pod",
    argo="v3.7.4",
)
GOOD = Facts(
    namespace="medea-system",
    argo_account="argo:argo",
    kubernetes="v1.35.4",
    webhooks={MUTATE: True, STEER: True},
    expires=NOW + 60 * DAY,
    life=90 * DAY,
    doors={"medea": None, "medea-plugin": None},
    renewed=NOW,
    ledger=LedgerFacts(version=18, encrypted=True),
    argo=ArgoFacts(
        name="workflow-controller",
        account="argo",
        version="v3.7.4",
        environment={"ARGO_EXECUTOR_PLUGINS": "true", "DEFAULT_REQUEUE_TIME": "1s"},
    ),
    targets=[WEST],
    namespaces={"team": Hold.PLUGIN},
)


def test_where_everything_is_in_place_nothing_has_to_be_mended() -> None:
    found = findings(GOOD, NOW)
    assert {one.grade for one in found} == {Grade.FINE}
    assert is_good(found) and not [one for one in found if one.mend]


@pytest.mark.parametrize(
    ("facts", "words", "mend"),
    [
        (replace(GOOD, kubernetes="v1.29.1"), "Kubernetes v1.29.1, and Medea needs 1.30", "kubeadm upgrade"),
        (
            replace(GOOD, argo=replace(GOOD.argo, version="v3.5.2")),
            "Argo Workflows v3.5.2, and Medea needs 3.6 or newer",
            "kubectl -n argo apply --server-side",
        ),
        (replace(GOOD, ledger=LedgerFacts(problem="refused")), "the ledger can't be used: refused", "installing.md"),
        (replace(GOOD, ledger=LedgerFacts(version=13)), "Postgres 13, and Medea needs 14", None),
        (replace(GOOD, renewed=None), "no controller leads", "logs deployment/medea-controller"),
        (replace(GOOD, renewed=NOW - DAY), "no controller leads", "logs deployment/medea-controller"),
        (replace(GOOD, expires=None), "Medea has no certificate", "logs deployment/medea-controller"),
        (replace(GOOD, expires=NOW + 14 * DAY), "2026-12-10 12:00 UTC, and was not renewed", "deployment/medea-contr"),
        (replace(GOOD, webhooks={MUTATE: True}), "the webhook steer.medea.dev is not configured", "helm upgrade medea"),
        (replace(GOOD, webhooks={MUTATE: True, STEER: False}), "the caBundle of steer.medea.dev", "logs deployment"),
        (replace(GOOD, doors={"medea": "timed out"}), "Service medea can't be reached: timed out", "endpointslices"),
        (replace(GOOD, workflows="gone"), "Workflows can't be read at the front door: gone", "kubectl apply"),
        (
            replace(GOOD, argo=replace(GOOD.argo, environment={"DEFAULT_REQUEUE_TIME": "1s"})),
            "ARGO_EXECUTOR_PLUGINS is not true",
            "kubectl -n argo set env deployment/workflow-controller ARGO_EXECUTOR_PLUGINS=true",
        ),
        (
            replace(GOOD, argo=replace(GOOD.argo, account="release-argo")),
            "runs as release-argo, and Medea was told argo",
            "--set argo.serviceAccount=release-argo",
        ),
        (replace(GOOD, targets=()), "no target has joined", "medea target add"),
        (
            replace(GOOD, targets=[replace(WEST, broken=Finding(Grade.MISSING, "is away"))]),
            "target west: is away",
            "medea target check west",
        ),
        (
            replace(GOOD, targets=[replace(WEST, reads=False, apart=60.0)]),
            "target west: Medea may not watch Workflows there; its clock is 60 s ahead of the front door's",
            "medea target check west",
        ),
    ],
)
def test_what_is_missing_is_said_with_what_mends_it(facts: Facts, words: str, mend: str | None) -> None:
    found = findings(facts, NOW)
    [missing] = [one for one in found if one.grade is Grade.MISSING]
    assert words in missing.words
    assert mend is None if missing.mend is None else mend is not None and mend in missing.mend
    assert not is_good(found)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(GOOD, argo=ArgoFacts(problem="forbidden")), "ARGO_EXECUTOR_PLUGINS=true can't be seen: forbidden"),
        (
            replace(GOOD, argo=replace(GOOD.argo, environment={"ARGO_EXECUTOR_PLUGINS": "true"})),
            "results of plugin steps come late",
        ),
        (replace(GOOD, namespaces={}), "no namespace has opted in"),
    ],
)
def test_what_not_everybody_wants_is_a_note(facts: Facts, words: str) -> None:
    found = findings(facts, NOW)
    [note] = [one for one in found if one.grade is Grade.NOTE]
    assert words in note.words and note.mend
    assert is_good(found)


def test_without_hold_plugin_argos_controller_is_nobodys_business() -> None:
    found = findings(replace(GOOD, argo=ArgoFacts(problem="none"), namespaces={"team": Hold.NONE}), NOW)
    assert {one.grade for one in found} == {Grade.FINE}


def test_a_finding_is_a_line_with_its_command_below() -> None:
    found = [Finding(Grade.FINE, "good"), Finding(Grade.MISSING, "bad", "mend it")]
    assert [text.plain for text in finding_lines(found)] == ["✓ good", "✗ bad", "    mend it"]
