"""expr-lang's operators between two values."""

import math

from webhook.model.limits.admission import EXPRESSION_LARGEST
from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.patterns import found_in
from webhook.totals.expressions.times import Moment, Span, reckoned
from webhook.totals.expressions.values import Value, as_integer, as_number, as_text, is_number


def calculated(operator: str, left: Value, right: Value, may_differ: bool) -> Value:
    """The result. `may_differ` says whether values of different kinds may be compared. Raises Doubt."""
    if operator in ("==", "!="):
        return same(left, right, may_differ) is (operator == "==")
    if operator in ("<", "<=", ">", ">="):
        return _ordered(operator, left, right)
    if operator == "in":
        return _contained(left, right)
    if operator in ("matches", "contains", "startsWith", "endsWith"):
        return _in_text(operator, as_text(left), as_text(right))
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if operator == "..":
        return _range(as_integer(left), as_integer(right))
    if isinstance(left, Moment | Span):
        return reckoned(operator, left, right)
    return _arithmetic(operator, as_number(left), as_number(right))


def same(left: Value, right: Value, may_differ: bool) -> bool:
    """Whether two plain values are equal. Raises Doubt for lists and objects, and for two kinds unless that may be."""
    if is_number(left) and is_number(right):
        return left == right
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        raise Doubt
    if left is None or right is None:
        return left is right
    if type(left) is not type(right):
        if not may_differ:
            raise Doubt
        return False
    return left == right


def _ordered(operator: str, left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        less, equal = left < right, left == right
    elif isinstance(left, Moment | Span) and type(left) is type(right):
        less, equal = left.seconds < right.seconds, left == right
    else:
        one, other = as_number(left), as_number(right)
        less, equal = one < other, one == other
    return {"<": less, "<=": less or equal, ">": not less and not equal, ">=": not less}[operator]


def _contained(left: Value, right: Value) -> bool:
    if isinstance(right, dict):
        return as_text(left) in right
    if not isinstance(right, list):
        raise Doubt
    return any(same(left, one, may_differ=False) for one in right)


def _in_text(operator: str, text: str, part: str) -> bool:
    if operator == "matches":
        return found_in(part, text)
    if operator == "contains":
        return part in text
    return text.startswith(part) if operator == "startsWith" else text.endswith(part)


def _range(start: int, end: int) -> Value:
    if end - start > EXPRESSION_LARGEST:
        raise Doubt
    return list(range(start, end + 1))


def _arithmetic(operator: str, left: int | float, right: int | float) -> Value:
    if operator == "%":
        left, right = as_integer(left), as_integer(right)
    if operator in ("/", "%") and right == 0:
        raise Doubt
    if operator == "**":
        return _power(left, right)
    if operator == "%":
        return int(math.fmod(left, right)) if abs(left) < 1 << 53 and abs(right) < 1 << 53 else _no()
    if operator == "/":
        return float(left) / float(right)
    if operator not in ("+", "-", "*"):
        raise Doubt
    return left + right if operator == "+" else left - right if operator == "-" else left * right


def _power(left: int | float, right: int | float) -> float:
    if not 0 <= left <= 1 << 20 or not 0 <= right <= 64:
        raise Doubt
    return math.pow(left, right)


def _no() -> Value:
    raise Doubt
