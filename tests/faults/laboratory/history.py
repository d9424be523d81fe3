"""Everything the apiservers show of one namespace, written down as it happens, whatever Medea believes."""

import json
import threading
import time
from dataclasses import dataclass

import requests

from tests.end_to_end.objects import ARGO, CLUSTERS, Object, connection

_WATCH_SECONDS = 10
_AGAIN = 0.2


@dataclass(frozen=True)
class Seen:
    """A Workflow as one cluster showed it; `gone` when it was shown no more."""

    cluster: str
    workflow: Object
    gone: bool


class History:
    """Three watches, one a cluster. What happens while an apiserver is away is seen when it is back."""

    def __init__(self, namespace: str) -> None:
        self._path = f"{ARGO}/namespaces/{namespace}/workflows"
        self._lock, self._over = threading.Lock(), threading.Event()
        self._seen: list[Seen] = []
        self._threads = [threading.Thread(target=self._follow, args=(cluster,), daemon=True) for cluster in CLUSTERS]

    def __enter__(self) -> "History":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_WATCH_SECONDS * 2)

    def seen(self) -> list[Seen]:
        """All of it so far, in the order in which each cluster showed it."""
        with self._lock:
            return list(self._seen)

    def _follow(self, cluster: str) -> None:
        known: dict[str, Object] = {}
        while not self._over.is_set():
            try:
                self._list_and_watch(cluster, known)
            except (requests.RequestException, ValueError, KeyError):
                time.sleep(_AGAIN)

    def _list_and_watch(self, cluster: str, known: dict[str, Object]) -> None:
        server = connection(cluster)[1]
        # A session of its own: the shared one is for the thread that makes the faults.
        session = _session(cluster)
        answer = session.get(server + self._path, timeout=5)
        answer.raise_for_status()
        listed = answer.json()
        there = {item["metadata"]["uid"]: item for item in listed["items"]}
        for uid in known.keys() - there.keys():
            self._note(cluster, known.pop(uid), gone=True)
        for uid, item in there.items():
            known[uid] = item
            self._note(cluster, item, gone=False)
        query = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
        query["timeoutSeconds"] = str(_WATCH_SECONDS)
        with session.get(server + self._path, params=query, stream=True, timeout=_WATCH_SECONDS + 5) as stream:
            for line in stream.iter_lines():
                self._take(cluster, known, line)

    def _take(self, cluster: str, known: dict[str, Object], line: bytes) -> None:
        event = json.loads(line)
        if event["type"] == "ERROR":
            raise ValueError("the watch has to begin anew")
        item, gone = event["object"], event["type"] == "DELETED"
        if gone:
            known.pop(item["metadata"]["uid"], None)
        else:
            known[item["metadata"]["uid"]] = item
        self._note(cluster, item, gone=gone)

    def _note(self, cluster: str, item: Object, *, gone: bool) -> None:
        with self._lock:
            self._seen.append(Seen(cluster, item, gone))


def _session(cluster: str) -> requests.Session:
    shared, _ = connection(cluster)
    session = requests.Session()
    session.trust_env = False
    session.cert, session.verify = shared.cert, shared.verify
    return session
