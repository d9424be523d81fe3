"""What a check of a target finds: what is fine, what is missing, and the command that mends it. Pure."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from webhook.kube.identity import is_another
from webhook.model.limits.targets import CLOCKS_APART, TOKEN_SHORT
from webhook.targets.life import Life
from webhook.targets.versions import ARGO, KUBERNETES, Age

QUOTA = ("limits.cpu", "limits.memory")
"""What a ResourceQuota must limit, so that it can be known what is free."""


INSTALL = "https://github.com/argoproj/argo-workflows/releases/latest/download/install.yaml"
"""Argo's own manifests."""


class Grade(StrEnum):
    FINE = "fine"
    NOTE = "note"
    """Neither wrong nor wanted by everybody."""
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of a check; `mend` is the command that mends it."""

    grade: Grade
    words: str
    mend: str | None = None


@dataclass(frozen=True)
class Unread:
    """Why the configuration of one of a target's Argo controllers is not known; `forbidden`: Medea may not read it."""

    words: str
    forbidden: bool = False


@dataclass(frozen=True)
class NamespaceFacts:
    """One namespace on a target. `hard` is what its quotas limit, `events` whether Medea may read Events there.

    `known` says whether the front door has it, `enabled` whether it opted in there, and `wanted` whether whoever checks
    has named it; `sees` whether Medea may look there for what Workflows refer to.
    """

    name: str
    exists: bool
    accepted: bool
    known: bool
    enabled: bool
    wanted: bool
    hard: Mapping[str, str] = field(default_factory=dict)
    sees: bool = True
    events: bool = True


@dataclass(frozen=True)
class Facts:
    """All that could be found out about one target.

    `broken` says why it could not be asked at all, and nothing else is known then. `reads` says whether the account may
    watch Workflows, `acting` whether they are created there as who submits them, `apart` by how many seconds the
    target's clock is ahead of the front door's, and `alive` in words what shows that Argo's controller works, None if
    nothing does; `probed` says whether it was given a Workflow, and `argo` is the controller's version, None where it
    can't be seen. `uid` is the cluster's, None if it can't be read, and `recorded` has those that the ledger knows, by
    target; None if it could not be asked. `argo_unread` says which configurations of Argo there are not known. `pools`
    are its node pools, in words, and `pools_unread` why what its Secret says of them can't be read.
    """

    name: str
    broken: Finding | None = None
    server: str = ""
    version: str = ""
    user: str = ""
    reads: bool = True
    drained: bool = False
    acting: bool = False
    apart: float | None = None
    missing_kinds: Sequence[str] = ()
    alive: str | None = None
    argo: str | None = None
    argo_unread: Sequence[Unread] = ()
    probed: bool = True
    life: Life | None = None
    uid: str | None = None
    recorded: Mapping[str, str] | None = None
    namespaces: Sequence[NamespaceFacts] = ()
    pools: Sequence[str] = ()
    pools_unread: str | None = None


def findings(facts: Facts, now: datetime.datetime) -> list[Finding]:
    """The check's lines, in the order in which things are to be mended."""
    if facts.broken:
        return [facts.broken]
    return [
        _fine(f"reachable at {facts.server}, by TLS with a certificate that is checked"),
        *_same_cluster(facts),
        kubernetes(facts.version),
        _identity(facts),
        *(
            [_fine("what is placed there is created as who has submitted it, with their rights")]
            if facts.acting
            else []
        ),
        _expiry(facts, now),
        _clocks(facts.apart),
        *_argo(facts),
        *_pools(facts),
        *(finding for namespace in facts.namespaces for finding in _namespace(facts.name, namespace)),
        *_together(facts),
    ]


def _fine(words: str) -> Finding:
    return Finding(Grade.FINE, words)


def again(target: str, namespaces: str = "") -> str:
    """The command that gives a target anew what Medea needs there."""
    return f"medea target add {target} --context {target}" + (f" --namespaces {namespaces}" if namespaces else "")


def kubernetes(version: str) -> Finding:
    """What a check says of a cluster's version."""
    words = KUBERNETES.words(version)
    match KUBERNETES.age(version):
        case Age.TRIED:
            return _fine(words)
        case Age.UNTRIED:
            return Finding(Grade.NOTE, words)
    return Finding(Grade.MISSING, words, "kubeadm upgrade plan  # or however this cluster is upgraded")


def argo(version: str | None, kubectl: str) -> Finding:
    """What a check says of the version of Argo's controller; `kubectl` is the command, with the cluster's context."""
    words = ARGO.words(version or "")
    match ARGO.age(version or ""):
        case Age.TRIED:
            return _fine(words)
        case Age.UNTRIED:
            return Finding(Grade.NOTE, words)
        case Age.TOO_OLD:
            return Finding(Grade.MISSING, words, f"{kubectl} -n argo apply --server-side -f {INSTALL}")
    return Finding(Grade.NOTE, words, f"{kubectl} get deployments -A -l app=workflow-controller -o wide")


def _same_cluster(facts: Facts) -> Iterator[Finding]:
    if facts.recorded is None:
        words = "whether it is the cluster that it was could not be compared: there is no ledger here that answers"
        yield Finding(Grade.NOTE, words)
        return
    known = facts.recorded.get(facts.name)
    if facts.uid is None:
        words = "whether it is the cluster that it was can't be seen: Medea may not get the namespace kube-system there"
        yield Finding(Grade.MISSING, words, again(facts.name))
    elif known is not None and known != facts.uid:
        yield Finding(Grade.MISSING, is_another(facts.name, facts.uid, known))
    elif known is not None:
        yield _fine("it is the cluster that the ledger knows by this name")


def _identity(facts: Facts) -> Finding:
    if facts.reads:
        return _fine(f"Medea is {facts.user} there, and may watch Workflows")
    return Finding(Grade.MISSING, f"{facts.user} may not watch Workflows there", again(facts.name))


def _expiry(facts: Facts, now: datetime.datetime) -> Finding:
    if facts.life is None:
        return Finding(Grade.NOTE, "its credentials don't say when they expire; Medea does not renew them")
    left, when = (facts.life.ends - now).total_seconds(), facts.life.ends.strftime("%Y-%m-%d %H:%M UTC")
    renewed = facts.life.account is not None
    long = (facts.life.ends - facts.life.begins).total_seconds()
    if left < min(TOKEN_SHORT, long / 3):
        words = f"its credentials expire at {when}" + (", and have not been renewed" if renewed else "")
        return Finding(Grade.MISSING, words, again(facts.name))
    return _fine(f"its credentials expire at {when}" + (", and are renewed before" if renewed else ""))


def _clocks(apart: float | None) -> Finding:
    if apart is None:
        return Finding(Grade.NOTE, "its clock could not be compared with the front door's")
    if abs(apart) <= CLOCKS_APART:
        return _fine("its clock agrees with the front door's")
    words = f"its clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the front door's"
    return Finding(Grade.MISSING, words, "timedatectl set-ntp true  # on the machines of whichever is wrong")


def _argo(facts: Facts) -> Iterator[Finding]:
    if facts.missing_kinds:
        words = f"Argo Workflows is not installed there: no {', '.join(facts.missing_kinds)}"
        yield Finding(
            Grade.MISSING,
            words,
            f"kubectl --context {facts.name} create namespace argo; "
            f"kubectl --context {facts.name} -n argo apply --server-side -f {INSTALL}",
        )
    elif facts.alive:
        yield _fine(f"Argo's controller is alive: {facts.alive}")
        yield argo(facts.argo, f"kubectl --context {facts.name}")
        yield from _configuration(facts)
    elif not facts.probed:
        yield Finding(
            Grade.NOTE, "whether Argo's controller works there was not tried", f"medea target check {facts.name}"
        )
    elif any(namespace.accepted for namespace in facts.namespaces):
        words = "Argo's controller does nothing there: it took up no Workflow, and has neither a lease nor a ready pod"
        yield Finding(Grade.MISSING, words, f"kubectl --context {facts.name} get pods -A -l app=workflow-controller")
    else:
        yield Finding(Grade.NOTE, "whether Argo's controller works there can be seen once a namespace accepts work")


def _configuration(facts: Facts) -> Iterator[Finding]:
    for one in facts.argo_unread:
        words = f"{one.words}, so no totals have what Argo adds to Workflows there"
        yield Finding(Grade.NOTE, words, again(facts.name) if one.forbidden else None)
    if not facts.argo_unread:
        yield _fine("what Argo adds to Workflows there counts in their totals: its configuration can be read")


def _pools(facts: Facts) -> Iterator[Finding]:
    """Nothing of a target without any: most have none, and need none."""
    if facts.pools_unread:
        words = f"its node pools are not known: {facts.pools_unread}"
        yield Finding(Grade.MISSING, words, f"{again(facts.name)} --namespaces NAMESPACE --node-pools LABEL")
    elif facts.pools:
        yield _fine(f"its node pools: {'; '.join(facts.pools)}")


def _namespace(target: str, namespace: NamespaceFacts) -> Iterator[Finding]:
    name, grade = namespace.name, Grade.MISSING if namespace.wanted else Grade.NOTE
    if not namespace.exists:
        yield Finding(
            grade, f"namespace {name} does not exist there", f"kubectl --context {target} create namespace {name}"
        )
        return
    if not namespace.accepted:
        yield Finding(grade, f"namespace {name} accepts no work", again(target, name))
        return
    yield _fine(f"namespace {name} accepts work")
    if not namespace.sees:
        words = f"in namespace {name} Medea may not look for what Workflows refer to, as ConfigMaps"
        yield Finding(Grade.NOTE, words, again(target, name))
    if not namespace.events:
        words = f"namespace {name} does not let Medea read Events, so Argo's of what runs there are not shown"
        yield Finding(Grade.NOTE, words, again(target, name))
    lacking = [what for what in QUOTA if what not in namespace.hard]
    if lacking:
        words = f"namespace {name} has no quota of {' and '.join(lacking)}, so it can't be known what is free there"
        hard = "--hard=limits.cpu=8,limits.memory=16Gi"
        yield Finding(Grade.MISSING, words, f"kubectl --context {target} -n {name} create quota medea {hard}")
    else:
        yield _fine(f"namespace {name} has a quota: " + ", ".join(f"{what} {namespace.hard[what]}" for what in QUOTA))
    opt_in = f"kubectl label namespace {name} medea.dev/enabled=true  # at the front door"
    if not namespace.known:
        words = f"namespace {name} does not exist at the front door"
        yield Finding(grade, words, f"kubectl create namespace {name}; {opt_in}")
    elif not namespace.enabled:
        # The target is ready for it: whoever installs Medea opts in last.
        yield Finding(Grade.NOTE, f"namespace {name} has not opted in at the front door", opt_in)


def _together(facts: Facts) -> Iterator[Finding]:
    if not any(namespace.accepted for namespace in facts.namespaces):
        names = ",".join(one.name for one in facts.namespaces if one.exists) or "NAMESPACE"
        yield Finding(Grade.MISSING, "no namespace there accepts work", again(facts.name, names))
    if facts.drained:
        yield Finding(
            Grade.NOTE, "it is being drained: nothing new is placed there", f"medea target undrain {facts.name}"
        )
