"""Totals of a Spark Workflow, from the parameters it is submitted with.

The formulas are the original Medea's:
`cpu = executor_cores_limit × executor_num + driver_cores_limit`,
`ram = executor_memory_limit × executor_num + driver_memory_limit`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from webhook.errors import Refused, wrong_field
from webhook.model.objects import mappings
from webhook.totals.claims import held_objects
from webhook.totals.demands import PODS, Demands, Traits, one_kind
from webhook.totals.merged import over_template
from webhook.totals.model import GIB, Totals
from webhook.totals.shape import Spec
from webhook.totals.traits import crosses_namespaces

REQUIRED = (
    "executor_num",
    "executor_cores_limit",
    "executor_memory_limit",
    "driver_cores_limit",
    "driver_memory_limit",
)
MARKS = frozenset({*REQUIRED, "executor_cores", "executor_memory", "driver_cores", "driver_memory"})
"""A Workflow with any of these parameters is a Spark Workflow."""

# At most nine digits on either side: anything longer is a typo, and slow to compute with.
_COUNT = re.compile(r"[0-9]{1,9}")
_CORES = re.compile(r"(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)|([0-9]{1,9})m)")
_GIGABYTES = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)g")


@dataclass(frozen=True)
class SparkJob:
    """A driver and `executor_num` equal executors."""

    executor_num: int
    executor: Totals
    driver: Totals

    @property
    def totals(self) -> Totals:
        """By the formulas in the module's docstring."""
        return Totals(
            self.executor.cpu_milli * self.executor_num + self.driver.cpu_milli,
            self.executor.memory_bytes * self.executor_num + self.driver.memory_bytes,
        )

    def most_executors(self, room: Totals) -> int | None:
        """How many executors would fit into `room` beside the driver; None if not even the driver fits."""
        left = room - self.driver
        if left.cpu_milli < 0 or left.memory_bytes < 0:
            return None
        return min(left.cpu_milli // self.executor.cpu_milli, left.memory_bytes // self.executor.memory_bytes)


def spark_demands(job: SparkJob, spec: Spec, template_spec: Spec) -> Demands:
    """What the job takes of every kind of quota: its pods, driver and executors, request what their limits are.

    That is the most they may request: the parameters say nothing of requests.
    """
    whole = over_template(spec, template_spec)
    peak, one = _amounts(job.totals, job.executor_num + 1), _amounts(job.driver.larger(job.executor), 1)
    return one_kind(peak, one, _traits(whole)).holding(held_objects(whole))


def _traits(spec: Spec) -> Traits:
    """What is the same for driver and executors; unknown what templates may make different for some of them."""
    templates = [spec, *mappings(spec.get("templates"))]
    differs = any(one.get("priorityClassName") for one in templates)
    ends = any(one.get("activeDeadlineSeconds") is not None or one.get("timeout") for one in templates)
    crosses = any(crosses_namespaces(one.get("affinity")) for one in templates)
    return Traits(
        priority=None if differs else str(spec.get("podPriorityClassName") or ""),
        terminating=None if ends else False,
        crosses_namespaces=None if crosses else False,
    )


def _amounts(totals: Totals, pods: int) -> dict[str, int]:
    sizes = {"cpu": totals.cpu_milli, "memory": totals.memory_bytes}
    return {
        PODS: pods,
        **{f"{kind}.{name}": size for kind in ("limits", "requests") for name, size in sizes.items()},
    }


def spark_job(parameters: Mapping[str, str | None]) -> SparkJob | None:
    """Read the Spark parameters; None if the Workflow has none of them.

    Raises Refused for a parameter that is missing or can't be read, with its name, its value and an example.
    """
    if not MARKS & parameters.keys():
        return None
    return SparkJob(
        executor_num=executor_count(parameters, "executor_num"),
        executor=Totals(
            core_milli(parameters, "executor_cores_limit"), spark_bytes(parameters, "executor_memory_limit")
        ),
        driver=Totals(core_milli(parameters, "driver_cores_limit"), spark_bytes(parameters, "driver_memory_limit")),
    )


def executor_count(parameters: Mapping[str, str | None], name: str) -> int:
    """A whole number, 0 or more: with 0 the driver does all the work."""
    text = _given(parameters, name, "2")
    if not _COUNT.fullmatch(text):
        raise _wrong(name, text, "it must be a whole number of executors, 0 or more, such as 2")
    return int(text)


def core_milli(parameters: Mapping[str, str | None], name: str) -> int:
    """Thousandths of a core, from `1`, `0.5` or `500m` as in Spark's `spark.kubernetes.*.limit.cores`."""
    text = _given(parameters, name, "1")
    expected = "it must be a number of cores above 0, such as 1, 0.5 or 500m"
    match = _CORES.fullmatch(text)
    if not match:
        raise _wrong(name, text, expected)
    milli = _ceil(Decimal(match[1]) * 1000) if match[1] else int(match[2])
    if milli <= 0:
        raise _wrong(name, text, expected)
    return milli


def spark_bytes(parameters: Mapping[str, str | None], name: str) -> int:
    """Bytes from Spark's `g`, which is GiB. Other units are refused: `512m` is half a byte to Kubernetes."""
    text = _given(parameters, name, "0.5g")
    expected = "memory must be in gigabytes above 0 and end in g, such as 0.5g"
    match = _GIGABYTES.fullmatch(text)
    if not match:
        raise _wrong(name, text, expected)
    size = _ceil(Decimal(match[1]) * GIB)
    if size <= 0:
        raise _wrong(name, text, expected)
    return size


def _given(parameters: Mapping[str, str | None], name: str, example: str) -> str:
    text = parameters.get(name)
    if text is None:
        raise Refused(
            f"Spark parameter {name} is missing: a Workflow with any Spark parameter needs {', '.join(REQUIRED)}; "
            f"add for example -p {name}={example}",
            field=name,
            expected=example,
        )
    return text


def _wrong(name: str, text: str, expected: str) -> Refused:
    error = wrong_field(Refused, f"Spark parameter {name}", text, expected)
    assert isinstance(error, Refused)
    return error


def _ceil(number: Decimal) -> int:
    return int(number.to_integral_value(rounding=ROUND_CEILING))
