"""S3: the only module that knows its client. Every call has deadlines, few attempts and a metric."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.providers import AWSConfigProvider, ChainedProvider, EnvAWSProvider, IamAwsProvider
from minio.error import MinioException, S3Error
from prometheus_client import Histogram

from webhook.doors.pieces import Inbox
from webhook.errors import StoreUnavailable, quoted
from webhook.model.limits.files import (
    PIECE,
    STORE_ATTEMPTS,
    STORE_CONNECT,
    STORE_CONNECTIONS,
    STORE_PART,
    STORE_READ,
)

_SECONDS = Histogram(
    "medea_store_request_seconds",
    "Time of one call of S3, its attempts included; of put, until the client has sent all",
    ["operation", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90),
)
for _operation in ("put", "get", "head", "list", "delete"):
    for _outcome in ("unavailable", "refused"):
        # Shown as 0 from the beginning, so that the first one counts as an increase.
        _SECONDS.labels(_operation, _outcome)
_GONE = frozenset({"NoSuchKey", "NoSuchObject"})
_TIMEOUT = urllib3.Timeout(connect=STORE_CONNECT, read=STORE_READ)
# Each of its calls may be repeated. What begins or ends an object in parts is a POST, and repeated by nobody.
_RETRIES = urllib3.Retry(total=STORE_ATTEMPTS - 1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504))


@dataclass(frozen=True)
class Access:
    """Where the store is, and as whom it is asked. Without keys, they are where AWS' own tools look for them.

    `endpoint` is a URL without a path, `ca` a file of authorities; None for the system's.
    """

    endpoint: str
    bucket: str
    region: str
    access_key: str | None = None
    secret_key: str | None = None
    ca: Path | None = None


class Store:
    """One bucket, safe to share between threads. Raises StoreUnavailable."""

    def __init__(self, access: Access) -> None:
        self.bucket = access.bucket
        parts = urlsplit(access.endpoint)
        http = urllib3.PoolManager(
            timeout=_TIMEOUT,
            retries=_RETRIES,
            maxsize=STORE_CONNECTIONS,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(access.ca) if access.ca else None,
        )
        elsewhere = ChainedProvider([EnvAWSProvider(), AWSConfigProvider(), IamAwsProvider()])
        self._client = Minio(
            parts.netloc,
            access_key=access.access_key,
            secret_key=access.secret_key,
            secure=parts.scheme == "https",
            region=access.region,
            http_client=http,
            credentials=None if access.access_key else elsewhere,
        )

    def write(self, key: str, pieces: Iterator[bytes]) -> None:
        """Write an object from its pieces, a part of it in memory at a time. It is there as a whole, or not at all.

        What the iterator raises is passed on.
        """
        with _call("put") as call:
            source = cast("BinaryIO", Inbox(call.watched(pieces)))
            # One by one: each part that is sent at the same time would be kept in memory too.
            self._client.put_object(self.bucket, key, source, -1, part_size=STORE_PART, num_parallel_uploads=1)

    def size(self, key: str) -> int | None:
        """Bytes of an object; None if there is none. Raises StoreUnavailable too if the bucket is not there."""
        with _call("head") as call:
            try:
                return self._client.stat_object(self.bucket, key).size
            except S3Error as error:
                call.check_missing(error)
        with _call("head"):
            # What answers to this kind of call has no body that tells one from the other.
            if not self._client.bucket_exists(self.bucket):
                raise StoreUnavailable(f"the store has no bucket {self.bucket}")
        return None

    def read(self, key: str) -> "Reading | None":
        """An object, to be read once and closed; None if there is none."""
        with _call("get") as call:
            try:
                return Reading(self._client.get_object(self.bucket, key))
            except S3Error as error:
                call.check_missing(error)
                return None

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """Some bytes of an object, fewer at its end. Raises StoreUnavailable too if there is none."""
        with _call("get"):
            answer = self._client.get_object(self.bucket, key, offset=start, length=size)
            try:
                return answer.read()
            finally:
                answer.close()
                answer.release_conn()

    def remove(self, folder: str) -> None:
        """Remove all objects under a folder. Safe to repeat."""
        with _call("list"):
            keys = [one.object_name for one in self._client.list_objects(self.bucket, f"{folder}/", recursive=True)]
        for key in filter(None, keys):
            self.remove_one(key)

    def remove_one(self, key: str) -> None:
        """Remove an object, if there is one."""
        with _call("delete") as call:
            try:
                self._client.remove_object(self.bucket, key)
            except S3Error as error:
                call.check_missing(error)


class Reading:
    """An object that is read: a file object whose failures are Medea's."""

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self._answer = answer

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes; empty at the end. Raises StoreUnavailable if it breaks off."""
        try:
            return self._answer.read(size)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(f"the store broke off: {quoted(str(error))}") from error

    def close(self) -> None:
        """Read no more. The connection is not used again: there may be unread data."""
        self._answer.close()


@dataclass
class _Call:
    outcome: str = "unavailable"
    not_ours: Exception | None = None
    """What the source of an object's bytes raised: no fault of the store."""

    def watched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces."""
        try:
            yield from pieces
        except Exception as error:
            self.not_ours = error
            raise

    def check_missing(self, error: S3Error) -> None:
        """Raises the error again, unless it says that there is no such object."""
        if error.code not in _GONE:
            raise error
        self.outcome = "missing"


@contextmanager
def _call(operation: str) -> Iterator[_Call]:
    """One call, in Medea's errors, with nothing secret in them."""
    began, call = time.perf_counter(), _Call()
    try:
        yield call
        if call.outcome != "missing":
            call.outcome = "done"
    except S3Error as error:
        call.outcome = "refused"
        raise StoreUnavailable(
            f"the store refused to {operation}: {quoted(f'{error.code}: {error.message}')}"
        ) from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        if error is call.not_ours:
            raise
        raise StoreUnavailable(f"the store did not answer: {quoted(str(error))}") from error
    finally:
        outcome = "given up" if call.not_ours else call.outcome
        # Each would keep the other, and all that is in between, until somebody collects the garbage.
        call.not_ours = None
        _SECONDS.labels(operation, outcome).observe(time.perf_counter() - began)
