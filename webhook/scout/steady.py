"""The clock that the ages of samples are measured by."""

import time

_BEGAN, _BEGAN_MONOTONIC = time.time(), time.monotonic()


def steady_time() -> float:
    """Unix seconds as this machine knew them when the process began, and from then on at an even pace.

    Setting the machine's clock changes nothing, so that a sample never gets younger.
    """
    return _BEGAN + time.monotonic() - _BEGAN_MONOTONIC
