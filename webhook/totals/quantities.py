"""Kubernetes quantities, as in containers' limits. Unlike Spark's sizes: `512m` of memory is half a byte here."""

import re
from decimal import ROUND_CEILING, Decimal

from webhook.errors import Refused, wrong_field

# At most 18 digits on either side and a two-digit exponent: anything longer is a typo, and slow to compute with.
_QUANTITY = re.compile(
    r"([+-]?)([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,2}))?"
)
_UNITS = {
    **{
        unit: Decimal(1000) ** power for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}
LARGEST = {"cpu": 10**12, "memory": 1 << 62}
"""In thousandths of a core and in bytes. Kubernetes allows up to 2⁶³ − 1; this leaves the ledger room for sums."""
_CPU = frozenset({"cpu", "limits.cpu", "requests.cpu"})


def cpu_milli(field: str, value: object) -> int:
    """Thousandths of a core, rounded up, from `1`, `0.5` or `500m`. Raises Refused with `field` and the value."""
    return _whole(field, value, "cpu", 1000, "it must be a number of cores, 0 or more, such as 1, 0.5 or 500m")


def memory_bytes(field: str, value: object) -> int:
    """Bytes, rounded up, from `128974848`, `129M` or `123Mi`. Raises Refused with `field` and the value."""
    return _whole(field, value, "memory", 1, "it must be an amount of memory, 0 or more, such as 512Mi or 1.5Gi")


def is_cpu(resource: str) -> bool:
    """Whether a container's or a quota's resource is CPU, which counts in thousandths of a core."""
    return resource in _CPU


def amount(field: str, resource: str, value: object) -> int:
    """Of any resource of a container or a quota, rounded up: thousandths of a core, bytes, or a number of things.

    Raises Refused with `field` and the value.
    """
    if is_cpu(resource):
        return cpu_milli(field, value)
    if resource.endswith(("memory", "storage")):
        return memory_bytes(field, value)
    return _whole(field, value, "memory", 1, "it must be a number, 0 or more, such as 2")


def _whole(field: str, value: object, resource: str, scale: int, expected: str) -> int:
    number = _number(value)
    if number is None or number < 0:
        raise wrong_field(Refused, field, value, expected)
    return min(int((number * scale).to_integral_value(rounding=ROUND_CEILING)), LARGEST[resource])


def _number(value: object) -> Decimal | None:
    """The quantity as a number; None if it is not a quantity. JSON numbers are read as text, as in Kubernetes."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if not match:
        return None
    sign, digits, unit, exponent = match.groups()
    size = Decimal(10) ** int(exponent) if exponent else _UNITS[unit or ""]
    return Decimal(sign + digits) * size
