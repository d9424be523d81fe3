"""Results as an answer: the `results.zip` that is made while it is sent."""

from collections.abc import Iterator

import structlog
from flask import Response

from webhook.doors.results import as_zip
from webhook.doors.store import Reading
from webhook.errors import Unavailable
from webhook.logs.endpoint import BrokeOff

log = structlog.get_logger(__name__)
HEADERS = {"Content-Disposition": 'attachment; filename="results.zip"'}
MIMETYPE = "application/zip"


def zip_answer(packed: Reading, job: int | str) -> Response:
    """The files that a job has left, which are read while they are sent, and closed then."""
    return Response(_streamed(packed, job), mimetype=MIMETYPE, headers=HEADERS)


def _streamed(packed: Reading, job: int | str) -> Iterator[bytes]:
    """The zip. If it can't go on, the connection is cut, so that nobody takes half of it for the whole."""
    try:
        yield from as_zip(packed)
    except Unavailable as error:
        log.warning("a download broke off", job=job, reason=error.message)
        raise BrokeOff(error.message) from error
    finally:
        packed.close()
