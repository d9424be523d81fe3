"""The ledger's address is read as it was meant, or refused."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from webhook.errors import BadRequest
from webhook.ledger.address import checked_dsn, conninfo_of_url
from webhook.settings import Settings
from webhook.wiring.parts import ledger_dsn

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "host", "port", "database"),
    [
        ("db.example:6432/ledger", "db.example", "6432", "ledger"),
        ("db.example", "db.example", "5432", "medea"),
        ("db.example/ledger", "db.example", "5432", "ledger"),
        ("10.0.0.7:5432", "10.0.0.7", "5432", "medea"),
        ("[2001:db8::1]:6432/ledger", "2001:db8::1", "6432", "ledger"),
        ("[::1]", "::1", "5432", "medea"),
    ],
)
def test_an_address_of_the_original_is_host_port_and_database(url: str, host: str, port: str, database: str) -> None:
    parts = conninfo_to_dict(conninfo_of_url(url, "ann", "it's me"))
    assert parts == {"host": host, "port": port, "dbname": database, "user": "ann", "password": "it's me"}


@pytest.mark.parametrize(
    "url",
    [
        "db.example:5432/ledger?sslmode=verify-full",
        "postgresql://ann:s3cret@db.example/ledger",
        "2001:db8::1/ledger",
        "::1",
        "db.example:port/ledger",
        "db.example:0/ledger",
        "db.example:65536/ledger",
        "db.example:5432/ledger/more",
        "db.example:5432/",
        "ann@db.example:5432/ledger",
        "host=db.example dbname=ledger",
        "",
        " db.example",
    ],
)
def test_an_address_that_would_be_misread_is_refused_with_what_is_right(url: str) -> None:
    with pytest.raises(BadRequest, match=r"POSTGRESQL_URL has to be host:port/database.*MEDEA_LEDGER_DSN") as refused:
        conninfo_of_url(url, "ann", SECRET)
    assert SECRET not in refused.value.message


@pytest.mark.parametrize(
    ("dsn", "parts"),
    [
        (
            "postgresql://ann:s3cret@db.example:6432/ledger?sslmode=verify-full&sslrootcert=/run/ca.crt",
            {"host": "db.example", "port": "6432", "sslmode": "verify-full", "sslrootcert": "/run/ca.crt"},
        ),
        ("postgres://ann:s3cret@[2001:db8::1]:6432/ledger", {"host": "2001:db8::1", "port": "6432"}),
        ("postgresql://ann:s3cret@one:1,two:2/ledger?target_session_attrs=read-write", {"host": "one,two"}),
        ("postgresql://ann:%40%2F%23@db.example/ledger", {"password": "@/#"}),
        # A certificate or ~/.pgpass may stand in for the password.
        ("postgresql://ann@db.example/ledger", {"user": "ann"}),
        ("postgresql://ann@/ledger?host=/run/postgresql", {"host": "/run/postgresql"}),
    ],
)
def test_a_dsn_is_passed_on_as_it_is(dsn: str, parts: dict[str, str]) -> None:
    assert checked_dsn(dsn) == dsn
    assert parts.items() <= {"dbname": "ledger", **conninfo_to_dict(dsn)}.items()


@pytest.mark.parametrize(
    ("dsn", "problem"),
    [
        ("db.example:5432/ledger", "doesn't begin with postgresql://"),
        ("host=db.example password=s3cret", "doesn't begin with postgresql://"),
        ("jdbc:postgresql://db.example/ledger", "doesn't begin with postgresql://"),
        ("postgresql://ann:s3cret@db.example/ledger\n", "line break"),
        ("postgresql://ann:s3cret/x@db.example/ledger", "%40 %2F %23"),
        ("postgresql://ann:s3cret@x@db.example/ledger", "%40 %2F %23"),
        ("postgresql://ann:s3cret#x@db.example/ledger", "%40 %2F %23"),
        ("postgresql://ann:s3cret@db.example/ledger/more", "%40 %2F %23"),
        ("postgresql://ann:s3cret%zz@db.example/ledger", "can't be read"),
        ("postgresql://ann:s3cret@db.example/ledger?ssl_mode=require", "can't be read"),
        ("postgresql://ann:s3cret@db.example", "names no database"),
        ("postgresql://ann:s3cret@/ledger", "names no host"),
        ("postgresql://db.example/ledger", "names no user"),
        ("postgresql://ann:s3cret@db.example:s3cret/ledger", "a port that is no number"),
        ("postgresql://ann:s3cret@db.example:70000/ledger", "a port that is no number"),
        ("postgresql://ann:s3cret@db.example/ledger?sslmode=on", "an sslmode that is none of disable"),
        (
            "postgresql://ann:s3cret@db.example/ledger?options=-csearch_path%3Dx",
            "sets options",
        ),
    ],
)
def test_a_dsn_that_is_not_understood_is_refused_without_being_shown(dsn: str, problem: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_dsn(dsn)
    assert problem in refused.value.message
    assert SECRET not in refused.value.message


def test_two_addresses_are_one_too_many() -> None:
    settings = Settings(postgresql_url="db.example", medea_ledger_dsn="postgresql://ann@db.example/ledger")
    with pytest.raises(BadRequest, match="both set"):
        ledger_dsn(settings)


def test_a_dsn_is_not_shown_with_the_settings() -> None:
    assert SECRET not in repr(Settings(medea_ledger_dsn=f"postgresql://ann:{SECRET}@db.example/ledger"))
