"""Finds what a submitted Workflow refers to besides templates, who has it, and what goes along with the run.

Values that parameters take from ConfigMaps count in the totals where they are the same wherever the Workflow may run:
on all targets that are not filtered out, or, of a ConfigMap that goes along, at the front door.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from webhook.admission.gather import Gathered
from webhook.errors import NotAllowed, Refused
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import CONFIG_MAPS, SUBJECT_ACCESS_REVIEWS, is_name
from webhook.model.contract import TAKE_ALONG, TAKEN_KINDS
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import TEMPLATE_TIMEOUT, TEMPLATES_BUDGET
from webhook.model.limits.references import MOST_TAKEN, MOST_TAKEN_BYTES
from webhook.model.objects import Object, labels, status_of
from webhook.model.submitter import Submitter
from webhook.namespaces.hold import OptedIn
from webhook.references.collect import Collected, collect
from webhook.references.look import seen_parameters
from webhook.references.model import Kind, Reference, References, Seen
from webhook.references.presence import Presence
from webhook.references.sources import Values, agreed, reading
from webhook.references.taken import as_taken, copy_of, renamed, size_of
from webhook.totals.shape import Spec


@dataclass(frozen=True)
class Referred:
    """`needs` are what a target must have, `taken` the ConfigMaps that go along, `values` what is known of parameters.

    `notes` say what of the totals is not known, `hints` why something does not go along.
    """

    needs: References = ()
    taken: tuple[Object, ...] = field(default=(), repr=False)
    values: Values = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


NOTHING_REFERRED = Referred()


@dataclass(frozen=True)
class Referring:
    """Looks at the front door and the targets. What targets answer is remembered by `presence`."""

    front: Cluster
    registry: Registry
    presence: Presence

    def look(
        self,
        spec: Spec,
        found: Gathered,
        space: OptedIn,
        *,
        makes: Collection[tuple[str, str]],
        only: tuple[str, ...] | None,
        who: Submitter,
        latest: Deadline,
    ) -> Referred:
        """What the Workflow refers to. `makes` are kinds and names of what it makes itself.

        Raises Refused for more than may go along, and Unavailable if the front door does not answer in time.
        """
        collected = _without(collect(spec, found.library), makes)
        if not collected.needs and not collected.sources:
            return replace(NOTHING_REFERRED, notes=collected.notes)
        taken, hints = self._taken(collected, space, who, latest)
        needs = _without(_left(spec, found, taken), makes).needs if taken else collected.needs
        targets = sorted(name for name in self.registry.names() if only is None or name in only)
        asked = tuple(one for one in reading(collected.sources) if one.name not in taken)
        self.presence.look(space.name, tuple(dict.fromkeys((*needs, *asked))), targets, latest)
        values, differ = agreed(collected.sources, self._places(space.name, collected, needs, taken, targets))
        return Referred(needs, tuple(taken.values()), values, (*collected.notes, *differ), tuple(hints))

    def _places(
        self,
        namespace: str,
        collected: Collected,
        needs: References,
        taken: Mapping[str, Object],
        targets: Iterable[str],
    ) -> Iterable[Mapping[str, Seen | None]]:
        """What is known of ConfigMaps with values, for each target that does not lack anything."""
        lacking = self.presence.shortfalls(namespace, needs, targets)
        read = reading(collected.sources)
        for target in targets:
            if target in lacking and lacking[target].lacks:
                continue
            yield {
                one.name: seen_parameters(taken[one.name], one)
                if one.name in taken
                else self.presence.seen(namespace, one, target)
                for one in read
            }

    def _taken(
        self, collected: Collected, space: OptedIn, who: Submitter, latest: Deadline
    ) -> tuple[dict[str, Object], list[str]]:
        """The ConfigMaps that go along, by name, and why others do not."""
        if labels(space.object).get(TAKE_ALONG) != TAKEN_KINDS:
            return {}, []
        named = {one.name: one for one in (*reading(collected.sources), *collected.needs) if _may_be_taken(one)}
        taken, hints = dict[str, Object](), list[str]()
        deadline = latest.within(TEMPLATES_BUDGET)
        for name in sorted(named.keys() - collected.locks):
            if len(taken) >= MOST_TAKEN:
                raise Refused(f"it refers to more than {MOST_TAKEN} ConfigMaps, which is the most that go along")
            try:
                config_map = self._read(space.name, name, deadline)
            except NotAllowed:
                hints.append(_not_given(space.name))
                break
            if config_map is None:
                continue
            if not self._may_read(space.name, name, who, deadline):
                hints.append(f"ConfigMap {name} does not go along: {who.user} may not get it at the front door")
                continue
            one = named[name]
            seen = seen_parameters(config_map, one) if one in collected.needs and one.keys else Seen(True)
            if seen.there is False:
                hints.append(f"ConfigMap {name} does not go along: at the front door {seen.words}")
                continue
            taken[name] = as_taken(config_map)
        if size_of(taken.values()) > MOST_TAKEN_BYTES:
            words = f"the ConfigMaps {', '.join(taken)} are larger than {MOST_TAKEN_BYTES} bytes together"
            raise Refused(f"{words}, which is the most that goes along: have them on the target")
        return taken, hints

    def _read(self, namespace: str, name: str, deadline: Deadline) -> Object | None:
        timeout = deadline.timeout(TEMPLATE_TIMEOUT, f"to read ConfigMap {name}")
        return self.front.find(CONFIG_MAPS, namespace, name, read_timeout=timeout)

    def _may_read(self, namespace: str, name: str, who: Submitter, deadline: Deadline) -> bool:
        """Whether who submits may read a ConfigMap at the front door: nobody gets more by a run than without."""
        timeout = deadline.timeout(TEMPLATE_TIMEOUT, f"to ask whether {who.user} may read ConfigMap {name}")
        about = {"namespace": namespace, "verb": "get", "group": "", "resource": CONFIG_MAPS.plural, "name": name}
        spec = {"user": who.user, "groups": list(who.all_groups), "resourceAttributes": about}
        review = self.front.create(SUBJECT_ACCESS_REVIEWS, None, {"spec": spec}, read_timeout=timeout)
        return status_of(review).get("allowed") is True


def _left(spec: Spec, found: Gathered, taken: Mapping[str, Object]) -> Collected:
    """What is still needed on a target if these go along, as where a parameter fills in one of their names."""
    names = {name: str(copy_of(one)["metadata"]["name"]) for name, one in taken.items()}
    library = {name: renamed(one, names) for name, one in found.library.items()}
    return _without(collect(renamed(spec, names), library), {(str(Kind.CONFIG_MAP), name) for name in names.values()})


def _without(collected: Collected, there: Collection[tuple[str, str]]) -> Collected:
    return replace(collected, needs=tuple(one for one in collected.needs if (str(one.kind), one.name) not in there))


def _may_be_taken(reference: Reference) -> bool:
    return reference.kind is Kind.CONFIG_MAP and not reference.elsewhere_too and is_name(reference.name)


def _not_given(namespace: str) -> str:
    return (
        "no ConfigMap goes along, since Medea may not read them at the front door: bind ClusterRole medea-take-along "
        f"to its account medea-webhook in namespace {namespace}"
    )
