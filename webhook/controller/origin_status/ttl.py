"""When an ended origin with hold `none` expires: no Argo controller is there to follow its `ttlStrategy`. Pure."""

import datetime
from typing import Any

from webhook.model.moments import moment_of
from webhook.model.objects import Object, mapping, spec_of, status_of
from webhook.model.subworkflows import ended

_BY_PHASE = {"Succeeded": "secondsAfterSuccess", "Failed": "secondsAfterFailure", "Error": "secondsAfterCompletion"}
# Seconds. Argo's own fields have 32 bits.
_LONGEST = 1 << 31


def goes_at(origin: Object) -> datetime.datetime | None:
    """When an ended Workflow is to be deleted, as Argo's controller computes it; None if never.

    These fields may be unchecked user input: values that are not valid are ignored.
    """
    status = status_of(origin)
    phase, finished = ended(origin), moment_of(status.get("finishedAt"))
    if phase is None or finished is None:
        return None
    from_template = mapping(status.get("storedWorkflowTemplateSpec")).get("ttlStrategy")
    strategy = mapping(spec_of(origin).get("ttlStrategy") or from_template)
    given = [strategy.get(key) for key in (_BY_PHASE[phase], "secondsAfterCompletion")]
    seconds = next((one for one in given if _is_seconds(one)), None)
    return None if seconds is None else _later(finished, seconds)


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LONGEST


def _later(moment: datetime.datetime, seconds: int) -> datetime.datetime | None:
    try:
        return moment.astimezone(datetime.UTC) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return None
