"""A submission that is to be split: whether that is possible, and what one item of it needs. Pure."""

from webhook.admission.submission import Submission
from webhook.model.objects import Object
from webhook.splitting.asked import NewSplit
from webhook.splitting.chunk import sliced
from webhook.splitting.shape import fanout_of


def split_of(submission: Submission, spec: Object) -> tuple[NewSplit | None, Object]:
    """What to split, and the spec to weigh: that of a chunk with one item, or `spec` itself if nothing is split.

    Raises Refused, with the field that stands in the way.
    """
    wanted = submission.split
    if wanted is None:
        return None, spec
    fanout = fanout_of(spec)
    return NewSplit(wanted, len(fanout.items)), sliced(spec, fanout, [fanout.items[0]])
