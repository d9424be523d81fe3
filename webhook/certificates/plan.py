"""When what is due. Pure: from what is in the Secrets and a time.

A rotation of the authority takes the last third of its life. At its begin the new authority is made, and joins the
bundle of those that are trusted. Halfway to the end of the old one, the new one begins to sign. By then
all who check have long read the new bundle, even the agents of Workflows, which read theirs only once. When the old one
has ended, or nothing that it signed has been in use for a while, it leaves the bundle.
"""

import datetime
from collections.abc import Sequence

from cryptography import x509

from certs import authority, pem
from webhook.certificates.contents import Authorities, Authority, Serving
from webhook.model.limits.certificates import CERTIFICATE_RETIRED_AFTER

_LITTLE_LEFT = "less than a third of its life is left"
_OVER = "it is not valid any more"


def authority_due(known: Authorities, now: datetime.datetime) -> str | None:
    """Why a new authority must be made; None if the newest is good."""
    newest = known.newest
    if newest is None or newest.key is None:
        return known.wrong
    if not newest.can_sign(now):
        return _OVER
    return _LITTLE_LEFT if authority.spent(newest.certificate, now) else None


def kept_beside_a_new_one(
    known: Authorities, trusted: Sequence[x509.Certificate], serving: Serving | None, now: datetime.datetime
) -> Authority | None:
    """The authority that stays trusted when a new one is made: the newest, or whichever signed what is in use.

    `trusted` are those that somebody trusts now, in case the authorities themselves were lost.
    """
    if known.newest and known.newest.can_sign(now):
        return known.newest
    found = [one for one in (known.newest, known.older) if one]
    found += [Authority(one) for one in trusted if authority.is_authority(one)]
    in_use = [one for one in found if serving and one.signed(serving.certificate) and not one.expired(now)]
    return in_use[0] if in_use else None


def retired(known: Authorities, serving: Serving | None, now: datetime.datetime) -> str | None:
    """Why the older authority is not to be trusted any more; None if it is, or there is none."""
    if known.older is None:
        return None
    if known.older.expired(now):
        return _OVER
    if serving and known.newest and known.newest.signed(serving.certificate):
        age = now - serving.certificate.not_valid_before_utc
        if age.total_seconds() >= CERTIFICATE_RETIRED_AFTER:
            return "nothing that it signed is in use any more"
    return None


def bundle(newest: Authority, older: Authority | None, others: Sequence[x509.Certificate]) -> str:
    """All authorities that are trusted, as PEM; `others` are not Medea's own."""
    own = [one.certificate for one in (newest, older) if one]
    # Each once: a certificate is equal to itself, and keys of a dict keep their order.
    return "".join(pem.certificate_pem(one).decode() for one in dict.fromkeys([*own, *others]))


def handed_over(newest: Authority, older: Authority | None, now: datetime.datetime) -> bool:
    """Whether the newest authority has been trusted for long enough to sign."""
    if older is None or older.expired(now):
        return True
    begin = newest.certificate.not_valid_before_utc
    return now >= begin + (older.certificate.not_valid_after_utc - begin) / 2


def signer(newest: Authority, older: Authority | None, now: datetime.datetime, *, carried: bool) -> Authority:
    """The authority that signs now. `carried` is whether all webhook configurations trust the newest."""
    if older and older.can_sign(now) and not (carried and handed_over(newest, older, now)):
        return older
    return newest


def serving_due(
    serving: Serving,
    newest: Authority,
    older: Authority | None,
    names: authority.Names,
    now: datetime.datetime,
    *,
    carried: bool,
) -> str | None:
    """Why a new serving certificate must be made; None if it is good, or a new one would be trusted by fewer."""
    certificate = serving.certificate
    by_older = older is not None and older.signed(certificate)
    if not by_older and not newest.signed(certificate):
        return "no authority in use signed it"
    moves = by_older and signer(newest, older, now, carried=carried) is newest
    if moves and not carried and authority.valid(certificate, now):
        return None
    if authority.names_of(certificate) != names:
        return "it holds other names"
    if authority.spent(certificate, now):
        return _LITTLE_LEFT
    return "a newer authority signs now" if moves and handed_over(newest, older, now) else None
