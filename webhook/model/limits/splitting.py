"""Limits of Workflows that are split into chunks."""

MOST_ITEMS = 100_000
"""Items of one fan-out. Their results have to fit into one object in the end."""
LONGEST_ITEMS = 2**22
"""Characters of all items of a sequence with a format: more is larger than a Workflow may be."""
MOST_CHUNKS = 1000
"""Chunks of one Workflow: all of them are looked at when one of them changes."""
AHEAD = 2
"""Chunks at the front door that wait for room. The others stay uncut, so that targets which join get some of them."""
AT_ONCE = 20
"""Chunks that are created in one go, before others have their turn."""
SLOW_FACTOR = 3.0
"""A chunk is slow if an item takes so many times as long there as it does in half of the chunks that have ended."""
SLOW_LEAST = 60.0
"""Seconds that a chunk may take in any case."""
MOST_MOVES = 3
"""How often the same items may be taken elsewhere."""
LONGEST_CHUNK_NAME = 63
"""A name that is also the value of a label."""
MOST_SPANS = 5
"""Runs of items that a chunk is shown with; one that was moved may have thousands."""
ORIGINALS_KEPT = 32
"""Workflows that are split and under way, of which a process keeps in mind what their user sent."""
MOST_FOLLOWED = 100
"""Workflows that are split of whose chunks a process keeps in mind in which version it has seen them."""
