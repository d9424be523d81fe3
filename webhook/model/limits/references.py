"""Limits of looking for what Workflows refer to."""

MOST_WORK = 20_000
"""Calls of templates that are followed in one Workflow, each counted where it is written and where it leads: a second
at most. So that it is one whatever is called, these count as another:"""
VALUES_PER_WORK = 15
"""so many values that a template gets, or names that are in it,"""
YAML_PER_WORK = 10
"""so many characters of a manifest,"""
ARTIFACTS_PER_WORK = 200
"""and so many of the artifacts that a round of a loop passes on. What is too much for that is looked at a second time,
without the items of its loops."""
MOST_TEMPLATES = 2000
"""Templates that are looked into in one Workflow; one whose names depend on its inputs, once for each of these."""
MOST_REFERENCES = 50
"""Objects that one Workflow may refer to and that are looked up: each takes a request to every target."""
LONGEST_VALUE = 4096
"""Characters of a value in a ConfigMap; a longer one counts as unknown: no number of rounds or pods is so long."""
LOOK_TIMEOUT = 1.0
"""Seconds for a target to say whether it has one object."""
LOOK_BUDGET = 1.0
"""Seconds that a review waits for the targets' answers, which are asked at once."""
LOOKS_AT_ONCE = 4
"""Questions under way to one target; one that hangs delays no others."""
# How old an answer may be for a review, in seconds. What was not there a second ago may have been made since.
PRESENT_TRUSTED = 60.0
ABSENT_TRUSTED = 1.0
UNKNOWN_TRUSTED = 10.0
# How long after somebody has asked, in seconds, an object is still looked for, and how often. The queue asks once a
# minute at least.
WANTED_FOR = 150.0
PRESENT_AGAIN = 60.0
ABSENT_AGAIN = 3.0
UNKNOWN_AGAIN = 15.0
TURN_EVERY = 1.0
"""Seconds between two turns of a target, in each of which it is asked about so many objects at most:"""
ASKED_IN_A_TURN = 20
MOST_REMEMBERED = 20_000
"""Answers in memory."""
MOST_WANTED = 2000
"""Objects that one target is asked about again."""
MOST_TAKEN = 20
"""ConfigMaps that may be taken along with one run, with so many bytes in all, as JSON: the ledger keeps them."""
MOST_TAKEN_BYTES = 512 * 1024
