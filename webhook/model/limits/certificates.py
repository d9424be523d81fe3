"""Limits of making and delivering certificates."""

# The leader looks at the certificates at every change of theirs, and at the latest after this time; when certificates
# live for a short time, as in tests, this many times in one life. After a failure it looks again sooner.
CERTIFICATE_LOOK = 30.0
CERTIFICATE_LOOKS_PER_LIFE = 30
CERTIFICATE_RETRY = 5.0
# An authority of which nothing has been in use for this long is trusted no longer. A process that is cut off from the
# front door may show an older certificate for a while.
CERTIFICATE_RETIRED_AFTER = 3600.0
# How often each process compares its folder with the Secret, beside every change of it.
CERTIFICATE_DELIVERY = 10.0
# Between two looks for the first certificate; how often the log says that it is still missing.
CERTIFICATE_WAIT = 1.0
CERTIFICATE_WAIT_TOLD = 30.0
