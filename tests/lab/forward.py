"""`python -m tests.lab.forward PORT=HOST:PORT…`: connections to ports of the loopback go on to other addresses.

Where Medea runs inside of the cluster, tests and people reach its Services at the addresses that its processes had.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable

_CHUNK = 65536
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _forwarding(host: str, port: int) -> Handler:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    return forward


async def serve(ways: list[str]) -> None:
    """Forward until the process is killed."""
    servers = []
    for way in ways:
        port, _, address = way.partition("=")
        host, _, far_port = address.rpartition(":")
        servers.append(await asyncio.start_server(_forwarding(host, int(far_port)), "127.0.0.1", int(port)))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
