"""Split Workflows in the world of the faults: real admission, ledger and controllers, clusters in memory."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kubernetes.client import Configuration

from tests.faults.argo import FrontArgo
from tests.faults.ledger import LedgerServer
from tests.faults.network import PEOPLE
from tests.faults.world import World
from tests.splitting.argo import FAILS, SECONDS, FanoutArgo
from tests.splitting.fanouts import PARAMETER, steps
from webhook.kube.client import Cluster
from webhook.kube.resources import NAMESPACES, WORKFLOWS
from webhook.ledger import splits
from webhook.ledger.splits import Chunk
from webhook.model.contract import CHUNKS, PLACEMENT, SPLIT, SPLIT_OF
from webhook.splitting.cut import positions_of

Object = dict[str, Any]
FINAL = ("Succeeded", "Failed", "Error")


class SplitWorld(World):
    """Somebody submits fan-outs into `bare` (hold none) or `plug`. `ran` counts what was carried out, anywhere."""

    def __init__(self, ledger: LedgerServer, seed: int = 0) -> None:
        super().__init__(ledger, seed)
        self.ran: Counter[tuple[str, str]] = Counter()
        self.argos = {name: FanoutArgo(fake, self.ran) for name, fake in self.targets.items()}
        self._argos = [*self.argos.values(), FrontArgo(self.front, "plug")]
        self._person = Cluster("front", Configuration(), http=self.front.as_user(PEOPLE[0]))

    @contextlib.contextmanager
    def alive(self) -> Iterator["SplitWorld"]:
        """Everything set up."""
        with super().alive():
            yield self

    def submit(
        self,
        split: str = "4",
        *,
        items: int = 8,
        namespace: str = "bare",
        name: str = "whole",
        seconds: int = 4,
        fails: str = "none",
        cpu: str = "1",
        **annotations: str,
    ) -> Object:
        """A person submits a fan-out; raises what they would be told."""
        spec = steps(withSequence={"count": str(items)}, outputs={"parameters": [ALL]})
        spec["templates"][1]["container"]["resources"]["limits"]["cpu"] = cpu
        spec["arguments"] = {"parameters": [{"name": SECONDS, "value": str(seconds)}, {"name": FAILS, "value": fails}]}
        notes = {SPLIT: split, **{f"medea.dev/{key}": value for key, value in annotations.items()}}
        body = {"metadata": {"name": name, "labels": {"test/whole": name}, "annotations": notes}, "spec": spec}
        return self._person.create(WORKFLOWS, namespace, body)

    def change(self, verb: str, name: str = "whole", namespace: str = "bare") -> bool:
        """A person does something to it."""
        return self.users.do(verb, self.origin(name, namespace))

    def origin(self, name: str = "whole", namespace: str = "bare") -> Object:
        """It, at the front door."""
        found = self.front.get(WORKFLOWS, namespace, name)
        assert found is not None
        return found

    def parts(self, namespace: str = "bare") -> list[Object]:
        """The Workflows of all chunks at the front door."""
        found = self.front.all(WORKFLOWS, namespace)
        return [one for one in found if SPLIT_OF in (one["metadata"].get("labels") or {})]

    def chunks(self, name: str = "whole", namespace: str = "bare") -> list[Chunk]:
        """Its chunks in the ledger."""
        placement = self.origin(name, namespace)["metadata"]["annotations"][PLACEMENT]
        return splits.chunks(self.service.pool, placement)

    def positions(self, name: str = "whole", namespace: str = "bare") -> list[int]:
        """All positions that are in chunks."""
        return sorted(one for chunk in self.chunks(name, namespace) for one in positions_of(list(chunk.spans)))

    def chunks_move(self, namespace: str = "bare") -> None:
        """The namespace wants chunks to be taken from targets that are lost or slow."""
        self.front.change(NAMESPACES, None, namespace, {"metadata": {"labels": {CHUNKS: "move"}}})

    def until_end(self, name: str = "whole", namespace: str = "bare", *, seconds: float = 900) -> Object:
        """Let time pass until it has ended; its status."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.wait(2)
            status = self.origin(name, namespace).get("status") or {}
            if status.get("phase") in FINAL:
                return dict(status)
        raise AssertionError(f"it has not ended: {self.origin(name, namespace).get('status')}")

    def node(self, shown: str, name: str = "whole", namespace: str = "bare") -> Object:
        """The node of it that is shown under this name."""
        nodes = (self.origin(name, namespace).get("status") or {}).get("nodes") or {}
        found = [one for one in nodes.values() if one.get("displayName") == shown]
        assert len(found) == 1, (shown, [one.get("displayName") for one in nodes.values()])
        return dict(found[0])

    def once_each(self, items: int, name: str = "whole") -> None:
        """Each item was carried out exactly once."""
        assert {item: count for (whole, item), count in self.ran.items() if whole == name} == {
            str(number): 1 for number in range(items)
        }


ALL = {"name": "all", "valueFrom": {"parameter": PARAMETER}}
