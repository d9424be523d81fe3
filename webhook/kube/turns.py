"""A turn of a thread that works off a queue of keys."""

from collections.abc import Callable

import structlog

from webhook.errors import MedeaError
from webhook.kube.workqueue import WorkQueue

log = structlog.get_logger(__name__)


def take_turn(work: WorkQueue, act: Callable[[str], None], doing: str, *, wait: bool = True) -> bool:
    """Handle one key; what fails is tried again later. False if there is none: see `WorkQueue.get`.

    The keys are placements, and `doing` says in the log what is done for them.
    """
    placement = work.get(wait=wait)
    if placement is None:
        return False
    try:
        act(placement)
    except MedeaError as error:
        log.info(f"{doing} again", placement=placement, reason=error.message)
        work.add_rate_limited(placement)
    except Exception:
        # One bad placement must not stop the others.
        log.exception("bug", placement=placement)
        work.add_rate_limited(placement)
    else:
        work.forget(placement)
    finally:
        work.done(placement)
    return True
