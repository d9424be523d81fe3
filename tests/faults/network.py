"""What goes wrong, and when: faults that wait for the call they are meant for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_apiserver import GARBAGE, HANG, LOSE, REFUSE, RESET, Call, Fault, answer, cut, stale

FRONT, LEDGER, SAMPLES = "front", "ledger", "samples"
"""Links besides the targets' names. The front door's link is also the one over which it calls the webhook."""
KINDS = ("refuse", "hang", "lose", "reset", "garbage", "500", "429", "401", "quota", "stale", "cut")


class Killed(BaseException):
    """A process died here, without a chance to tidy."""


@dataclass
class Armed:
    """One fault that waits: the next `times` calls of `who` over `link`, after `skip` others, fail so.

    `kind` is one of `KINDS`, or `kill` (before the call), `die` (after it), `meanwhile` (after it, `then` happens).
    `verb` narrows it to Kubernetes' word for the call; the ledger's only verb is `transaction`.
    """

    who: str
    link: str
    kind: str
    skip: int = 0
    times: int = 1
    verb: str = ""
    then: list[dict[str, Any]] = field(default_factory=list)

    def meant(self, who: str, link: str, verb: str) -> bool:
        """Whether it is for this call. A service's or controller's name with a number is also found without it."""
        about = self.who in ("", who, who.partition("-")[0]) and self.link in ("", link) and self.verb in ("", verb)
        if not about:
            return False
        self.skip -= 1
        return self.skip < 0


class Network:
    """All links of one episode. `who` is the process that runs now; what nobody runs is never disturbed."""

    def __init__(self) -> None:
        self.who: str | None = None
        self.armed: list[Armed] = []
        self.versions: dict[str, Callable[[], int]] = {}
        self.meanwhile: Callable[[list[dict[str, Any]]], None] = lambda _events: None
        self.happened: list[str] = []
        self._inside = False

    def arm(self, fault: Armed) -> None:
        """Have something go wrong."""
        self.armed.append(fault)

    def heal(self) -> None:
        """From here on everything works."""
        self.armed.clear()

    def before(self, link: str, verb: str, what: str) -> str | None:
        """What is wrong with the call that is about to be made; raises Killed instead if its process dies."""
        fault = self._due(link, verb, what, after=False)
        if fault and fault.kind == "kill":
            raise Killed
        return fault.kind if fault else None

    def after(self, link: str, verb: str, what: str) -> None:
        """A call was carried out. Its process may die before it knows, or something else may happen."""
        fault = self._due(link, verb, what, after=True)
        if fault and fault.kind == "die":
            raise Killed
        if fault and not self._inside:
            self._inside, who = True, self.who
            try:
                self.meanwhile(fault.then)
            finally:
                self._inside, self.who = False, who

    def faults(self, call: Call) -> Fault | None:
        """For a fake apiserver's hook of that name."""
        if self.who is None or call.user in _OTHERS:
            return None
        kind = self.before(call.cluster, call.verb, str(call))
        return None if kind is None else _fault(kind, call, self.versions[call.cluster]())

    def done(self, call: Call) -> None:
        """For its hook `after`."""
        if self.who is not None and call.user not in _OTHERS:
            self.after(call.cluster, call.verb, str(call))

    def _due(self, link: str, verb: str, what: str, *, after: bool) -> Armed | None:
        if self.who is None:
            return None
        for fault in self.armed:
            if (fault.kind in ("die", "meanwhile")) is after and fault.meant(self.who, link, verb):
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
                self.happened.append(f"{fault.kind}: {self.who}: {what}")
                return fault
        return None


PEOPLE = ("alice", "bob")
ARGO = "system:serviceaccount:argo:argo"
_OTHERS = frozenset({*PEOPLE, ARGO})


def _fault(kind: str, call: Call, version: int) -> Fault | None:
    if call.verb == "watch":
        # A watch that hangs is one that tells nothing: nobody waits for it meanwhile.
        return cut(0) if kind in ("hang", "lose", "reset", "garbage", "cut", "stale") else _refused(kind)
    match kind:
        case "hang" | "cut":
            return HANG
        case "lose":
            return LOSE
        case "reset":
            return RESET
        case "garbage":
            return GARBAGE
        case "stale":
            # Old lists are what an apiserver's cache may show. A get without a version is always the truth.
            return stale(max(100, version - 6)) if call.verb == "list" else None
    return _refused(kind)


def _refused(kind: str) -> Fault:
    match kind:
        case "500":
            return answer(500, "etcdserver: leader changed", "InternalError")
        case "429":
            return answer(429, "too many requests, please try again later", "TooManyRequests")
        case "401":
            return answer(401, "Unauthorized", "Unauthorized")
        case "quota":
            numbers = "requested: count/workflows.argoproj.io=1, used: count/workflows.argoproj.io=5, limited: 5"
            return answer(403, f"workflows.argoproj.io is forbidden: exceeded quota: few, {numbers}", "Forbidden")
    return REFUSE
