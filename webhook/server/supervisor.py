"""Runs several of Medea's programs as children of one process: all doors, and on a laptop the controller too.

They live and die together. A child that ends takes the others with it, so that whoever started this process notices
and starts it again; and should this process be killed, the kernel ends its children.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkProcess

import structlog

from webhook.errors import MedeaError
from webhook.model.limits.server import SERVER_END

log = structlog.get_logger(__name__)

_AWAITED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when its parent dies."""


def supervise(programs: Mapping[str, Callable[[], None]]) -> None:
    """Run the programs, each in a process of its own, until SIGTERM or SIGINT; all have ended when it returns.

    Raises MedeaError if one ended by itself. Must be called before this process has any thread.
    """
    # Blocked, so that none is lost between two waits. Each child unblocks them again.
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    parent = os.getpid()
    # Forked: what is imported is shared, so that five processes start as fast as one.
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(name=name, target=_child, args=(program, parent), daemon=True)
        for name, program in programs.items()
    ]
    for child in children:
        child.start()
    ended = _wait(children)
    _end(children)
    if ended:
        raise MedeaError(
            f"{ended.name} has ended by itself, with exit code {ended.exitcode}; its last log lines say why"
        )


def _child(program: Callable[[], None], parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It died before the kernel was asked to say so.
        return
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
    try:
        program()
    except MedeaError as error:
        sys.exit(f"medea: {error.message}")


def _wait(children: Sequence[ForkProcess]) -> ForkProcess | None:
    """The first child that ended by itself; None if this process was told to end."""
    while signal.sigwait(_AWAITED) == signal.SIGCHLD:
        for child in children:
            if child.exitcode is not None:
                log.error("a process has ended by itself", process=child.name, code=child.exitcode)
                return child
    return None


def _end(children: Sequence[ForkProcess]) -> None:
    for child in children:
        child.terminate()
    until = time.monotonic() + SERVER_END
    for child in children:
        child.join(max(0.0, until - time.monotonic()))
        if child.exitcode is None:
            log.warning("a process was cut off", process=child.name)
            child.kill()
            child.join()
