"""How long a credential is valid, and for whom. Pure."""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Life:
    """From when to when a credential is valid; `subject` is the user that a token is for."""

    begins: datetime.datetime
    ends: datetime.datetime
    subject: str = ""

    @property
    def half(self) -> datetime.datetime:
        """When half of it is over: a token is renewed then, so that Medea may be away for the other half."""
        return self.begins + (self.ends - self.begins) / 2

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name of the ServiceAccount that a token is for; None if it is for somebody else."""
        parts = self.subject.split(":")
        return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] else None
