"""The command `medea check`."""

import datetime

import typer

from webhook.admin.commands import console, open_front, open_registry
from webhook.installation.findings import Finding, Grade, findings, is_good
from webhook.installation.gather import gather
from webhook.settings import Settings
from webhook.wiring import ledger_dsn

_MARKS = {Grade.FINE: "✓ ", Grade.NOTE: "– ", Grade.MISSING: "✗ "}


def check() -> None:
    """See whether everything that Medea needs at the front door is in place; it changes nothing."""
    settings, out = Settings(), console()
    front = open_front(settings)
    with open_registry(front, settings) as registry:
        facts = gather(
            front,
            registry,
            ledger_dsn(settings),
            namespace=settings.medea_namespace,
            secret=settings.medea_tls_secret or "medea-tls",
            argo_account=settings.medea_argo_account,
            default=settings.medea_hold,
        )
    found = findings(facts, datetime.datetime.now(datetime.UTC))
    for line in found:
        out.print("\n".join(lines(line)), markup=False, soft_wrap=True)
    if not is_good(found):
        raise typer.Exit(1)


def lines(finding: Finding) -> list[str]:
    """A finding as people read it: one line, and below it the command that mends it."""
    said = [_MARKS[finding.grade] + finding.words]
    return [*said, f"    {finding.mend}"] if finding.mend else said
