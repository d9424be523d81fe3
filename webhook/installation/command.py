"""The command `medea check`."""

import typer

from webhook.admin import surroundings
from webhook.admin.surroundings import console
from webhook.admin.target_output import finding_lines
from webhook.installation.findings import findings, is_good
from webhook.installation.gather import gather
from webhook.model.deadline import utc_now
from webhook.settings import Settings


def check() -> None:
    """See whether everything that Medea needs at the front door is in place; it changes nothing."""
    settings, out = Settings(), console()
    front = surroundings.front(settings)
    facts = gather(
        front,
        surroundings.known_ledger(settings),
        namespace=settings.medea_namespace,
        space=settings.medea_targets_namespace,
        secret=settings.medea_tls_secret or "medea-tls",
        argo_account=settings.medea_argo_account,
        default=settings.medea_hold,
    )
    found = findings(facts, utc_now())
    for text in finding_lines(found):
        out.print(text, soft_wrap=True)
    if not is_good(found):
        raise typer.Exit(1)
