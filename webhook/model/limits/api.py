"""Limits of the API and its calls to argo-server."""

SAMPLES_PATIENCE = 2.0
"""Seconds for which a question to the scout waits until the quotas of a namespace have been read for the first time."""
SUBMIT_TIMEOUT = 15.0
"""Seconds for a submission to the front door, which includes Medea's own review of it."""
ARGO_SERVER_CONNECT = 1.0
ARGO_SERVER_READ = 12.0
"""Seconds for argo-server's answer: it writes through the apiserver, which waits for Medea's own review."""
SLOT_WAIT = 1.0
"""Seconds to wait for a slot among the calls that lead to a review by Medea itself."""
LONGEST_IDENTITY = 128
"""Characters of the name on whose behalf a caller submits."""
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes: Kubernetes' objects have at most 1.5 MiB, and a review may contain one twice."""
MOST_DRAINED = 32 * 1024 * 1024
"""Bytes that are read of a body that is too large: a client that is cut off while it writes never sees the answer."""
TRACK_GOING = 5
"""Seconds until a plugin asks again about a Workflow whose run is about to start."""
TRACK_QUEUED = 20
"""Seconds, roughly, until it asks again about a queued one: the message that says what it waits for may be this old."""
TRACK_RUNNING = 60
"""Seconds, roughly, until it asks again about a running one: 10,000 of them make 170 requests a second. The end of a
run is written into the origin at once, so nothing waits for this."""
TOKENS_TRUSTED = 60.0
"""Seconds for which a token that was valid is trusted without asking again, even if it is revoked meanwhile."""
TOKENS_KEPT = 4096
"""Tokens that are remembered: one per namespace, or two while they are rotated."""
