"""What leads from the loopback to Medea's Services."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from certs.files import ensure
from tests.lab.forward import Way, serve
from tests.support.ports import free_port

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def forwarding(*ways: Way) -> AsyncIterator[None]:
    serving = asyncio.create_task(serve(ways))
    try:
        yield
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def connected(
    port: int, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as somebody listens."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port, ssl=context)
            except ConnectionRefusedError:
                await asyncio.sleep(0)


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def asked(far: int, way: Way, context: ssl.SSLContext | None = None) -> bytes:
    """What comes back through a way, to its end."""
    async with await asyncio.start_server(shout, "127.0.0.1", far), forwarding(way), asyncio.timeout(20):
        reader, writer = await connected(way.port, context)
        writer.write(b"hello\n")
        answer = await reader.read()
        writer.close()
        return answer


def test_what_is_said_arrives_with_its_answer_and_its_end() -> None:
    far = free_port()
    assert asyncio.run(asked(far, Way(free_port(), "127.0.0.1", far))) == b"HELLO\n"


def test_tls_ends_at_the_loopback_where_a_way_has_a_certificate(tmp_path: Path) -> None:
    files = ensure(tmp_path)
    far = free_port()
    way = Way(free_port(), "127.0.0.1", far, str(files.certificate), str(files.key))
    assert asyncio.run(asked(far, way, ssl.create_default_context(cafile=str(tmp_path / "ca.crt")))) == b"HELLO\n"


def test_where_nobody_is_the_connection_just_ends() -> None:
    async def ask() -> bytes:
        way = Way(free_port(), "127.0.0.1", free_port())
        async with forwarding(way), asyncio.timeout(20):
            reader, writer = await connected(way.port)
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(ask()) == b""
