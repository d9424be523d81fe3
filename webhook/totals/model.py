"""Amounts of CPU and memory, and how they are shown."""

from dataclasses import dataclass
from decimal import Decimal

from webhook.totals.argo_config import UNKNOWN_CONFIG, ArgoConfig

GIB = 1 << 30


@dataclass(frozen=True, order=False)
class Totals:
    """CPU in thousandths of a core and memory in bytes, such as what a Workflow needs at its peak."""

    cpu_milli: int
    memory_bytes: int

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.cpu_milli + other.cpu_milli, self.memory_bytes + other.memory_bytes)

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(self.cpu_milli - other.cpu_milli, self.memory_bytes - other.memory_bytes)

    def fits(self, room: "Totals") -> bool:
        """Whether both CPU and memory fit into `room`."""
        return self.cpu_milli <= room.cpu_milli and self.memory_bytes <= room.memory_bytes

    def larger(self, other: "Totals") -> "Totals":
        """The larger of the two, for each resource separately."""
        return Totals(max(self.cpu_milli, other.cpu_milli), max(self.memory_bytes, other.memory_bytes))

    def smaller(self, other: "Totals") -> "Totals":
        """The smaller of the two, for each resource separately."""
        return Totals(min(self.cpu_milli, other.cpu_milli), min(self.memory_bytes, other.memory_bytes))

    def __str__(self) -> str:
        return f"cpu={cores(self.cpu_milli)}, ram={gibibytes(self.memory_bytes)}"


NOTHING = Totals(0, 0)


@dataclass(frozen=True)
class Defaults:
    """The limits a namespace's LimitRange gives to containers without any, in thousandths of a core and in bytes.

    None if there is no such limit. `argo` is what Argo's controller adds before that.
    """

    cpu_milli: int | None = None
    memory_bytes: int | None = None
    requests: tuple[tuple[str, int], ...] = ()
    """What it requests for containers that request nothing and have no limit of their own, by resource."""
    argo: ArgoConfig = UNKNOWN_CONFIG

    def larger(self, other: "Defaults") -> "Defaults":
        """The larger of the two, for each resource separately; None counts as the smallest, and `argo` stays."""
        requests = dict(self.requests)
        for resource, amount in other.requests:
            requests[resource] = max(amount, requests.get(resource, 0))
        return Defaults(
            _larger(self.cpu_milli, other.cpu_milli),
            _larger(self.memory_bytes, other.memory_bytes),
            tuple(sorted(requests.items())),
            self.argo,
        )

    def of(self, resource: str) -> int | None:
        """The limit of a resource by its name in Kubernetes, `cpu` or `memory`."""
        return {"cpu": self.cpu_milli, "memory": self.memory_bytes}.get(resource)

    def requested(self, resource: str) -> int | None:
        """What a container without any request or limit is given to request: Kubernetes takes the limit otherwise."""
        return dict(self.requests).get(resource, self.of(resource))


NO_DEFAULTS = Defaults()


def cores(milli: int) -> str:
    """Thousandths of a core as cores: 3000 → `3`, 250 → `0.25`."""
    return _plain(Decimal(milli) / 1000)


def gibibytes(size: int) -> str:
    """Bytes as GiB with up to two decimals: 13153337344 → `12.25Gi`."""
    return _plain((Decimal(size) / GIB).quantize(Decimal("0.01"))) + "Gi"


def said(resource: str, amount: int) -> str:
    """An amount of any resource of a quota, as people write it: `2` cores, `1.5Gi`, `64Mi`, `3` pods."""
    if resource in ("limits.cpu", "requests.cpu"):
        return cores(amount)
    if (amount and resource.endswith(("memory", "storage"))) or "hugepages-" in resource:
        return (
            _plain((Decimal(amount) / (1 << 20)).quantize(Decimal("0.01"))) + "Mi"
            if amount < GIB
            else gibibytes(amount)
        )
    return str(amount)


def _larger(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
