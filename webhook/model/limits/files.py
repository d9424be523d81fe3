"""Limits of the door for jobs with files."""

MIB = 1024 * 1024

MOST_FILES = 1000
"""Files of one upload, and of one zip among them."""
MOST_PARTS = MOST_FILES + 16
"""Parts of one multipart body: the files, and fields."""
TOTAL_FACTOR = 4
"""An upload as a whole may have so many times the bytes of one file."""
LONGEST_NAME = 255
"""Bytes of a file's name, as file systems take them."""
LONGEST_FIELD = 1024
"""Bytes of a field's value."""
LONGEST_USER = 128
"""Characters of `user_id`."""
LONGEST_SERVICE = 40
"""Characters of a service's name: the names of its Workflows begin with it, and Argo takes 63 for those."""
LARGEST_ID = 2**63 - 1
"""Of a job: Postgres' largest bigint."""

MOST_ZIPPED = 10 * MOST_FILES
"""Files in all zips of one upload: each is looked at."""
INSPECTED = 64 * MIB
"""Bytes: a zip that unpacks to less is let through however well it is packed."""
MOST_PACKED = 100
"""How many times larger than itself a zip may unpack beyond that. Text is packed some ten times, a bomb a thousand."""

ENTRY_KEPT = 700
"""Bytes of memory, beside its name, that a file takes in the directory of a zip that is made."""
MOST_ENTRIES_KEPT = 48 * MIB
"""Bytes of memory that the directory of one results.zip may take: some 60,000 files."""
LONGEST_HEADER = 256 * 1024
"""Bytes before a file's content in the .tgz of results: its name, and whatever else is said of it."""

PIECE = 64 * 1024
"""Bytes that are read at once."""
STORE_PART = 5 * MIB
"""Bytes that are sent to S3 at once and kept in memory until then: the least that S3 takes. It takes 10,000 of them."""
STORE_CONNECT = 3.0
STORE_READ = 30.0
"""Seconds for S3 to answer one attempt of one call."""
STORE_ATTEMPTS = 3
STORE_CONNECTIONS = 64

UPLOAD_SLOT_WAIT = 120.0
"""Seconds that an upload waits until fewer are received at once; the client's bytes wait in its own machine."""
CLIENT_SILENCE = 30.0
"""Seconds that a client who is known may fall silent within an upload or a download."""
ABANDONED_AFTER = 300.0
"""Seconds beyond the longest upload after which one that has not ended is cleaned up: its process is gone."""

FILES_THREADS = 96
"""Requests that the door serves at once; most wait for a slot or a client."""
FILES_WORKERS = 4
"""Threads that submit and follow jobs. Jobs of one user and service go one after the other."""
HELD_UP_AFTER = 60.0
"""Seconds after which a job that was taken from its queue and has no Workflow counts as held up."""
CLEAN_BATCH = 100
"""Old jobs that are read at once, to be removed."""
RETIRE_MOST = 500
"""Jobs that one sweep marks as old at most."""
TAKE_MOST = 50
"""Jobs of one user and service that are taken from the queue at once."""
LOOK_MOST = 100
"""Submitted jobs that are read at once, to be looked at again."""
