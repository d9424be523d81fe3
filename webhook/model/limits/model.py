"""Limits of objects, nodes and JSON of any kind."""

DEEPEST_JSON = 200
"""Levels of objects and lists that are read of any JSON: no real manifest is nested deeper, and Python's own functions
give up at a thousand calls, less those that led to them."""
MOST_UNPACKED = 32 * 1024 * 1024
"""Bytes. An object in etcd has at most 1.5 MB; packed nodes of a real one never unpack to more than this."""
MOST_UNPACKED_VALUES = 600_000
"""Values in the unpacked nodes: about 20,000 nodes. Each value takes some hundred bytes of memory, and 80 KB of packed
text can hold 20 million of them, enough to kill the process."""
LARGE_NODES = 700 * 1024
"""Characters of JSON above which nodes are packed: with the rest of the object they must stay below Argo's mebibyte."""
LONGEST_TEMPLATES = 64 * 1024
"""Characters of JSON of a run's templates that its origin shows, for the same reason; of others there is the name."""
PLAIN_VERBS = 2048
"""Characters up to which the annotation with verbs stays readable JSON; longer ones are packed."""
LONGEST_VERBS = 180 * 1024
"""Characters of that annotation: all annotations of an object together may have 256 KiB."""
LONGEST_MADE_MESSAGE = 300
"""Characters that are shown of the message of a Workflow that a run has made; kept in memory for each of them."""
SHARED_NAME_LONGEST = 300
"""Characters of a lock's or cache's name in the ledger: an entry of an index in Postgres has at most 2,704 bytes."""
SHARED_NAME_SHOWN = 60
"""Characters of it that people are shown."""
MADE_READ = 128 * 1024
"""Characters of manifests in one spec that are read for what they make, those in manifests counted again: of the most
expensive YAML some tenths of a second. It is done for each dry run."""
