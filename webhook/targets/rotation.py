"""Renews each target's token before it expires. Used only by the controller that leads.

The account on the target may ask for tokens of its own, and for no others. A new token is tried before the Secret is
changed; the old one stays valid until its end, so it does not matter how soon other processes hear of the new one.
"""

import structlog
from prometheus_client import Counter, Gauge

from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.kubeconfig import configuration_of, kubeconfig_of
from webhook.kube.per_target import PerTarget
from webhook.kube.registry import Connect, Registry, connect_target
from webhook.kube.resources import SECRETS, SELF_REVIEWS
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.targets import TOKEN_LOOK, TOKEN_SECONDS
from webhook.model.objects import Object
from webhook.targets.credentials import life_of, secret_data, with_token
from webhook.targets.imports import is_imported

log = structlog.get_logger(__name__)
_EXPIRES = Gauge(
    "medea_target_credentials_expire_time_seconds", "Unix time at which a target's credentials expire", ["cluster"]
)
_RENEWALS = Counter("medea_target_token_renewals_total", "Attempts to renew a target's token", ["cluster", "outcome"])


class Rotation:
    """Looks at each target's token in a thread of its own. `space` is the namespace of the Secrets."""

    def __init__(
        self,
        front: Cluster,
        registry: Registry,
        space: str,
        *,
        connect: Connect = connect_target,
        now: Now = utc_now,
    ) -> None:
        self._front, self._registry, self._space = front, registry, space
        self._connect, self._now = connect, now
        self._targets = PerTarget("rotation", registry, self.turn, gone=_forget)

    def start(self) -> None:
        """Start looking."""
        self._targets.start()

    def stop(self) -> None:
        """Stop looking."""
        self._targets.stop()

    def turn(self, target: str, cluster: Cluster) -> float:
        """Renew one target's token if half of its life is over. Returns the seconds until the next look."""
        secret = self._registry.secret(target)
        try:
            if secret is not None:
                self._look(target, cluster, secret)
        except MedeaError as error:
            _RENEWALS.labels(target, "failed").inc()
            log.warning("token not renewed", cluster=target, reason=error.message)
        return TOKEN_LOOK

    def _look(self, target: str, cluster: Cluster, secret: Object) -> None:
        config = kubeconfig_of(secret)
        life = life_of(config)
        if life is None:
            return
        _EXPIRES.labels(target).set(life.ends.timestamp())
        if life.account is None or is_imported(secret) or self._now() < life.half:
            return
        fresh = with_token(config, cluster.request_token(*life.account, TOKEN_SECONDS))
        metadata = secret["metadata"]
        self._try(target, {"metadata": metadata, "data": secret_data(fresh)})
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "data": secret_data(fresh)}
        self._front.patch(SECRETS, self._space, metadata["name"], patch)
        _RENEWALS.labels(target, "renewed").inc()
        log.info("token renewed", cluster=target, secret=metadata["name"])

    def _try(self, target: str, secret: Object) -> None:
        """Make sure that the target accepts new credentials. Raises what it answers."""
        # Not closed: that would remove the target from the metrics. Its one connection goes with it.
        cluster = self._connect(target, configuration_of(secret))
        cluster.create(SELF_REVIEWS, None, {"metadata": {}})


def _forget(target: str) -> None:
    _EXPIRES.remove(target)
    _RENEWALS.remove_by_labels({"cluster": target})
