"""The expressions of a CronWorkflow, `when` and `stopStrategy.expression`, evaluated as Argo does. Pure.

Both know `cronworkflow.name`, `namespace`, `failed`, `succeeded` and `lastScheduledTime` (nil before the first tick),
and the functions `now()` and `duration("30s")`; the second also the labels that there are. In Argo (3.7.4) `when` finds
no label whatever there is, and `annotations` are the labels: nobody can mean to rely on that, so it is in doubt here.
"""

from webhook.cron.status import Status
from webhook.errors import Refused, wrong_field
from webhook.model.objects import Object, labels
from webhook.totals.expressions.conditions import holds
from webhook.totals.expressions.evaluate import text_of, truth_of
from webhook.totals.expressions.times import Moment
from webhook.totals.expressions.values import Value
from webhook.totals.tags import masked

_EXPECTED = "it must be true or false, by what Medea can evaluate: {names}, comparisons and sums of them, and now()"
_NAMES = "cronworkflow.name, namespace, failed, succeeded, lastScheduledTime"


def may_run(when: str, cron: Object, status: Status, now: float) -> bool:
    """Whether `spec.when` lets a tick run. Raises Refused if nobody can tell."""
    if not when:
        return True
    known = _known(cron, status)
    text, tags = masked(when)
    for word, tag in tags.items():
        inside = tag[2:-2]
        value = text_of(inside[1:], known, now) if inside.startswith("=") else known.get(inside.strip())
        if not isinstance(value, str):
            raise _refused("spec.when", when)
        text = text.replace(word, value)
    # Unlike a step's, it takes no word without quotes for a text.
    found = holds(text, bare_words=False)
    if found is None:
        raise _refused("spec.when", when)
    return found


def is_over(expression: str, cron: Object, status: Status, now: float) -> bool:
    """Whether `spec.stopStrategy.expression` ends a CronWorkflow. Raises Refused if nobody can tell."""
    if not expression:
        return False
    found = truth_of(expression, {**_known(cron, status), **_labels(cron)}, now)
    if found is None:
        raise _refused("spec.stopStrategy.expression", expression)
    return found


def _refused(field: str, text: str) -> Exception:
    return wrong_field(Refused, field, text, _EXPECTED.format(names=_NAMES))


def _known(cron: Object, status: Status) -> dict[str, Value]:
    last = None if status.last is None else Moment(status.last)
    values: dict[str, Value] = {
        "name": cron["metadata"]["name"],
        "namespace": cron["metadata"]["namespace"],
        "failed": status.failed,
        "succeeded": status.succeeded,
        "lastScheduledTime": last,
    }
    return {f"cronworkflow.{name}": value for name, value in values.items()}


def _labels(cron: Object) -> dict[str, str]:
    return {f"cronworkflow.labels.{key}": value for key, value in labels(cron).items() if "." not in key}
