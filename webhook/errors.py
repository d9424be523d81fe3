"""Every error that Medea raises on purpose.

    MedeaError
    ├── BadRequest              your request is wrong: not JSON, a field missing or of the wrong kind      400
    │   └── TooLarge            your request is larger than Medea reads                                    413
    ├── Unauthenticated         it is not known who you are: no token, or one that is not valid            401
    ├── Forbidden               you may not do this                                                        403
    ├── Missing                 what you name does not exist                                               404
    ├── NoRoom                  it would fit, but no target has room now                                   409
    ├── Refused                 your Workflow is wrong: a parameter, an annotation, more than any target   422
    ├── Rejected                a cluster refused what Medea sent, with its own words                      422
    │   ├── NotThere            the object is not on that cluster                                          404
    │   ├── QuotaExceeded       a quota has no room for one more object now                                403
    │   ├── NotAccepted         the target does not accept work from this namespace                        403
    │   │   └── NamespaceGoes   that namespace is being deleted there, and may be made anew
    │   ├── NotPermitted        the target does not permit it to the submitter                             403
    │   └── Clash               it conflicts with what exists                                              409
    │       ├── AlreadyExists   the name is taken
    │       └── Conflict        the object has changed since it was read, or was replaced
    └── Unavailable             something Medea needs did not answer; the same call may succeed later      503
        ├── LedgerUnavailable
        │   └── LedgerBusy      it answers, but all connections to it are in use
        ├── ClusterUnavailable
        │   ├── Expired         the version to resume from is too old: list again
        │   └── Blocked         the cluster answers, but only a person there can let Medea go on
        │       └── NotAllowed  a right is missing there; what was asked for was certainly not done
        ├── ArgoServerUnavailable
        ├── SamplesUnavailable
        ├── StoreUnavailable    the S3 store of a door did not answer, or refused
        ├── BrokerUnavailable   RabbitMQ did not answer, or did not confirm that it has a message
        │   ├── NoQueue         it answers, but nobody has declared that queue
        │   └── NotTaken        it answers, but that queue is full or different, or Medea may not use it
        └── Busy                Medea is doing as much of this at once as it may                           429

Anything else that escapes is a bug. Over HTTP each becomes `{"error": {"code", "message", …}}`.
"""

from typing import Any

_SHOWN = 120
"""Foreign text is cut to this many characters in messages and logs."""
_LONGEST_NAME = 1000
"""Names of fields are, since they may be long paths."""


def quoted(value: object) -> str:
    """A foreign value made safe for a message: quoted, printable and cut."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def named(field: str) -> str:
    """The name of a field, which may be a stranger's: of one line, and cut. What is long is a path in most cases."""
    safe = field if field.isprintable() else quoted(field)
    return safe if len(safe) <= _LONGEST_NAME else safe[: _LONGEST_NAME - 1] + "…"


class MedeaError(Exception):
    """The root. `status` is the HTTP status, `code` a stable identifier for programs."""

    status = 500
    code = "internal"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def as_json(self) -> dict[str, Any]:
        """The JSON format of all errors."""
        return {"error": {"code": self.code, "message": self.message, **self.details}}


class BadRequest(MedeaError):
    status, code = 400, "bad_request"


class TooLarge(BadRequest):
    status, code = 413, "too_large"


class Unauthenticated(MedeaError):
    status, code = 401, "unauthenticated"


class Forbidden(MedeaError):
    status, code = 403, "forbidden"


class Missing(MedeaError):
    status, code = 404, "not_found"


class NoRoom(MedeaError):
    status, code = 409, "no_room"


class Refused(MedeaError):
    status, code = 422, "refused"


class Rejected(MedeaError):
    status, code = 422, "rejected_by_cluster"


class NotThere(Rejected):
    status, code = 404, "not_found"


class QuotaExceeded(Rejected):
    status, code = 403, "quota_exceeded"


class NodesUnknown(Rejected):
    code = "nodes_unknown"


class NotAccepted(Rejected):
    status, code = 403, "not_accepted"


class NamespaceGoes(NotAccepted):
    pass


class NotPermitted(Rejected):
    status, code = 403, "not_permitted"


class Clash(Rejected):
    status, code = 409, "conflict"


class AlreadyExists(Clash):
    code = "already_exists"


class Conflict(Clash):
    pass


class Unavailable(MedeaError):
    status, code = 503, "unavailable"


class LedgerUnavailable(Unavailable):
    code = "ledger_unavailable"


class LedgerBusy(LedgerUnavailable):
    pass


class ClusterUnavailable(Unavailable):
    code = "cluster_unavailable"


class Expired(ClusterUnavailable):
    pass


class Blocked(ClusterUnavailable):
    code = "blocked_by_cluster"


class NotAllowed(Blocked):
    code = "not_allowed_by_cluster"


class ArgoServerUnavailable(Unavailable):
    code = "argo_server_unavailable"


class SamplesUnavailable(Unavailable):
    code = "samples_unavailable"


class StoreUnavailable(Unavailable):
    code = "store_unavailable"


class BrokerUnavailable(Unavailable):
    code = "broker_unavailable"


class NoQueue(BrokerUnavailable):
    code = "no_queue"


class NotTaken(BrokerUnavailable):
    code = "not_taken"


class Busy(Unavailable):
    status, code = 429, "busy"


def wrong_field(error: type[MedeaError], field: str, value: object, expected: str) -> MedeaError:
    """An error that names the field, its value, and what was expected."""
    field = named(field)
    return error(f"{field} is {quoted(value)}: {expected}", field=field, value=quoted(value), expected=expected)
