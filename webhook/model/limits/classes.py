"""Limits of the door for job classes, and of its workers."""

LONGEST_CLASS = 40
"""Characters of a class' name: it is in the names of queues, labels and Workflows."""
MOST_CLASSES = 50
MOST_ROWS = 10**15
"""Rows of one job; beyond that a double could not count them."""
LONGEST_RUNTIME = 1e9
"""Seconds: some thirty years."""
MOST_DATA = 64 * 1024
"""Bytes of a job's `data`, as JSON. It becomes a parameter of its Workflow, or the input of its command."""
LONGEST_NUMBER = 400
"""Digits of a number in a body: more than any that is accepted, and few enough to read at once."""
MOST_DELIVERIES = 100

CLASSES_THREADS = 64
"""Requests that the door serves at once."""
RESULTS_TIME = 3600.0
"""Seconds that a caller may take to download what a job has left."""
CLASSES_WORKERS = 4
"""Threads that submit and follow jobs."""
TAKE_MOST = 100
"""Jobs that are taken from the ledger at once."""
RETIRE_MOST = 500
"""Old jobs that are marked for removal at once."""
CLEAN_BATCH = 100
"""Old jobs that are read at once, to be removed."""
HELD_UP_AFTER = 60.0
"""Seconds after which a job that was submitted and has no Workflow counts as held up."""
OUTBOX_TURN = 1.0
"""Seconds between two looks for jobs to publish, if nobody says that there is one."""
PUBLISH_AGAIN = 15.0
"""Seconds after which a job is published once more, if RabbitMQ has not confirmed it."""
MISSED_AFTER = 60.0
"""Seconds after which a published job that no worker has begun is published once more, if its queue is empty."""
RETRY_FIRST = 1.0
RETRY_LONGEST = 60.0
"""Seconds until a job whose command has failed is published again: they double up to this."""

LEASE = 30.0
"""Seconds for which a worker holds a job, renewed meanwhile. After that another one may begin it."""
LEASE_MARGIN = 10.0
"""Seconds before the end of a lease at which a worker that could not renew it ends its command."""
HEARTBEAT = 5.0
"""Seconds between two renewals."""
COMMAND_END = 10.0
"""Seconds that a command has to end after SIGTERM, before it is killed."""
LONGEST_WORDS = 2000
"""Characters of what a command has said last that are kept as the reason of its failure."""
WORKER_PAUSE = 2.0
"""Seconds that a worker waits before it tries again what RabbitMQ or the ledger did not answer."""
WATCHED = 0.5
"""Seconds between two looks at a command that runs."""
