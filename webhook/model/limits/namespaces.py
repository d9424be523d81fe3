"""Limits of holds, probes and preparation."""

NAMESPACE_TIMEOUT = 2.0
"""Seconds to read a namespace at the front door: the same review must still ask a target. The same for a probe."""
NAMESPACE_LAG = 1.0
"""Seconds that a review waits for the informer to hear of its namespace: the label may be younger than the last event.
Only forged reviews and those that come with the label wait at all."""
NAMESPACE_WAITERS = 8
"""Reviews that wait so at once: each holds a thread, and forged ones would hold all of them."""
PROBE_RENEWED_AFTER = 120.0
"""Seconds after which a namespace where an Argo controller was seen is asked again: it may have been stopped since."""
PROBE_GOING = 1.0
"""Seconds until a probe is looked at again that was just being deleted, or was touched at that very moment."""
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
