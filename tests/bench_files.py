"""`make bench-files`: how much memory the door for files takes, and how long, when very much is uploaded at once.

It needs no laboratory: the store is a real S3 server, the ledger Medea's embedded Postgres, and the front door one in
memory, at which nothing runs.
"""

import os
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from rich.console import Console

from tests.support.door_process import DoorProcess, files_door, front_door
from tests.support.fake_apiserver import FakeApiserver
from tests.support.s3_server import s3_server

MANY, SMALL, LARGE = 1000, 1 << 20, 3 << 29
PORT = 15002
_OUT = Console()


def upload(url: str, content: bytes, user: str) -> tuple[int, float]:
    """The status, and the seconds."""
    began = time.monotonic()
    answer = requests.post(
        f"{url}/upload",
        files={"file": ("run.sh", content)},
        data={"user_id": user, "service": "example"},
        timeout=900,
    )
    return answer.status_code, time.monotonic() - began


def upload_large(url: str, folder: Path) -> subprocess.Popen[str]:
    """A file of 1.5 GiB, sent by curl: requests would have it in memory."""
    file = folder / "large"
    with file.open("wb") as out:
        out.truncate(LARGE)
    words = ["-F", f"file=@{file}", "-F", "user_id=large", "-F", "service=example", f"{url}/upload"]
    return subprocess.Popen(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} after %{time_total} s", *words],
        stdout=subprocess.PIPE,
        text=True,
    )


def main() -> None:
    """Upload, and say what it took."""
    with tempfile.TemporaryDirectory(prefix="medea-bench-") as name:
        folder = Path(name)
        with s3_server(folder / "s3") as s3, front_door(FakeApiserver()) as front:
            door = files_door(folder, s3, front, port=PORT)
            door.start()
            try:
                measure(door, folder)
            finally:
                door.stop()


def measure(door: DoorProcess, folder: Path) -> None:
    """The thousand, and the large one meanwhile."""
    _OUT.print(f"idle: {door.most_memory} MiB")
    large, content, began = upload_large(door.url, folder), os.urandom(SMALL), time.monotonic()
    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(lambda number: upload(door.url, content, str(number % 7)), range(MANY)))
    took, slowest = time.monotonic() - began, max(seconds for _, seconds in answers)
    _OUT.print(f"{MANY} uploads of 1 MiB at once: {dict(Counter(status for status, _ in answers))}")
    _OUT.print(f"in {took:.1f} s, the slowest {slowest:.1f} s")
    said, _ = large.communicate(timeout=900)
    _OUT.print(f"1.5 GiB meanwhile: {said}; most memory: {door.most_memory} MiB")


if __name__ == "__main__":
    main()
