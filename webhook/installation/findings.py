"""What a look at the installation finds: what is fine, what is missing, and the command that mends it. Pure."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from webhook.installation import pulls
from webhook.model.contract import Hold
from webhook.model.limits.admin import CERTIFICATE_SHORT, OLDEST_POSTGRES
from webhook.model.limits.kube import LEASE_SECONDS
from webhook.targets import findings as of_target
from webhook.targets.findings import Finding, Grade

MUTATE, STEER = "mutate.medea.dev", "steer.medea.dev"
_PLUGINS = "ARGO_EXECUTOR_PLUGINS"


@dataclass(frozen=True)
class LedgerFacts:
    """The ledger. `problem` says why it can't be used; nothing else is known then. `version` is Postgres' own: 18."""

    problem: str | None = None
    version: int = 0
    encrypted: bool = False


@dataclass(frozen=True)
class ArgoFacts:
    """Argo's controller at the front door, if it is a Deployment that may be read. `problem` says why it isn't.

    `version` is None where the image does not say it.
    """

    problem: str | None = None
    name: str = ""
    account: str = ""
    version: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All that was found out.

    `webhooks` has, by name, whether the webhook's caBundle holds every authority that vouches for Medea. `expires` is
    when the serving certificate does, None without one, and `life` how long it is valid in all. `doors` has, by the
    Service's name, why it can't be reached, or None. `renewed` is when the leader last renewed its lease. `targets`
    has what was found out about each. `namespaces` are those that opted in, with their hold. `images` has which pods
    wait for one.
    """

    namespace: str
    argo_account: str
    kubernetes: str
    """The front door's version."""
    webhooks: Mapping[str, bool] = field(default_factory=dict)
    expires: datetime.datetime | None = None
    life: datetime.timedelta = datetime.timedelta()
    doors: Mapping[str, str | None] = field(default_factory=dict)
    renewed: datetime.datetime | None = None
    ledger: LedgerFacts = LedgerFacts()
    argo: ArgoFacts = ArgoFacts()
    workflows: str | None = None
    """Why Workflows can't be listed at the front door."""
    targets: Sequence[of_target.Facts] = ()
    namespaces: Mapping[str, Hold] = field(default_factory=dict)
    images: pulls.PullFacts = field(default_factory=pulls.PullFacts)


def findings(facts: Facts, now: datetime.datetime) -> list[Finding]:
    """The check's lines, in the order in which things are to be mended."""
    return [
        of_target.kubernetes(facts.kubernetes),
        *pulls.findings(facts.images),
        *_ledger(facts),
        *_leader(facts, now),
        *_certificate(facts, now),
        *_webhooks(facts),
        *_doors(facts),
        *_argo(facts),
        *_targets(facts, now),
        *_namespaces(facts),
    ]


def _fine(words: str) -> Finding:
    return Finding(Grade.FINE, words)


def _logs(facts: Facts, deployment: str) -> str:
    return f"kubectl -n {facts.namespace} logs deployment/{deployment}"


def _ledger(facts: Facts) -> Iterator[Finding]:
    ledger = facts.ledger
    if ledger.problem:
        mend = f"kubectl -n {facts.namespace} get pods,secrets  # and see docs/installing.md, The ledger"
        yield Finding(Grade.MISSING, f"the ledger can't be used: {ledger.problem}", mend)
    elif ledger.version < OLDEST_POSTGRES:
        yield Finding(
            Grade.MISSING, f"the ledger is Postgres {ledger.version}, and Medea needs {OLDEST_POSTGRES} or newer"
        )
    else:
        yield _fine(f"the ledger answers: Postgres {ledger.version}, {'with' if ledger.encrypted else 'without'} TLS")


def _leader(facts: Facts, now: datetime.datetime) -> Iterator[Finding]:
    if facts.renewed and (now - facts.renewed).total_seconds() <= LEASE_SECONDS:
        yield _fine("a controller leads")
    else:
        yield Finding(Grade.MISSING, "no controller leads", _logs(facts, "medea-controller"))


def _certificate(facts: Facts, now: datetime.datetime) -> Iterator[Finding]:
    if facts.expires is None:
        yield Finding(Grade.MISSING, "Medea has no certificate", _logs(facts, "medea-controller"))
        return
    when = f"{facts.expires:%Y-%m-%d %H:%M} UTC"
    if facts.expires - now < facts.life * CERTIFICATE_SHORT:
        words = f"Medea's certificate expires at {when}, and was not renewed"
        yield Finding(Grade.MISSING, words, _logs(facts, "medea-controller"))
    else:
        yield _fine(f"Medea's certificate expires at {when}, and is renewed before")


def _webhooks(facts: Facts) -> Iterator[Finding]:
    for name in (MUTATE, STEER):
        if name not in facts.webhooks:
            words = f"the webhook {name} is not configured, so no Workflow is reviewed"
            yield Finding(Grade.MISSING, words, f"helm upgrade medea … --namespace {facts.namespace}")
        elif not facts.webhooks[name]:
            words = f"the apiserver does not trust Medea's certificate: the caBundle of {name} is not the current one"
            yield Finding(Grade.MISSING, words, _logs(facts, "medea-controller"))
        else:
            yield _fine(f"the webhook {name} is configured, and the apiserver trusts Medea's certificate")


def _doors(facts: Facts) -> Iterator[Finding]:
    for service, problem in facts.doors.items():
        if problem:
            mend = f"kubectl -n {facts.namespace} get pods,endpointslices"
            yield Finding(Grade.MISSING, f"Service {service} can't be reached: {problem}", mend)
        else:
            yield _fine(f"Service {service} answers, with a certificate that is right")


def _argo(facts: Facts) -> Iterator[Finding]:
    if facts.workflows:
        words = f"Workflows can't be read at the front door: {facts.workflows}"
        mend = f"kubectl apply --server-side -f {of_target.INSTALL}  # its CustomResourceDefinitions"
        yield Finding(Grade.MISSING, words, mend)
        return
    if Hold.PLUGIN not in facts.namespaces.values():
        yield _fine("Workflows can be read; no namespace needs Argo's controller here")
        return
    argo, namespace = facts.argo, facts.argo_account.partition(":")[0]
    if argo.problem:
        words = f"whether Argo's controller has {_PLUGINS}=true can't be seen: {argo.problem}"
        yield Finding(Grade.NOTE, words, f"kubectl -n {namespace} get deployments -o yaml | grep -A1 {_PLUGINS}")
        return
    yield of_target.argo(argo.version, "kubectl")
    set_it = f"kubectl -n {namespace} set env deployment/{argo.name}"
    if argo.environment.get(_PLUGINS) != "true":
        words = f"Argo's controller runs no executor plugins, so held Workflows would hang: {_PLUGINS} is not true"
        yield Finding(Grade.MISSING, words, f"{set_it} {_PLUGINS}=true")
    else:
        yield _fine("Argo's controller runs executor plugins")
    if f"{namespace}:{argo.account}" != facts.argo_account:
        words = f"Argo's controller runs as {argo.account}, and Medea was told {facts.argo_account.partition(':')[2]}"
        yield Finding(Grade.MISSING, words, f"helm upgrade medea … --set argo.serviceAccount={argo.account}")
    if "DEFAULT_REQUEUE_TIME" not in argo.environment:
        words = "Argo's controller looks at a Workflow every 10 s at most: results of plugin steps come late"
        yield Finding(Grade.NOTE, words, f"{set_it} DEFAULT_REQUEUE_TIME=1s ARGO_AGENT_PATCH_RATE=1s")


def _targets(facts: Facts, now: datetime.datetime) -> Iterator[Finding]:
    if not facts.targets:
        yield Finding(
            Grade.MISSING, "no target has joined", "medea target add NAME --context NAME --namespaces NAMESPACE"
        )
    for target in facts.targets:
        lacking = [one.words for one in of_target.findings(target, now) if one.grade is Grade.MISSING]
        if lacking:
            words = f"target {target.name}: {'; '.join(lacking)}"
            yield Finding(Grade.MISSING, words, f"medea target check {target.name}")
        else:
            yield _fine(f"target {target.name} answers, and lacks nothing")


def _namespaces(facts: Facts) -> Iterator[Finding]:
    if not facts.namespaces:
        yield Finding(
            Grade.NOTE, "no namespace has opted in", "kubectl label namespace NAMESPACE medea.dev/enabled=true"
        )
    for name, hold in facts.namespaces.items():
        yield _fine(f"namespace {name} has opted in, with hold {hold}")


def is_good(found: Sequence[Finding]) -> bool:
    """Whether nothing is missing."""
    return all(one.grade is not Grade.MISSING for one in found)
