"""What any Workflow needs: by its Spark parameters if it has some, else by its containers' limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webhook.totals.model import NOTHING, Totals
from webhook.totals.parameters import effective_parameters
from webhook.totals.quantities import cpu_milli, memory_bytes
from webhook.totals.spark import SparkJob, spark_job


@dataclass(frozen=True)
class Need:
    """`notes` are short sentences about what could not be known. `spark` is there when Spark parameters told it."""

    totals: Totals
    notes: tuple[str, ...] = ()
    spark: SparkJob | None = None


def need_of(spec: Mapping[str, Any], template_specs: Sequence[Mapping[str, Any]]) -> Need:
    """The need of a Workflow's spec; `template_specs` are those of the WorkflowTemplates it refers to.

    Raises Refused for a Spark parameter or a limit that can't be read.
    """
    job = spark_job(effective_parameters(spec, *template_specs[:1]))
    if job is not None:
        return Need(job.totals, spark=job)
    totals = NOTHING
    for one in (spec, *template_specs):
        listed = one.get("templates")
        for template in listed if isinstance(listed, list) else []:
            totals = totals + _pod(template)
    return Need(totals, ("rough: the sum of all templates",))


def _pod(template: Mapping[str, Any]) -> Totals:
    containers = [template.get("container"), template.get("script"), *(template.get("sidecars") or [])]
    containers += (template.get("containerSet") or {}).get("containers") or []
    totals = NOTHING
    for container in containers:
        if isinstance(container, Mapping):
            limits = (container.get("resources") or {}).get("limits") or {}
            field = f"template {template.get('name')}: limits"
            totals = totals + Totals(
                cpu_milli(f"{field}.cpu", limits.get("cpu", 0)),
                memory_bytes(f"{field}.memory", limits.get("memory", 0)),
            )
    return totals
