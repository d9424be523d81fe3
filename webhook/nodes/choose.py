"""The smallest node pool that fits each step. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from webhook.errors import Refused
from webhook.model.limits.nodes import MOST_NAMED
from webhook.nodes.asks import Ask
from webhook.nodes.paths import Path
from webhook.nodes.pools import Pool, Pools, Taint, amounts_said

_BASIC = frozenset({"cpu", "memory"})


@dataclass(frozen=True)
class Choice:
    """The pool of each template, by the template's path, and what to call the templates of each pool."""

    pools: Mapping[Path, Pool] = field(default_factory=dict)
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Where the steps go, for people; empty if none of them is placed."""
        return ", ".join(f"{_some(names)} on {pool}" for pool, names in self.steps.items())


def choose(wanted: Iterable[Ask], pools: Pools, target: str) -> Choice:
    """The pool of each template that asks for resources: the fewest devices first, then CPU, then memory.

    Raises Refused if a step fits no pool of the target, with what the step asks for and what the largest pool has.
    """
    found: dict[Path, Pool] = {}
    steps: dict[str, list[str]] = {}
    ordered = sorted(pools, key=_size)
    for ask in wanted:
        pool = next((one for one in ordered if fits(ask, one)), None)
        if pool is None:
            raise Refused(_words(ask, pools, target), field=f"spec.templates[{ask.name}]", target=target)
        found[ask.path] = pool
        steps.setdefault(pool.words, []).append(ask.name)
    return Choice(found, {words: tuple(names) for words, names in steps.items()})


def fits_any(ask: Ask, pools: Pools) -> bool:
    """Whether there is a pool whose nodes fit."""
    return any(fits(ask, pool) for pool in pools)


def fits(ask: Ask, pool: Pool) -> bool:
    """Whether each node of a pool has what is asked for, and lets the pod in."""
    roomy = all(size <= pool.sizes.get(name, 0) for name, size in ask.amounts.items())
    return roomy and all(_is_tolerated(taint, ask) for taint in pool.taints)


def _is_tolerated(taint: Taint, ask: Ask) -> bool:
    # Nodes with devices are usually tainted with the device's name, and Kubernetes can let in whoever asks for it.
    if taint.key in ask.amounts:
        return True
    return any(
        one.get("effect") in (None, "", taint.effect)
        and (
            one.get("key") in (None, "", taint.key)
            if one.get("operator") == "Exists"
            else (one.get("key"), one.get("value") or "") == (taint.key, taint.value)
        )
        for one in ask.tolerations
    )


def _size(pool: Pool) -> tuple[int, int, int, str]:
    devices = sum(size for name, size in pool.sizes.items() if not _is_basic(name))
    return devices, pool.sizes.get("cpu", 0), pool.sizes.get("memory", 0), pool.words


def _is_basic(name: str) -> bool:
    return name in _BASIC or name.startswith("hugepages-")


def _words(ask: Ask, pools: Pools, target: str) -> str:
    wanted = f"template {ask.name} asks for {amounts_said(ask.amounts)}"
    if not pools:
        return f"{wanted}, and {target} names no node pools"
    # The one that lacks the least of what is asked for, and of those the largest.
    lacking = {one: [name for name, size in ask.amounts.items() if size > one.sizes.get(name, 0)] for one in set(pools)}
    near = min(lacking, key=lambda one: (len(lacking[one]), [-size for size in _size(one)[1:3]], one.words))
    if not lacking[near]:
        return f"{wanted}, and tolerates no taint of {near.words}, the node pool of {target} that has that"
    has = amounts_said({name: near.sizes.get(name, 0) for name in ask.amounts})
    return f"{wanted}, and no node of {target} has that: those of its largest node pool, {near.words}, have {has}"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMED
    return " and ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
