"""Limits of node placement."""

MOST_POOLS = 100
"""Node pools of one target."""
LONGEST_NOTE = 64 * 1024
"""Characters of the annotation with a target's node pools."""
LONGEST_YAML = 256 * 1024
"""Characters of a Workflow in YAML, which is slow to parse; JSON may be as long as any body."""
LONGEST_PATCHES = 64 * 1024
"""Characters of all patches of one Workflow's pods that are read: in YAML they take some tenths of a second."""
MOST_NAMED = 5
"""Steps that are named in what people read of where the steps go."""
ASK_TIMEOUT = 15.0
"""Seconds for the front door to say where a Workflow would go: its webhook may take 10."""
LARGEST_MESSAGE = 2 * 1024 * 1024
"""Bytes of a message with a Workflow. Of a larger one so much becomes a dead letter."""
LONGEST_HEADERS = 16 * 1024
"""Characters of a question's headers that are kept in its dead letter: all must go into one frame of 128 KiB."""
LONGEST_HEADER_NAME = 255
"""Bytes; no name in AMQP has more. One that is no UTF-8 is longer as text than it was."""
LONGEST_REASON = 1000
"""Characters of the header of a dead letter that says why it is one."""
