"""Kubernetes quantities, which are not Spark's sizes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import Refused
from webhook.totals.quantities import LARGEST, cpu_milli, memory_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512m", 1),
        ("128974848", 128974848),
        (128974848, 128974848),
        ("129M", 129 * 10**6),
        ("123Mi", 123 << 20),
        ("1.5Gi", 3 << 29),
        ("0.5", 1),
        ("1e3", 1000),
        ("12E6", 12 * 10**6),
        ("1E", 10**18),
        ("+1k", 1000),
        (".5Ki", 512),
        ("5.", 5),
        ("0", 0),
        ("1e-3", 1),
    ],
)
def test_memory_is_bytes_and_512m_is_half_a_byte(text: object, size: int) -> None:
    assert memory_bytes("f", text) == size


@pytest.mark.parametrize(
    ("text", "milli"), [("1", 1000), (2, 2000), (0.25, 250), ("100m", 100), ("0.1", 100), ("1u", 1), ("1n", 1)]
)
def test_cores_are_thousandths_rounded_up(text: object, milli: int) -> None:
    assert cpu_milli("f", text) == milli


@pytest.mark.parametrize(
    "text",
    ["-1", "", " 1", "1 ", "1gb", "1g", "0.5GI", "one", "NaN", "inf", "1e", "1e3Ki", "1mi", "٣", None, True, [], {}],
)
def test_what_is_no_quantity_is_refused_with_field_value_and_an_example(text: object) -> None:
    for read, example in ((memory_bytes, "512Mi"), (cpu_milli, "500m")):
        with pytest.raises(Refused) as refused:
            read("templates[a].limits", text)
        assert refused.value.message.startswith(f"templates[a].limits is {text!r}: ")
        assert example in refused.value.message


def test_what_no_cluster_has_stays_within_the_ledgers_numbers() -> None:
    assert memory_bytes("f", "9" * 18 + "E") == LARGEST["memory"]
    assert cpu_milli("f", "9e99") == LARGEST["cpu"]


@given(st.text(alphabet="0123456789.+-eEKMGTPimnuk ", max_size=12))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        size = memory_bytes("f", text)
    except Refused:
        return
    assert 0 <= size <= LARGEST["memory"]


@given(st.decimals(min_value=0, max_value=10**6, places=3), st.sampled_from(["Ki", "Mi", "Gi"]))
def test_a_binary_unit_is_a_power_of_1024(number: Decimal, unit: str) -> None:
    exact = number * 1024 ** ("KMG".index(unit[0]) + 1)
    assert 0 <= memory_bytes("f", f"{number}{unit}") - exact < 1
