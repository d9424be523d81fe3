"""The locks and caches that one template, or a Workflow's own spec, names."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from webhook.errors import quoted
from webhook.model import shared_names
from webhook.model.objects import mapping, mappings
from webhook.totals.scope import value_of
from webhook.totals.shape import Spec
from webhook.totals.tags import Bindings, tags_in

_OWN = frozenset({"workflow.name", "workflow.uid"})
"""Tags that differ from Workflow to Workflow: a name with one of them is shared with nobody."""


@dataclass
class Naming:
    """Collects names, and notes about those that are not known or not Medea's business. Both keep their order."""

    names: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Written:
    """One reference as it is written: what it is, and the parts of its name. The namespace may be missing."""

    kind: shared_names.Kind
    parts: tuple[object, ...]
    namespace: object = None
    in_database: bool = False


def names_anything(holder: Spec) -> bool:
    """Whether a template or a spec has a lock or a cache."""
    return bool(holder.get("synchronization")) or bool(holder.get("memoize"))


def named_by(holder: Spec, namespace: str, known: Bindings, into: Naming) -> None:
    """Add what a template or a spec in `namespace` names; `known` are the values that its tags may have."""
    for written in _written(holder):
        if any(_is_own(part) for part in written.parts):
            continue
        if written.in_database:
            into.notes[f"{_shown(written)} is kept in a database: Argo on each target must use the same one"] = None
            continue
        parts = [value_of(part, known) for part in written.parts]
        where = value_of(written.namespace or "", known)
        if where is None or None in parts:
            into.notes[f"{_shown(written)} is known only when it runs, and holds only within its target"] = None
        elif all(parts):
            into.names[_name(written.kind, where or namespace, [str(part) for part in parts])] = None


def _written(holder: Spec) -> Iterator[_Written]:
    """Each reference; malformed ones are left out, since Argo refuses them."""
    locks = mapping(holder.get("synchronization"))
    for mutex in (mapping(locks.get("mutex")), *mappings(locks.get("mutexes"))):
        if mutex.get("name"):
            in_database = mutex.get("database") is True
            yield _Written(shared_names.Kind.MUTEX, (mutex["name"],), mutex.get("namespace"), in_database)
    for semaphore in (mapping(locks.get("semaphore")), *mappings(locks.get("semaphores"))):
        reference, database = mapping(semaphore.get("configMapKeyRef")), mapping(semaphore.get("database"))
        where = semaphore.get("namespace")
        if reference.get("name") and reference.get("key"):
            yield _Written(shared_names.Kind.SEMAPHORE, (reference["name"], reference["key"]), where)
        elif database.get("key"):
            yield _Written(shared_names.Kind.SEMAPHORE, (database["key"],), where, in_database=True)
    cache = mapping(mapping(mapping(holder.get("memoize")).get("cache")).get("configMap"))
    if cache.get("name"):
        yield _Written(shared_names.Kind.CACHE, (cache["name"],))


def _name(kind: shared_names.Kind, namespace: str, parts: list[str]) -> str:
    match kind:
        case shared_names.Kind.MUTEX:
            return shared_names.mutex(namespace, *parts)
        case shared_names.Kind.SEMAPHORE:
            return shared_names.semaphore(namespace, *parts)
        case shared_names.Kind.CACHE:
            return shared_names.cache(*parts)


def _is_own(part: object) -> bool:
    return isinstance(part, str) and any(tag.strip() in _OWN for tag in tags_in(part))


def _shown(written: _Written) -> str:
    return f"{written.kind} {quoted('/'.join(str(part) for part in written.parts))}"
