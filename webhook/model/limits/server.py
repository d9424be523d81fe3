"""Limits of the doors."""

# For a client of the controller's metrics and health endpoints to send its request.
HEALTH_TIMEOUT = 5
SERVER_SILENCE = 3.0
"""Seconds for which a client that stops sending halfway through a request may hold a thread."""
SERVER_REQUEST = 15.0
"""Seconds for a request to arrive as a whole: as long as a submission may take in all."""
SERVER_KEEP_ALIVE = 120
"""Seconds: the apiserver keeps idle connections for 90; if the server closed them first, reviews would fail."""
SERVER_CONNECTIONS = 16_384
"""Connections at once, idle ones included; beyond that none is accepted, and no review gets through. Plugins ask once a
minute and close their connection again, so 10,000 held Workflows have about ten open; plugins of older versions keep
one open each. Apiservers and 100 API clients have some hundreds. An idle connection takes some tens of KB."""
SERVER_SPARE_FILES = 1024
"""Files and outgoing connections that a process needs beside these, under the same system limit."""
SERVER_SPARE_THREADS = 64
"""Threads of the door for logs beside those of its readers and of sessions in pods. A connection that sends nothing
holds one for five seconds, after which gunicorn puts it aside."""
SERVER_GRACE = 4
"""Seconds for requests under way when the process is told to end; it is gone within five."""
SERVER_END = 4.8
"""Seconds for all processes of `medea serve` to end: a little longer than for the requests of one."""
SERVER_REQUEST_LINE = 8190
"""Bytes of a request's first line, gunicorn's most: `kubectl exec` has the whole command there."""
