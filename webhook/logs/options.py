"""The options with which an apiserver asks a kubelet for a log, and Medea asks a target. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from webhook.errors import BadRequest, wrong_field
from webhook.kube.resources import checked_name

_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = ("sinceSeconds", "tailLines", "limitBytes")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_STREAMS = ("All", "Stdout", "Stderr")


@dataclass(frozen=True)
class Options:
    """The options for one container's log. `query` is what to send to the target's apiserver."""

    follow: bool
    query: tuple[tuple[str, str], ...]


def read_options(container: str, asked: Mapping[str, str]) -> Options:
    """The options from a URL. Raises BadRequest if the value of a known option is not valid.

    Unknown options are dropped, since a target with another version may refuse them.
    """
    query = [("container", checked_name("container", container))]
    for name in _FLAGS:
        if asked.get(name, "false") not in ("true", "false"):
            raise wrong_field(BadRequest, name, asked[name], "it must be true or false")
        if asked.get(name) == "true":
            query.append((name, "true"))
    for name in _NUMBERS:
        if name in asked:
            if not re.fullmatch(r"\d{1,18}", asked[name], re.ASCII):
                raise wrong_field(BadRequest, name, asked[name], "it must be a whole number, 0 or more")
            query.append((name, asked[name]))
    if "sinceTime" in asked:
        if not _TIME.fullmatch(asked["sinceTime"]):
            raise wrong_field(
                BadRequest, "sinceTime", asked["sinceTime"], "it must be a moment such as RFC 3339 has it"
            )
        query.append(("sinceTime", asked["sinceTime"]))
    stream = asked.get("stream", "All")
    if stream not in _STREAMS:
        raise wrong_field(BadRequest, "stream", stream, f"it must be one of {', '.join(_STREAMS)}")
    # `All` is the default, and older apiservers don't know the option.
    if stream != "All":
        query.append(("stream", stream))
    return Options(("follow", "true") in query, tuple(query))
