"""Whether the pods that a Workflow's own `spark-submit` makes are as large as its Spark parameters say.

The parameters are the pods' limits, and what is reserved; `spark-submit` is told the memory of a process, and Spark
adds to it. Where what was submitted shows that the pods come out larger, the submitter is told before a quota refuses
the last of them. What only the shell knows (`$SIZE`) is left alone.
"""

import os.path
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from webhook.errors import Refused
from webhook.model.limits.admission import SUBMIT_LONGEST
from webhook.model.objects import mapping, mappings
from webhook.totals.model import Totals
from webhook.totals.quantities import cpu_milli
from webhook.totals.shape import Spec, text
from webhook.totals.spark import SparkJob
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
from webhook.totals.tags import Bindings, filled

_PROGRAM = "spark-submit"
# The options that have a property of the same meaning.
_PROPERTIES = {
    "--master": "spark.master",
    "--deploy-mode": "spark.submit.deployMode",
    "--num-executors": "spark.executor.instances",
    "--executor-memory": "spark.executor.memory",
    "--driver-memory": "spark.driver.memory",
}
_WITHOUT_VALUE = frozenset({"--verbose", "-v", "--supervise"})
_NOT_JVM = (".py", ".R")


@dataclass
class _Submitted:
    """One call: its properties, and the file that it runs."""

    properties: dict[str, str] = field(default_factory=dict)
    application: str = ""

    @property
    def in_cluster_mode(self) -> bool:
        return self.properties.get("spark.submit.deployMode") == "cluster"

    def memory_mib(self, role: str) -> int | None:
        """The limit of a pod's memory; None if it can't be read."""
        memory = self._size(f"spark.{role}.memory", DEFAULT_MEMORY)
        least, factor = self._size(f"spark.{role}.minMemoryOverhead", LEAST_OVERHEAD), self._factor(role)
        if memory is None or least is None or factor is None:
            return None
        given = self.properties.get(f"spark.{role}.memoryOverhead")
        overhead = overhead_mib(memory, factor, least) if given is None else mebibytes(given)
        return None if overhead is None else memory + overhead

    def _size(self, key: str, default: str) -> int | None:
        return mebibytes(self.properties.get(key, default))

    def _factor(self, role: str) -> Decimal | None:
        for key in (f"spark.{role}.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor"):
            if key in self.properties:
                return factor_of(self.properties[key])
        # In client mode Spark does not tell its executors that the driver is no JVM's.
        return OTHER_FACTOR if self.in_cluster_mode and self.application.endswith(_NOT_JVM) else JVM_FACTOR


def larger_than_said(job: SparkJob, spec: Spec, known: Bindings) -> Iterator[str]:
    """A sentence for each size, or number, of pods that is larger than its parameter says.

    `spec` is the Workflow's over its template's, and `known` the values of its parameters.
    """
    for template, words in _commands(mappings(spec.get("templates")), known):
        submitted = _parsed(words)
        if submitted is None or not submitted.properties.get("spark.master", "").startswith("k8s://"):
            continue
        instances = submitted.properties.get("spark.executor.instances", "")
        if instances.isdecimal() and len(instances) < 10 and int(instances) > job.executor_num:
            yield (
                f"{_PROGRAM} of template {template} asks for {instances} executors, and executor_num counts "
                f"{job.executor_num}: a quota may refuse the last of them"
            )
        roles = {"executor": job.executor} | ({"driver": job.driver} if submitted.in_cluster_mode else {})
        for role, said in roles.items():
            yield from _compared(template, role, said, submitted)


def _compared(template: str, role: str, said: Totals, submitted: _Submitted) -> Iterator[str]:
    made = submitted.memory_mib(role)
    if made is not None and made * MIB > said.memory_bytes:
        yield (
            f"{role} pods of template {template} get {made}Mi of memory each from {_PROGRAM}, Spark's overhead "
            f"included, and {role}_memory_limit counts {said.memory_bytes // MIB}Mi: a quota may refuse the last of "
            f"them; right would be {role}_memory_limit={_gigabytes(made)} or a smaller spark.{role}.memory"
        )
    limit = submitted.properties.get(f"spark.kubernetes.{role}.limit.cores")
    cores = _milli(limit) if limit is not None else None
    if cores is not None and cores > said.cpu_milli:
        yield (
            f"{role} pods of template {template} get {limit} cores each from spark.kubernetes.{role}.limit.cores, and "
            f"{role}_cores_limit counts {said.cpu_milli / 1000:g}: a quota may refuse the last of them"
        )


def _gigabytes(mib: int) -> str:
    """As the parameters are written, rounded up: they take nine digits, and an exact one may have ten."""
    return f"{(Decimal(mib) / 1024).quantize(Decimal('0.001'), ROUND_CEILING).normalize():f}g"


def _milli(written: str) -> int | None:
    try:
        return cpu_milli("limit.cores", written)
    except Refused:
        return None


def _commands(templates: Iterable[Spec], known: Bindings) -> Iterator[tuple[str, Sequence[str]]]:
    """A template's name and the words after a `spark-submit` of its, for each one, with what is known filled in.

    Beyond SUBMIT_LONGEST characters in all of them nothing is looked at: tags and quotes take time.
    """
    room = SUBMIT_LONGEST
    for template in templates:
        for words in _calls(template):
            room -= sum(map(len, words))
            if room < 0:
                return
            read = _split(filled(words[0], known)) if len(words) == 1 else [filled(word, known) for word in words]
            places = [place for place, word in enumerate(read) if os.path.basename(word) == _PROGRAM]
            if places:
                yield str(template.get("name")), read[places[0] + 1 :]


def _calls(template: Spec) -> Iterator[list[str]]:
    """What may call `spark-submit`: a container's words, or a single text that is a line of a script."""
    containers = [template.get("container"), template.get("script")]
    containers += mappings(mapping(template.get("containerSet")).get("containers"))
    for container in map(mapping, containers):
        words = [str(word) for key in ("command", "args") for word in _list(container.get(key))]
        if any(os.path.basename(word) == _PROGRAM for word in words):
            yield words
            continue
        for script in (*words, text(container.get("source")) or ""):
            yield from ([line] for line in script.replace("\\\n", " ").splitlines() if _PROGRAM in line)


def _split(line: str) -> list[str]:
    """The words of a line of shell; none if it goes on in the next one, or is no shell."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []


def _parsed(words: Sequence[str]) -> _Submitted | None:
    """What follows `spark-submit`: options, and then what it runs. None if not all of the options can be seen."""
    found, rest = _Submitted(), iter(words)
    for word in rest:
        if not _is_whole(word):
            return None
        if not word.startswith("-"):
            found.application = word
            # It may as well be options that only the shell knows.
            return None if word.startswith("$") else found
        name, equals, value = word.partition("=")
        if name in _WITHOUT_VALUE:
            continue
        value = value if equals else next(rest, "")
        if name in ("--conf", "-c"):
            name, _, value = value.partition("=")
        else:
            name = _PROPERTIES.get(name, name)
        if name == "--properties-file" or not _is_whole(value):
            return None
        found.properties[name] = value
    return found


def _is_whole(word: str) -> bool:
    """Whether it is all that the shell would read as one word: not the beginning of `$(size of it)`."""
    return word.count("(") == word.count(")") and "`" not in word


def _list(words: object) -> list[object]:
    return words if isinstance(words, list) else []
