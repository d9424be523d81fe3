"""`python -m tests.lab.forward FILE`: connections to ports of the loopback go on to other addresses.

Where Medea runs inside of the cluster, tests and people reach its Services at the addresses that its processes had.
"""

import asyncio
import contextlib
import json
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_CHUNK = 65536
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Way:
    """From a port of the loopback to a port of `host`; with a certificate and key, whoever comes has to speak TLS."""

    port: int
    host: str
    far_port: int
    certificate: str | None = None
    key: str | None = None


def to_text(ways: Sequence[Way]) -> str:
    """The content of FILE."""
    return json.dumps([asdict(way) for way in ways], indent=2)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _forwarding(way: Way) -> Handler:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(way.host, way.far_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    return forward


def _tls(way: Way) -> ssl.SSLContext | None:
    if way.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(way.certificate, way.key)
    return context


async def serve(ways: Sequence[Way]) -> None:
    """Forward until the process is killed."""
    servers = [await asyncio.start_server(_forwarding(way), "127.0.0.1", way.port, ssl=_tls(way)) for way in ways]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(serve([Way(**one) for one in json.loads(Path(sys.argv[1]).read_text())]))
