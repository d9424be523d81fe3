"""Locks that let one template run at a time."""

from collections.abc import Iterable, Iterator

from webhook.model.objects import mapping, mappings
from webhook.totals.need import NO_NEED
from webhook.totals.profile import Profile, in_turn
from webhook.totals.scope import value_of
from webhook.totals.shape import Spec
from webhook.totals.tags import Bindings


def lock_of(template: Spec, known: Bindings) -> str | None:
    """A mutex that a template takes, if its name is known; None if it takes none. `known` are its own inputs.

    A daemon gives its locks back as soon as it is ready. How many hold a semaphore is known only on the target.
    """
    if template.get("daemon") is True:
        return None
    written = mapping(template.get("synchronization"))
    for mutex in (mapping(written.get("mutex")), *mappings(written.get("mutexes"))):
        name, namespace = value_of(mutex.get("name"), known), value_of(mutex.get("namespace", ""), known)
        if name and namespace is not None:
            return f"{namespace}/{name}"
    return None


def one_at_a_time(works: Iterable[tuple[Profile, int]]) -> Iterator[tuple[Profile, int]]:
    """The parts of rounds that exclude each other. What each leaves running goes on beside the others."""
    every = list(works)
    yield in_turn(work.leaving(NO_NEED) for work, _ in every), 1
    yield from ((Profile(left=work.left), count) for work, count in every)
