"""The Workflow of a job: a fan-out over pieces of its power. Pure."""

from webhook.model.contract import POWER_JOB, SPLIT
from webhook.model.limits.jobs import MOST_JOB_ITEMS
from webhook.model.objects import Object
from webhook.splitting.cut import Span, positions_of

SERVES = "work"
"""The template, in the job's WorkflowTemplate, that serves some power; and the step that calls it."""
POWER = "power"
"""Its parameter: watt-seconds."""


def item_power(power: int, unit: int) -> int:
    """Watt-seconds of each item but the last; `unit` at least."""
    return max(unit, -(-power // MOST_JOB_ITEMS))


def item_powers(power: int, each: int) -> list[int]:
    """Watt-seconds of all items, `each` at most: their sum is `power`."""
    whole, rest = divmod(power, each)
    return [each] * whole + ([rest] if rest else [])


def power_of(spans: tuple[Span, ...], power: int, each: int) -> int:
    """Watt-seconds of the items in these spans."""
    return sum(min(each, power - position * each) for position in positions_of(list(spans)))


def workflow_of(job: int, name: str, *, power: int, each: int, split: str, template: str) -> Object:
    """What is submitted at the front door. Its name is the job's own, so that it is made once."""
    step = {
        "name": SERVES,
        "templateRef": {"name": template, "template": SERVES},
        "arguments": {"parameters": [{"name": POWER, "value": "{{item}}"}]},
        "withItems": [str(one) for one in item_powers(power, each)],
    }
    return {
        "metadata": {"name": name, "labels": {POWER_JOB: str(job)}, "annotations": {SPLIT: split}},
        "spec": {"entrypoint": "job", "templates": [{"name": "job", "steps": [[step]]}]},
    }
