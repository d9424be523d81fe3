"""The memory of Spark's pods on Kubernetes, as Spark computes it (BasicDriverFeatureStep, BasicExecutorFeatureStep).

To what people write as a process's memory it adds an overhead, and the sum is the pod's limit. The overhead is what
`spark.ROLE.memoryOverhead` says, or else `max(factor × memory, 384 MiB)`; the factor is 0.1, or 0.4 for Python and R in
cluster mode, and what is not a whole MiB is cut off.
"""

import re
from decimal import ROUND_FLOOR, Decimal

MIB = 1 << 20
DEFAULT_MEMORY = "1g"
LEAST_OVERHEAD = "384m"
JVM_FACTOR = Decimal("0.1")
OTHER_FACTOR = Decimal("0.4")
# A size as the JVM writes it. Without a unit it is in MiB.
_SIZE = re.compile(r"([0-9]{1,15})([kmgtp]?)b?", re.IGNORECASE)
_MIBS = {"": 1, "m": 1, "g": 1 << 10, "t": 1 << 20, "p": 1 << 30}
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def mebibytes(text: str) -> int | None:
    """MiB of a size such as `512m`, `1g` or `2048`; None for anything else, fractions too: Spark takes none."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    number, unit = int(match[1]), match[2].lower()
    return number // 1024 if unit == "k" else number * _MIBS[unit]


def factor_of(text: str) -> Decimal | None:
    """A `memoryOverheadFactor`; None if it is no number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def overhead_mib(memory_mib: int, factor: Decimal, least_mib: int) -> int:
    """What Spark adds to a memory if nothing else is said."""
    return max(int((factor * memory_mib).to_integral_value(ROUND_FLOOR)), least_mib)
