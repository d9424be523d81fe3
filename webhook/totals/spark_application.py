"""What a `SparkApplication` needs that a resource template creates: what the Spark operator and Spark make of it.

A driver and its executors at once. Spark adds an overhead to the memory of each, see `spark_memory`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from webhook.errors import Refused
from webhook.model.objects import mapping, mappings
from webhook.totals.charges import Sized, charged
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, Amounts, Traits, added, multiplied, one_kind
from webhook.totals.model import Defaults, Totals
from webhook.totals.need import Need
from webhook.totals.parameters import parameter_text
from webhook.totals.quantities import LARGEST, cpu_milli, memory_bytes
from webhook.totals.spark_memory import (
    DEFAULT_MEMORY,
    JVM_FACTOR,
    LEAST_OVERHEAD,
    MIB,
    OTHER_FACTOR,
    factor_of,
    mebibytes,
    overhead_mib,
)
from webhook.totals.traits import crosses_namespaces
from webhook.totals.unknowns import RESOURCES

_FACTORS = {"Python": OTHER_FACTOR, "R": OTHER_FACTOR}
_READ = {"cpu": cpu_milli, "memory": memory_bytes}

Say = Callable[[str], None]
"""Takes a sentence about what could not be known."""


def application_need(spec: Mapping[str, Any], defaults: Defaults, say: Say) -> Need:
    """What a SparkApplication with this spec needs. It is a gang: all of it runs at once, or nothing gets on."""
    application = _Application(spec, defaults, say)
    driver, executor = application.pod("driver"), application.pod("executor")
    amounts = added(driver, multiplied(executor, application.executors()))
    totals = Totals(
        min(amounts.get(LIMITS_CPU, 0), LARGEST["cpu"]), min(amounts.get(LIMITS_MEMORY, 0), LARGEST["memory"])
    )
    return Need(totals, one_kind(amounts, traits=application.traits()))


@dataclass(frozen=True)
class _Application:
    spec: Mapping[str, Any]
    defaults: Defaults
    say: Say

    def pod(self, role: str) -> Amounts:
        """What one pod takes of quotas: `driver` or `executor`, with its sidecars."""
        own = mapping(self.spec.get(role))
        limit, asked = self._cpu(role, own)
        memory = self._memory(role, own) * MIB
        main = ({**self._gpus(role, own), "cpu": asked, "memory": memory}, {"cpu": limit, "memory": memory}, False)
        return charged([main, *(self._sidecar(role, one) for one in mappings(own.get("sidecars")))], [])

    def traits(self) -> Traits:
        """What is the same for driver and executors; unknown what may be different for some of them."""
        roles = [mapping(self.spec.get(role)) for role in ("driver", "executor")]
        classes = [one.get("priorityClassName") for one in (*roles, mapping(self.spec.get("batchSchedulerOptions")))]
        crosses = any(crosses_namespaces(one.get("affinity")) for one in roles)
        return Traits(priority=None if any(classes) else "", crosses_namespaces=None if crosses else False)

    def executors(self) -> int:
        """How many executors there are at most."""
        executor, dynamic = mapping(self.spec.get("executor")), mapping(self.spec.get("dynamicAllocation"))
        written = executor.get("instances", self._conf("spark.executor.instances"))
        least = self._count("executor.instances", written, 1)
        enabled = dynamic.get("enabled", self._conf("spark.dynamicAllocation.enabled"))
        if parameter_text(enabled) != "true":
            return least
        most = dynamic.get("maxExecutors", self._conf("spark.dynamicAllocation.maxExecutors"))
        if most is None:
            self.say("a SparkApplication allocates executors without a maximum; only those it begins with are counted")
        begins = (dynamic.get(key) for key in ("initialExecutors", "minExecutors"))
        return max(
            self._count("dynamicAllocation.maxExecutors", most, 0),
            *(self._count("dynamicAllocation", one, 0) for one in begins),
            0 if written is None and most is not None else least,
        )

    def _cpu(self, role: str, own: Mapping[str, Any]) -> tuple[int, int]:
        """Its limit, and what it asks for. Without a limit that, or the default of the namespace if that is more."""
        limit = own.get("coreLimit", self._conf(f"spark.kubernetes.{role}.limit.cores"))
        # As in Spark, a request of Kubernetes' own goes before the cores for tasks, wherever either is said.
        request = own.get("coreRequest", self._conf(f"spark.kubernetes.{role}.request.cores"))
        cores = own.get("cores", self._conf(f"spark.{role}.cores"))
        written = cores if request is None else request
        asked = self._read(f"{role}.cores", cpu_milli, 1 if written is None else written)
        if limit is not None:
            return self._read(f"{role}.coreLimit", cpu_milli, limit), asked
        return max(asked, self.defaults.cpu_milli or 0), asked

    def _gpus(self, role: str, own: Mapping[str, Any]) -> dict[str, int]:
        gpu = mapping(own.get("gpu"))
        return {str(gpu["name"]): self._count(f"{role}.gpu", gpu.get("quantity"), 0)} if gpu.get("name") else {}

    def _memory(self, role: str, own: Mapping[str, Any]) -> int:
        """In MiB, as in Spark: what is written, and the overhead."""
        written = own.get("memory", self._conf(f"spark.{role}.memory"))
        memory = self._size(f"{role}.memory", DEFAULT_MEMORY if written is None else written)
        overhead = own.get("memoryOverhead", self._conf(f"spark.{role}.memoryOverhead"))
        if overhead is not None:
            memory += self._size(f"{role}.memoryOverhead", overhead)
        else:
            least = self._conf(f"spark.{role}.minMemoryOverhead")
            least_mib = self._size(f"{role}.minMemoryOverhead", LEAST_OVERHEAD if least is None else least)
            memory += overhead_mib(memory, self._factor(role), least_mib)
        return memory + self._beside(role)

    def _beside(self, role: str) -> int:
        """What executors have beside their heap and overhead."""
        if role == "driver":
            return 0
        python = self._conf("spark.executor.pyspark.memory")
        total = 0 if python is None else self._size("spark.executor.pyspark.memory", python)
        if parameter_text(self._conf("spark.memory.offHeap.enabled")) == "true":
            size = parameter_text(self._conf("spark.memory.offHeap.size")) or "0"
            # This one is in bytes if it has no unit.
            total += -(-int(size) // MIB) if size.isdecimal() else self._size("spark.memory.offHeap.size", size)
        return total

    def _factor(self, role: str) -> Decimal:
        written = self._conf(f"spark.{role}.memoryOverheadFactor")
        for other in (self.spec.get("memoryOverheadFactor"), self._conf("spark.kubernetes.memoryOverheadFactor")):
            written = other if written is None else written
        default = _FACTORS.get(str(self.spec.get("type")), JVM_FACTOR)
        found = default if written is None else factor_of(parameter_text(written) or "")
        if found is None:
            self._unread("memoryOverheadFactor")
            return default
        return found

    def _sidecar(self, role: str, written: Mapping[str, Any]) -> Sized:
        """Its requests and limits; the defaults of the namespace where it has no limit."""
        resources = mapping(written.get("resources"))
        limits, requests = (self._sizes(role, mapping(resources.get(kind))) for kind in ("limits", "requests"))
        if any(one not in limits and self.defaults.of(one) is None for one in RESOURCES):
            self.say(f"a sidecar of a SparkApplication's {role} has no limits")
        given = {one: self.defaults.of(one) or 0 for one in RESOURCES}
        asked = {one: self.defaults.requested(one) or 0 for one in RESOURCES}
        return {**asked, **limits, **requests}, {**given, **limits}, False

    def _sizes(self, role: str, written: Mapping[str, Any]) -> dict[str, int]:
        return {
            name: self._read(f"{role}.sidecars", read, written[name]) for name, read in _READ.items() if name in written
        }

    def _conf(self, key: str) -> Any:
        return mapping(self.spec.get("sparkConf")).get(key)

    def _count(self, field: str, written: Any, default: int) -> int:
        text = parameter_text(default if written is None else written) or ""
        if not text.isdecimal() or len(text) > 9:
            self._unread(field)
            return default
        return int(text)

    def _size(self, field: str, written: Any) -> int:
        size = mebibytes(parameter_text(written) or "")
        if size is None:
            self._unread(field)
            return 0
        return size

    def _read(self, field: str, read: Callable[[str, object], int], written: Any) -> int:
        try:
            return read(field, written)
        except Refused:
            self._unread(field)
            return 0

    def _unread(self, field: str) -> None:
        self.say(f"{field} of a SparkApplication can't be read before it runs, and is not counted")
