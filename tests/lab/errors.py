"""The one error that the laboratory raises for things a person can act on."""


class LabError(Exception):
    """Something a person can act on; the message says what."""
