"""Names and ids that come from outside, made safe or refused. Pure."""

import re
import unicodedata

from webhook.errors import BadRequest, Missing, wrong_field
from webhook.model.limits.files import LARGEST_ID, LONGEST_NAME, LONGEST_SERVICE, LONGEST_USER

_UNSAFE = re.compile(r"[^\w.+=@,-]")
_SERVICE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_ID = re.compile(r"[0-9]{1,19}")


def safe_name(name: str | None) -> str:
    """The name that an uploaded file has beside the others. Raises BadRequest for one that leads somewhere else.

    Letters and digits of all scripts stay. What a shell might take for something else becomes `_`.
    """
    if not name:
        raise wrong_field(
            BadRequest, "file", name or "", "each file needs a name, as curl sends it with -F file=@run.sh"
        )
    if "/" in name or "\\" in name or name in (".", "..") or not name.isprintable():
        raise wrong_field(
            BadRequest, "file", name, "its name must be a plain name, without folders and control characters"
        )
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    if len(safe.encode()) > LONGEST_NAME:
        raise wrong_field(BadRequest, "file", name, f"its name must have at most {LONGEST_NAME} bytes, as UTF-8")
    # A name with a dot before it is hidden, and one with a dash is taken for an option.
    return "_" + safe[1:] if safe[0] in ".-" else safe


def checked_user(value: str | None) -> str:
    """`user_id`, without spaces around it. Raises BadRequest."""
    user = (value or "").strip()
    if not user or len(user) > LONGEST_USER or not user.isprintable():
        raise wrong_field(BadRequest, "user_id", value or "", f"it must be 1 to {LONGEST_USER} printable characters")
    return user


def checked_service(value: str | None) -> str:
    """`service`, as a label's value can be. Raises BadRequest."""
    service = (value or "").strip()
    if len(service) > LONGEST_SERVICE or not _SERVICE.fullmatch(service):
        expected = f"it must be the name of a service: 1 to {LONGEST_SERVICE} letters, digits, -, _ and ."
        raise wrong_field(BadRequest, "service", value or "", expected)
    return service


def checked_id(value: str) -> int:
    """The id of a job. Raises Missing: nothing else was ever given as one."""
    number = int(value) if _ID.fullmatch(value) else 0
    if not 0 < number <= LARGEST_ID:
        raise Missing("there is no such job: an id is a number")
    return number


def shown_user(user: str) -> int | str:
    """`user_id` as the Orchestrator shows it: a number if it is written as one, as portals' are."""
    return int(user) if _NUMBER.fullmatch(user) else user
