"""What a Spark Workflow needs, from its parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import Refused
from webhook.totals.model import GIB, Totals
from webhook.totals.spark import REQUIRED, SparkJob, spark_job

MANUAL = {
    "executor_num": "2",
    "driver_cores": "1",
    "driver_cores_limit": "1",
    "driver_memory": "0.2g",
    "driver_memory_limit": "0.25g",
    "executor_cores": "1",
    "executor_cores_limit": "1",
    "executor_memory_limit": "6g",
}
"""The parameters of the call in the original's manual."""


def job(**changes: str | None) -> SparkJob:
    parameters = {**MANUAL, **changes}
    found = spark_job({name: value for name, value in parameters.items() if value is not None})
    assert found is not None
    return found


def test_the_manuals_example_needs_3_cores_and_12_and_a_quarter_gib() -> None:
    assert job().totals == Totals(3000, int(12.25 * GIB))
    assert str(job().totals) == "cpu=3, ram=12.25Gi"


def test_a_workflow_without_any_spark_parameter_is_no_spark_job() -> None:
    assert spark_job({"message": "hello"}) is None


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_parameter_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused, match=f"parameter {name} is missing"):
        job(**{name: None})


@pytest.mark.parametrize(
    "value", ["512m", "6", "6G", "6Gi", "6gb", "-1g", "0g", "NaNg", "1e3g", "", "٣g", " 6g", "g", "1" * 10 + "g"]
)
def test_memory_that_is_not_in_gigabytes_is_refused_with_name_value_and_example(value: str) -> None:
    with pytest.raises(Refused) as refused:
        job(executor_memory_limit=value)
    assert "executor_memory_limit" in refused.value.message
    assert repr(value) in refused.value.message
    assert "0.5g" in refused.value.message


@pytest.mark.parametrize("value", ["-1", "two", "1.5", "", "NaN", "1e9", "٣", "1" * 400])
def test_a_count_of_executors_that_is_no_whole_number_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="executor_num"):
        job(executor_num=value)


@pytest.mark.parametrize("value", ["0", "-1", "one", "inf", "1k", "0m", "", "1.5m"])
def test_cores_that_are_no_positive_number_are_refused(value: str) -> None:
    with pytest.raises(Refused, match="driver_cores_limit"):
        job(driver_cores_limit=value)


def test_cores_may_be_written_in_thousandths() -> None:
    assert job(driver_cores_limit="500m").driver.cpu_milli == job(driver_cores_limit="0.5").driver.cpu_milli == 500


def test_a_job_without_executors_needs_its_driver_alone() -> None:
    assert job(executor_num="0").totals == job().driver


counts = st.integers(0, 10**6)
sizes = st.integers(1, 10**9)
totals = st.builds(Totals, sizes, sizes)


@given(counts, totals, totals)
def test_totals_are_executors_times_their_number_and_the_driver(number: int, executor: Totals, driver: Totals) -> None:
    need = SparkJob(number, executor, driver).totals
    assert need.cpu_milli == number * executor.cpu_milli + driver.cpu_milli
    assert need.memory_bytes == number * executor.memory_bytes + driver.memory_bytes


@given(counts, totals, totals)
def test_one_more_executor_never_needs_less(number: int, executor: Totals, driver: Totals) -> None:
    assert SparkJob(number, executor, driver).totals.fits(SparkJob(number + 1, executor, driver).totals)


@given(totals, totals, totals)
def test_the_most_executors_fit_and_one_more_does_not(executor: Totals, driver: Totals, room: Totals) -> None:
    most = SparkJob(0, executor, driver).most_executors(room)
    if most is None:
        assert not driver.fits(room)
    else:
        assert SparkJob(most, executor, driver).totals.fits(room)
        assert not SparkJob(most + 1, executor, driver).totals.fits(room)


@given(st.text())
def test_any_text_is_either_a_size_or_refused(text: str) -> None:
    refused, size = None, 0
    try:
        size = job(driver_memory_limit=text).driver.memory_bytes
    except Refused as error:
        refused = error
    assert size > 0 if refused is None else "driver_memory_limit" in refused.message
