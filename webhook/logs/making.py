"""Makes this room's parts for the two processes: the endpoint for the service, the mirror for the controller."""

from webhook.clusters.client import Cluster
from webhook.clusters.registry import Registry
from webhook.dispatch.controller import Known
from webhook.ledger.pool import Pool
from webhook.logs.access import Access
from webhook.logs.endpoint import Endpoint
from webhook.logs.keeper import Keeper
from webhook.logs.mirror import Mirror
from webhook.logs.reader import Reader
from webhook.logs.streams import Streams


def make_endpoint(front: Cluster, registry: Registry, pool: Pool, *, most: int) -> Endpoint:
    """What answers for the logs of mirrored pods, `most` of them at once."""
    return Endpoint(Reader(front, registry, pool), Access(front), Streams(most))


def make_mirror(front: Cluster, registry: Registry, known: Known, *, host: str, port: int, sweep: float) -> Mirror:
    """What keeps the mirrored pods; `host` and `port` are where the front door's apiserver finds the endpoint."""
    keeper = Keeper(front, host=host, port=port, registered=registry.names)
    return Mirror(front=front, registry=registry, known=known, keeper=keeper, sweep=sweep)
