"""Limits of holds, probes and preparation."""

NAMESPACE_TIMEOUT = 2.0
"""Seconds to read a namespace or its probe at the front door: the same review must still ask a target."""
NAMESPACE_LAG = 1.0
"""Seconds that a review waits for the informer to hear of its namespace: the label may be younger than the last event.
Only forged reviews and those that come with the label wait at all."""
NAMESPACE_WAITERS = 8
"""Reviews that wait so at once: each holds a thread, and forged ones would hold all of them."""
QUIET_REMEMBERED = 120.0
"""Seconds for which a namespace counts as quiet after its probe has vanished: `argo delete --all` deletes it too, and a
new probe tells nothing until it has been left alone for a while."""
PROBE_RENEWED_AFTER = QUIET_REMEMBERED + 10.0
"""Seconds for which a probe that was taken up is left there before a new one is made, in case that controller has been
stopped since. Longer than QUIET_REMEMBERED: while the new one is still untouched, no webhook may remember the quiet of
before. The rest is for a review that was under way."""
PREPARE_BUDGET = 6.0
"""Seconds to prepare a namespace, which takes six small writes."""
PREPARED_PATIENCE = 4.0
"""Seconds for which the first submissions to a namespace wait until the controller has prepared it."""
PREPARED_LOOK = 0.1
"""Seconds between two looks of that wait; one review looks for all that wait."""
PREPARE_TIMEOUT = 2.0
"""Seconds for one of these writes."""
PREPARED_REMEMBERED = 300.0
"""Seconds until a namespace is prepared again, in case somebody deleted its accounts."""
