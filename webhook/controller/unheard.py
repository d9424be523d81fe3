"""What a person did to an origin while its placement was taken off it, so that the webhook could not know it. Pure."""

from webhook.controller.origin_status.full import steered
from webhook.ledger.placement import Placement
from webhook.model.contract import SHUTDOWNS, Hold, State
from webhook.model.objects import Object, spec_of
from webhook.model.verbs import Verb

_SOMEBODY = "somebody, unheard"


def unheard_verb(origin: Object, row: Placement, run: Object | None) -> Verb:
    """The verb by which the origin's `shutdown` and `suspend` differ from the run's; empty if they don't, or too late.

    Without a run only a shutdown counts: a run that is created later takes `suspend` from the origin.
    """
    if row.state is State.ENDED:
        return Verb(_SOMEBODY)
    wanted, there = spec_of(origin), steered(run or {})
    shutdown = wanted.get("shutdown")
    suspend = bool(wanted.get("suspend"))
    return Verb(
        _SOMEBODY,
        shutdown=shutdown if shutdown in SHUTDOWNS and shutdown != there["shutdown"] else None,
        suspend=suspend if run is not None and suspend is not bool(there["suspend"]) else None,
    )


def spec_without(origin: Object, row: Placement) -> Object:
    """The patch of the origin's spec that takes off a shutdown which only the run may have; empty if there is none.

    With hold `plugin` Argo's own controller would act on it at the front door.
    """
    return {"shutdown": None} if row.hold is Hold.PLUGIN and spec_of(origin).get("shutdown") else {}
