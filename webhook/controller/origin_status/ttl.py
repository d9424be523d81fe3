"""When an ended origin with hold none has had its time: nobody else at the front door sees its `ttlStrategy`. Pure."""

import datetime

from webhook.model.objects import Object

_BY_PHASE = {"Succeeded": "secondsAfterSuccess", "Failed": "secondsAfterFailure", "Error": "secondsAfterCompletion"}
# Seconds; Argo's own fields are 32 bits wide.
_LONGEST = 1 << 31


def goes_at(origin: Object) -> datetime.datetime | None:
    """The moment from which an ended Workflow is to be deleted, as Argo's controller reckons it; None for never."""
    status = origin.get("status") or {}
    phase, finished = status.get("phase"), status.get("finishedAt")
    if phase not in _BY_PHASE or not finished:
        return None
    from_template = (status.get("storedWorkflowTemplateSpec") or {}).get("ttlStrategy")
    strategy = (origin.get("spec") or {}).get("ttlStrategy") or from_template
    if not isinstance(strategy, dict):
        return None
    given = [strategy.get(key) for key in (_BY_PHASE[phase], "secondsAfterCompletion")]
    # A user's word, which nobody may have checked: what is no number of seconds is as good as not there.
    seconds = next((one for one in given if isinstance(one, int) and 0 <= one < _LONGEST), None)
    return None if seconds is None else datetime.datetime.fromisoformat(finished) + datetime.timedelta(seconds=seconds)
