"""What makes certificates, and what brings them to each process. Nothing is created at import."""

import datetime

from webhook.certificates.delivery import Delivery
from webhook.certificates.keeper import Keeper, Wanted
from webhook.certificates.names import names_in
from webhook.kube.client import Cluster
from webhook.settings import Issuer, Settings
from webhook.wiring.parts import front_of


def make_delivery(settings: Settings) -> Delivery | None:
    """What keeps the folder of certificates; None if somebody else does."""
    if not settings.medea_tls_secret:
        return None
    return Delivery(front_of(settings), settings.medea_namespace, settings.medea_tls_secret, settings.medea_certs)


def make_keeper(front: Cluster, settings: Settings) -> Keeper | None:
    """What makes the certificates; None if somebody else does."""
    if not settings.medea_tls_secret or settings.medea_tls_issuer is not Issuer.MEDEA:
        return None
    wanted = Wanted(
        names=names_in(settings.medea_namespace, settings.medea_tls_names or ""),
        authority_life=datetime.timedelta(seconds=settings.medea_tls_authority_life),
        life=datetime.timedelta(seconds=settings.medea_tls_life),
    )
    return Keeper(front, settings.medea_namespace, settings.medea_tls_secret, wanted)
