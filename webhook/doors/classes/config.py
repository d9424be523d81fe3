"""The placement configuration: the rules as an administrator writes them, in YAML. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from webhook.doors.classes.rules import Costs, JobClass, Priority, Rules, RunBy
from webhook.errors import BadRequest, quoted, wrong_field
from webhook.model.json_input import as_model
from webhook.model.limits.classes import LONGEST_CLASS, LONGEST_RUNTIME, MOST_CLASSES, MOST_DELIVERIES
from webhook.totals.manifests import read_yaml

_NAME = rf"^[a-z0-9]([-a-z0-9]{{0,{LONGEST_CLASS - 2}}}[a-z0-9])?$"
Name = Annotated[str, Field(pattern=_NAME)]
# With these bounds, what any job costs is a number.
Divisor = Annotated[float, Field(ge=1e-6)]
Factor = Annotated[float, Field(ge=0, le=1e6)]
_SETTING = "MEDEA_CLASSES_CONFIG"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Costs(_Part):
    rows: Divisor = Costs.rows
    seconds: Divisor = Costs.seconds
    priorities: dict[Literal["low", "normal", "high"], Factor] = Field(default_factory=dict)


class _Above(_Part):
    cost: Annotated[float, Field(ge=0)]
    name: Name = Field(alias="class")


class _Class(_Part):
    run_by: Literal["workflow", "workers"] = "workflow"
    clusters: list[Annotated[str, Field(min_length=1, pattern=r"^[^,\s]+$")]] = Field(default_factory=list)
    deliveries: Annotated[int, Field(ge=1, le=MOST_DELIVERIES)] = JobClass.deliveries
    longest: Annotated[float, Field(gt=0, le=LONGEST_RUNTIME)] = JobClass.longest


class _Configuration(_Part):
    cost: _Costs = Field(default_factory=_Costs)
    latency_sensitive: Name | None = Rules.latency_sensitive
    above: list[_Above] | None = None
    otherwise: Name = Rules.otherwise
    classes: dict[Name, _Class] = Field(default_factory=dict)


def read_rules(text: str) -> Rules:
    """The rules of a placement configuration; what it does not say is as in `Rules`.

    Raises BadRequest with the part that is wrong.
    """
    try:
        documents = [one for one in read_yaml(text) if one is not None]
    except ValueError as error:
        raise BadRequest(f"{_SETTING} is {error}") from None
    if len(documents) > 1:
        raise BadRequest(f"{_SETTING} has {len(documents)} documents: it must be one")
    written = as_model(documents[0] if documents else {}, _Configuration, _SETTING)
    above = Rules().above if written.above is None else tuple((one.cost, one.name) for one in written.above)
    if [cost for cost, _ in above] != sorted({cost for cost, _ in above}, reverse=True):
        raise wrong_field(
            BadRequest, "above", [cost for cost, _ in above], "the costs must fall, and be there once each"
        )
    named = [name for name in (written.latency_sensitive, *(name for _, name in above), written.otherwise) if name]
    return Rules(
        classes=_classes(written.classes, named),
        costs=_costs(written.cost),
        latency_sensitive=written.latency_sensitive,
        above=above,
        otherwise=written.otherwise,
    )


def _costs(written: _Costs) -> Costs:
    given = {Priority(name): factor for name, factor in written.priorities.items()}
    return Costs(written.rows, written.seconds, {**Costs().factors, **given})


def _classes(written: Mapping[str, Any], named: list[str]) -> dict[str, JobClass]:
    """Those that a rule leads to. Raises BadRequest for one that nothing leads to: its name is mistyped somewhere."""
    for name in written:
        if name not in named:
            raise BadRequest(f"classes: {quoted(name)} is in none of latency_sensitive, above and otherwise")
    if len(set(named)) > MOST_CLASSES:
        raise BadRequest(f"there are {len(set(named))} classes, and may be {MOST_CLASSES}")
    defaults = Rules().classes
    found = {}
    for name in dict.fromkeys(named):
        one = written.get(name)
        found[name] = (
            defaults.get(name, JobClass())
            if one is None
            else JobClass(_run_by(name, one), tuple(one.clusters), one.deliveries, one.longest)
        )
        if found[name].clusters and found[name].run_by is RunBy.WORKERS:
            raise BadRequest(f"classes: {name} has clusters, and is run by workers, which are where they are")
    return found


def _run_by(name: str, written: _Class) -> RunBy:
    if "run_by" in written.model_fields_set:
        return RunBy(written.run_by)
    return Rules().classes.get(name, JobClass()).run_by
