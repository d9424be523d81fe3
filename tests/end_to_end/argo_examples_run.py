"""Submitting many Workflows to one place, a few at a time, and how each of them ended."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from tests.end_to_end.objects import ARGO, Object, connection, create

ENDED = ("Succeeded", "Failed", "Error")
"""The phases in which Argo leaves a Workflow for good."""


@dataclass(frozen=True)
class End:
    """`phase` is the last one seen; one that is none of Argo's final ones says what went wrong instead."""

    phase: str
    name: str = ""
    message: str = ""
    seconds: float = 0.0


class Place:
    """A namespace of a cluster, watched."""

    def __init__(self, cluster: str, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._session, self._server = connection(cluster)
        self._url = f"{self._server}{ARGO}/namespaces/{namespace}/workflows"
        self._statuses: dict[str, Object] = {}
        self._changed = threading.Condition()
        self._version = ""
        self._done = False

    def run(self, workflow: Object, *, within: float) -> End:
        """Submit it, and wait for its end."""
        began = time.monotonic()
        answer = create(self._cluster, self._namespace, workflow)
        if answer.status_code != 201:
            return End(f"refused: {answer.status_code}", message=answer.json().get("message", ""))
        name = answer.json()["metadata"]["name"]
        with self._changed:
            ended = self._changed.wait_for(lambda: self._phase(name) in ENDED, within)
        end = self.end(name)
        seconds = time.monotonic() - began
        return End(end.phase if ended else f"no end: {end.phase}", name, end.message, seconds)

    def end(self, name: str) -> End:
        """The last that was seen of it."""
        status = self._statuses.get(name, {})
        return End(status.get("phase", ""), name, status.get("message", ""))

    def _phase(self, name: str) -> str:
        return str(self._statuses.get(name, {}).get("phase", ""))

    @contextmanager
    def watched(self) -> Iterator["Place"]:
        """Watch it while the block runs."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        yield self
        self._done = True
        thread.join(15)

    def _watch(self) -> None:
        while not self._done:
            query = {"watch": "true", "timeoutSeconds": "3", "resourceVersion": self._version}
            try:
                with self._session.get(self._url, params=query, stream=True, timeout=20) as answer:
                    answer.raise_for_status()
                    for line in answer.iter_lines(chunk_size=None):
                        self._take(json.loads(line))
            except requests.RequestException:
                # The version may be what was wrong.
                self._version = ""
                time.sleep(0.2)

    def _take(self, event: Object) -> None:
        # After an error from the beginning again: what has ended meanwhile is among the first events.
        self._version = "" if event["type"] == "ERROR" else event["object"]["metadata"]["resourceVersion"]
        if event["type"] in ("ADDED", "MODIFIED"):
            with self._changed:
                self._statuses[event["object"]["metadata"]["name"]] = event["object"].get("status") or {}
                self._changed.notify_all()


def run_all(place: Place, workflows: Mapping[str, Object], *, at_once: int, within: float) -> dict[str, End]:
    """Run all of them, `at_once` at a time; under the same keys, how each ended."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = {key: pool.submit(place.run, workflow, within=within) for key, workflow in workflows.items()}
        return {key: future.result() for key, future in futures.items()}
