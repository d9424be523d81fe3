"""Which targets a Workflow may go to, by their node pools. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webhook.errors import Refused
from webhook.nodes.asks import asks, templates_in
from webhook.nodes.choose import Choice, choose
from webhook.nodes.pools import Pool, Pools
from webhook.totals.shape import Spec


@dataclass(frozen=True)
class Fitting:
    """The choice of pools on each target that has them, and why others have none."""

    choices: Mapping[str, Choice]
    reasons: Mapping[str, str]
    wanted: bool
    """Whether there is anything to place."""


def fitting(spec: Spec, pools: Mapping[str, Pools]) -> Fitting:
    """Where all steps that ask for resources fit. Raises Refused for what is no quantity."""
    choices: dict[str, Choice] = {}
    reasons: dict[str, str] = {}
    wanted = list(asks(spec))
    for target in sorted(pools):
        if not pools[target] and wanted:
            reasons[target] = f"{target} names no node pools"
            continue
        try:
            choices[target] = choose(wanted, pools[target], target)
        except Refused as error:
            reasons[target] = error.message
    return Fitting(choices, reasons, bool(wanted))


def named_by(spec: Spec, pools: Mapping[str, Pools]) -> frozenset[str] | None:
    """The targets with all the pools that a Workflow's selectors name; None if they name no pool of any target.

    A selector that is no pool's says nothing: it may be of labels that Medea is not told of.
    """
    found: frozenset[str] | None = None
    for selector in _selectors(spec):
        having = frozenset(target for target, own in pools.items() if any(_has(one, selector) for one in own))
        if having:
            found = having if found is None else found & having
    return found


def _selectors(spec: Spec) -> Iterator[Mapping[str, str]]:
    for _, template in (((), spec), *templates_in(spec)):
        selector = template.get("nodeSelector")
        if isinstance(selector, dict) and selector:
            yield selector


def _has(pool: Pool, selector: Mapping[str, str]) -> bool:
    """Whether a selector chooses this pool, among others perhaps: none of its labels is another one's."""
    own = pool.labels
    return all(own.get(key) == value for key, value in selector.items())
