"""What a CronWorkflow asks for, checked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webhook.cron.schedule import Schedule, parsed
from webhook.errors import Refused, quoted, wrong_field
from webhook.model.contract import SKIP
from webhook.model.limits.cron import LONGEST_EXPRESSION, LONGEST_NAME, LONGEST_SCHEDULE, MOST_SCHEDULES
from webhook.model.objects import Object, annotations, labels, mapping, spec_of, texts

ALLOW, FORBID, REPLACE = "Allow", "Forbid", "Replace"
_KEEP_SUCCEEDED, _KEEP_FAILED = 3, 1


@dataclass(frozen=True)
class CronSpec:
    """The fields of a CronWorkflow that say when and how; `written` is its schedules as Argo notes them."""

    written: str
    schedules: Sequence[Schedule]
    suspended: bool
    concurrency: str
    starting_deadline: int | None
    keep_succeeded: int
    keep_failed: int
    when: str
    stop_when: str
    workflow: Object
    labels: dict[str, str]
    annotations: dict[str, str]
    finalizers: list[str]


def read_cron(cron: Object) -> CronSpec:
    """Read a CronWorkflow. Raises Refused with the field that is wrong, its value, and what would be right."""
    name, spec = str(cron["metadata"]["name"]), spec_of(cron)
    if len(name) > LONGEST_NAME:
        expected = f"it must not be longer than {LONGEST_NAME} characters, since each Workflow gets it and its time"
        raise wrong_field(Refused, "metadata.name", name, expected)
    written, schedules = _schedules(spec)
    metadata = {"metadata": mapping(spec.get("workflowMetadata"))}
    marks = annotations(metadata)
    if marks.get(SKIP) == "true":
        expected = "nobody else runs Workflows in this namespace, so there is nothing to leave alone"
        raise wrong_field(Refused, f"spec.workflowMetadata.annotations[{SKIP}]", "true", expected)
    return CronSpec(
        written=written,
        schedules=schedules,
        suspended=spec.get("suspend") is True,
        concurrency=_concurrency(spec),
        starting_deadline=_count(spec, "startingDeadlineSeconds"),
        keep_succeeded=_limit(spec, "successfulJobsHistoryLimit", _KEEP_SUCCEEDED),
        keep_failed=_limit(spec, "failedJobsHistoryLimit", _KEEP_FAILED),
        when=_short("spec.when", spec.get("when"), LONGEST_EXPRESSION),
        stop_when=_short(
            "spec.stopStrategy.expression", mapping(spec.get("stopStrategy")).get("expression"), LONGEST_EXPRESSION
        ),
        workflow=_workflow(spec),
        labels=labels(metadata),
        annotations=marks,
        finalizers=texts(metadata["metadata"].get("finalizers")),
    )


def _schedules(spec: Object) -> tuple[str, list[Schedule]]:
    one, many = _text("spec.schedule", spec.get("schedule")), spec.get("schedules")
    listed = [] if many is None else many
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise wrong_field(Refused, "spec.schedules", many, 'it must be a list of schedules, such as ["0 5 * * *"]')
    if one and listed:
        raise Refused("spec.schedule and spec.schedules are both set: one of them has to go")
    named = [("spec.schedule", one)] if one else [(f"spec.schedules[{at}]", text) for at, text in enumerate(listed)]
    if not named:
        raise Refused('spec.schedules is missing: it must be a list of schedules, such as ["0 5 * * *"]')
    if len(named) > MOST_SCHEDULES:
        raise Refused(f"spec.schedules has {len(named)} schedules: it must have at most {MOST_SCHEDULES}")
    zone = _text("spec.timezone", spec.get("timezone"))
    prefix = f"CRON_TZ={zone} " if zone else ""
    return ",".join(prefix + text for _, text in named), [_parsed(field, text, prefix) for field, text in named]


def _parsed(field: str, text: str, prefix: str) -> Schedule:
    try:
        return parsed(prefix + _short(field, text, LONGEST_SCHEDULE))
    except ValueError as error:
        zoned = f" (with spec.timezone before it: {quoted(prefix + text)})" if prefix else ""
        raise Refused(f"{field} is {quoted(text)}{zoned}: {error}", field=field, value=quoted(text)) from None


def _concurrency(spec: Object) -> str:
    value = spec.get("concurrencyPolicy") or ALLOW
    if value not in (ALLOW, FORBID, REPLACE):
        raise wrong_field(Refused, "spec.concurrencyPolicy", value, f"it must be {ALLOW}, {FORBID} or {REPLACE}")
    return str(value)


def _workflow(spec: Object) -> Object:
    workflow = spec.get("workflowSpec")
    if not isinstance(workflow, dict):
        raise wrong_field(Refused, "spec.workflowSpec", workflow, "it must be a Workflow's spec")
    return workflow


def _count(spec: Object, key: str) -> int | None:
    value = spec.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise wrong_field(Refused, f"spec.{key}", value, "it must be a number of seconds, 0 or more")
    return value


def _limit(spec: Object, key: str, otherwise: int) -> int:
    """As Argo, which takes a negative one for none."""
    value = spec.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _short(field: str, value: Any, most: int) -> str:
    text = _text(field, value)
    if len(text) > most:
        raise wrong_field(Refused, field, text, f"it must have at most {most} characters")
    return text


def _text(field: str, value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise wrong_field(Refused, field, value, "it must be a text")
    return value or ""
