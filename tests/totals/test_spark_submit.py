"""A driver whose pods would be larger than its Spark parameters say is told so at its submission."""

from collections.abc import Sequence

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.layout import CHECKOUT
from tests.support.workflows import Object, need

FIVE = {
    "executor_num": "2",
    "executor_cores_limit": "1",
    "executor_memory_limit": "1g",
    "driver_cores_limit": "1",
    "driver_memory_limit": "1g",
}
K8S = ["spark-submit", "--master", "k8s://https://kubernetes.default.svc"]
HEAP = ["--executor-memory", "1g"]
PI = ["local:///opt/spark/examples/src/main/python/pi.py", "--executor-memory", "64g"]


def job(container: Object, **changes: str) -> Object:
    """A Spark Workflow of one driver."""
    parameters = [{"name": name, "value": value} for name, value in {**FIVE, **changes}.items()]
    template = {"name": "driver", "container": container}
    return {"entrypoint": "driver", "arguments": {"parameters": parameters}, "templates": [template]}


def said(words: Sequence[str], **changes: str) -> tuple[str, ...]:
    return need(job({"command": list(words[:1]), "args": list(words[1:])}, **changes)).notes


def test_memory_that_spark_adds_to_what_the_parameter_counts_is_said_with_what_would_be_right() -> None:
    [note] = said([*K8S, *HEAP, *PI])
    assert "1408Mi" in note
    assert "executor_memory_limit counts 1024Mi" in note
    assert "executor_memory_limit=1.375g" in note
    assert said([*K8S, *HEAP, *PI], executor_memory_limit="1.375g") == ()


def test_the_totals_stay_those_of_the_parameters() -> None:
    assert str(need(job({"command": [*K8S, *HEAP, *PI]})).totals) == "cpu=3, ram=3Gi"


@pytest.mark.parametrize(
    "words",
    [
        [*K8S, *HEAP, "--conf", "spark.executor.memoryOverhead=0m", *PI],
        [*K8S, "--conf=spark.executor.memory=600m", "--conf=spark.executor.memoryOverhead=424m", *PI],
        [*K8S, "--executor-memory=640m", *PI],
        ["spark-submit", "--master", "local[2]", *HEAP, *PI],
        ["spark-submit", *HEAP, *PI],
        [*K8S, "--executor-memory", "{{inputs.parameters.unknown}}", *PI],
        [*K8S, "--properties-file", "/etc/spark.conf", *HEAP, *PI],
        ["echo", "spark-submit is not called"],
    ],
)
def test_pods_that_fit_or_that_can_not_be_known_are_not_mentioned(words: Sequence[str]) -> None:
    assert said(words) == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--conf", "spark.kubernetes.executor.limit.cores=2"], "executor_cores_limit counts 1"),
        (["--num-executors", "3"], "asks for 3 executors, and executor_num counts 2"),
        (["-c", "spark.executor.memoryOverheadFactor=0.9", "--executor-memory", "640m"], "get 1216Mi"),
        (["--conf=spark.executor.minMemoryOverhead=1g", "--executor-memory", "640m"], "get 1664Mi"),
        (["--executor-memory", "{{workflow.parameters.executor_memory_limit}}"], "get 1408Mi"),
    ],
)
def test_every_word_by_which_pods_get_larger_is_read(words: Sequence[str], told: str) -> None:
    small = ["--executor-memory", "640m"]
    assert told in " ".join(said([*K8S, *small, *words, *PI]))


def test_a_python_job_in_cluster_mode_gets_more_and_its_driver_too() -> None:
    cluster = [*K8S, "--deploy-mode", "cluster", "--executor-memory", "2g", "--driver-memory", "2g", *PI]
    notes = said(cluster, executor_memory_limit="2.5g", driver_memory_limit="2.5g")
    told = [f"{role} pods of template driver get 2867Mi" for role in ("executor", "driver")]
    assert [note.partition(" of memory")[0] for note in notes] == told
    client = [word for word in cluster if word not in ("--deploy-mode", "cluster")]
    assert said(client, executor_memory_limit="2.5g") == ()


def test_a_call_in_a_script_is_read_line_by_line() -> None:
    script = f"""
        # don't read this: spark-submit --executor-memory 9g
        size=$(cat size)
        exec /opt/spark/bin/{" ".join(K8S)} \\
          --executor-memory 1g {PI[0]}
    """
    [note] = said(["bash", "-c", script])
    assert "1408Mi" in note


@pytest.mark.parametrize("size", ['"$((limit - 384))m"', "$((limit - 384))m", "$SIZE", "`size`", "$OPTIONS"])
def test_what_only_the_shell_knows_is_left_alone(size: str) -> None:
    assert said(["bash", "-c", f"{' '.join(K8S)} --executor-memory {size} pi.py"]) == ()
    assert said(["bash", "-c", f"{' '.join(K8S)} {size} --executor-memory 9g pi.py"]) == ()


def test_what_is_too_long_to_be_read_in_time_is_left_alone() -> None:
    assert said(["bash", "-c", f"{' '.join(K8S)} {'{{=1}}' * 100_000} --executor-memory 9g pi.py"]) == ()


def test_the_example_says_what_it_makes() -> None:
    example = yaml.safe_load((CHECKOUT / "examples" / "spark-pi.yaml").read_text())["spec"]
    found = need(example)
    assert (str(found.totals), found.notes) == ("cpu=3, ram=2.75Gi", ())


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_the_limit_that_is_advised_is_accepted_without_a_word(heap: int, overhead: int) -> None:
    words = [*K8S, "--executor-memory", f"{heap}m", "--conf", f"spark.executor.memoryOverhead={overhead}m", *PI]
    for note in said(words, executor_memory_limit="0.000001g"):
        advised = note.partition("executor_memory_limit=")[2].partition(" ")[0]
        assert said(words, executor_memory_limit=advised) == ()


@given(st.text(alphabet=" \n\\\"'$(){}=-kgm018:/spark-submit", max_size=200))
def test_no_script_is_ever_an_error(text: str) -> None:
    said(["bash", "-c", f"spark-submit --master k8s:// {text}"])
