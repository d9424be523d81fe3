"""Questions about nodes over a real RabbitMQ: the node allocator's own clients, and Workflows with a reply queue."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.doors.nodes.asker import PATIENCE, Asker
from tests.doors.nodes.fronts import POOLS, Front, Targets
from tests.doors.nodes.test_manifest import BOSTON, WRITTEN
from tests.support.rabbit_server import RabbitServer, rabbit_server
from webhook.doors.broker import Broker, Consumer, Queue
from webhook.doors.nodes.nodes import Nodes
from webhook.doors.nodes.questions import Questions, dead_letters_of
from webhook.errors import ClusterUnavailable
from webhook.kube.registry import Registry
from webhook.model.limits.nodes import LARGEST_MESSAGE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with rabbit_server(tmp_path_factory.mktemp("rabbit")) as server:
        yield server


class Door:
    """What answers, over a front door that may be away."""

    def __init__(self, server: RabbitServer, queue: str) -> None:
        self.front, self.stop = Front("west"), threading.Event()
        dead = dead_letters_of(queue)
        self.broker = Broker(server.address, [dead])
        self.targets = Targets(POOLS)
        nodes = Nodes(cast("Registry", self.targets), "ns")
        questions = Questions(self.broker, self.front.cluster, nodes, queue, dead.name)
        self.consumer = Consumer(server.address, Queue(queue, durable=False), questions.handle, self.stop)
        self.broker.start()
        self.consumer.start()
        assert self.consumer.wait(PATIENCE)

    def idle(self, queue: str) -> bool:
        """Whether no question waits."""
        return self.broker.size(queue).waiting == 0

    def close(self) -> None:
        self.stop.set()
        self.broker.close()


@pytest.fixture
def asker(server: RabbitServer, request: pytest.FixtureRequest) -> Iterator[Asker]:
    asker = Asker(server, request.node.name)
    yield asker
    asker.close()


@pytest.fixture
def door(server: RabbitServer, asker: Asker) -> Iterator[Door]:
    door = Door(server, asker.queue)
    yield door
    door.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_originals_own_question_is_answered_as_its_own_allocator_does(door: Door, asker: Asker) -> None:
    nothing = {"name": "train", "image": "b", "limits": None, "requests": None, "nodeSelector": None}
    sizes = {"limits": {"cpu": "2", "memory": "2G"}, "requests": {"cpu": "1", "memory": "1G"}}
    found = asker.allocated([nothing, {"name": "deploy", "image": "a", **sizes, "nodeSelector": None}])
    assert found["containers"] == [
        {**nothing, "nodeSelector": {}},
        {"name": "deploy", "image": "a", **sizes, "nodeSelector": {"pool": "small"}},
    ]
    assert door.front.asked[0][:2] == ("ns", True)


def test_a_workflow_comes_back_with_selectors_as_it_was_written(door: Door, asker: Asker) -> None:
    about, answer = asker.placed(BOSTON.read_bytes())
    assert (about.content_type, about.headers["medea-status"]) == ("application/json", "200")
    assert json.loads(answer)["spec"]["templates"][-1]["nodeSelector"] == {"pool": "small"}
    about, answer = asker.placed(WRITTEN.encode())
    assert about.content_type == "application/yaml" and b"# It needs little." in answer
    assert all(dry_run for _, dry_run, _ in door.front.asked)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"kind: Pod", b'{"kind": "Workflow"}'])
def test_what_is_wrong_is_answered_with_why_and_becomes_a_dead_letter(door: Door, asker: Asker, body: bytes) -> None:
    about, answer = asker.placed(body)
    assert about.headers["medea-status"] == "400"
    message = json.loads(answer)["error"]["message"]
    assert asker.dead_letters(1) == [(message, body)]
    assert door.front.asked == []


def test_a_queue_for_the_answer_that_is_another_than_the_originals_keeps_nobody_waiting(
    door: Door, asker: Asker
) -> None:
    name = "0123456789abcdef" * 2
    asker.channel.queue_declare(queue=name, durable=True)
    asker.ask(json.dumps({"hash": name, "containers": []}).encode())
    assert asker.answer_to(name) == {"hash": name, "containers": []}
    assert door.front.asked == []


def test_who_declares_the_queue_for_the_answer_late_finds_it_there(door: Door, asker: Asker) -> None:
    name = "fedcba9876543210" * 2
    asker.ask(json.dumps({"hash": name, "containers": []}).encode())
    until(lambda: door.idle(asker.queue))
    asker.channel.queue_declare(queue=name, durable=False)
    assert asker.answer_to(name)["containers"] == []


@pytest.mark.parametrize("containers", [None, [1], [{"name": ""}], [{"name": "a", "limits": {"cpu": "many"}}]])
def test_a_wrong_question_of_the_originals_kind_is_answered_with_why(door: Door, asker: Asker, containers: Any) -> None:
    found = asker.allocated(containers)
    assert found["containers"] == [] and found["error"]["message"]
    assert door.front.asked == []


@pytest.mark.usefixtures("door")
def test_who_names_no_queue_of_their_own_gets_no_answer_and_is_a_dead_letter(asker: Asker) -> None:
    body = json.dumps({"hash": asker.queue, "containers": []}).encode()
    asker.ask(body)
    asker.ask(BOSTON.read_bytes())
    asker.ask(BOSTON.read_bytes(), reply_to=asker.queue)
    asker.ask(BOSTON.read_bytes(), reply_to=f"{asker.queue}.nobody")
    found = asker.dead_letters(4)
    assert [reason.partition(" ")[0] for reason, _ in found] == ["hash", "reply_to", "reply_to", "nobody"]
    assert found[0][1] == body


@pytest.mark.usefixtures("door")
def test_nobody_writes_to_others_queues_by_asking_for_the_answer_there(asker: Asker) -> None:
    asker.channel.queue_declare(queue="others-work", durable=True)
    asker.ask(BOSTON.read_bytes(), reply_to="others-work")
    [(reason, _)] = asker.dead_letters(1)
    assert reason.startswith("reply_to is 'others-work'")
    assert asker.channel.queue_declare(queue="others-work", durable=True, passive=True).method.message_count == 0


@pytest.mark.usefixtures("door")
def test_a_queue_of_ones_own_name_below_that_of_the_questions_gets_the_answer(asker: Asker) -> None:
    own = f"{asker.queue}.mine"
    asker.channel.queue_declare(queue=own, exclusive=True)
    asker.ask(BOSTON.read_bytes(), reply_to=own)
    assert asker.answer(own)[0].headers["medea-status"] == "200"


@pytest.mark.usefixtures("door")
def test_an_answer_that_its_queue_does_not_take_stands_before_no_other_question(asker: Asker) -> None:
    full = f"{asker.queue}.full"
    refusing = {"x-max-length": 0, "x-overflow": "reject-publish"}
    asker.channel.queue_declare(queue=full, exclusive=True, arguments=refusing)
    asker.ask(BOSTON.read_bytes(), reply_to=full)
    [(reason, _)] = asker.dead_letters(1)
    assert "can't be put into queue" in reason
    assert asker.placed(BOSTON.read_bytes())[0].headers["medea-status"] == "200"


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    "headers",
    [{"x": "a" * 130_000}, {"x": b"\xff" * 60_000}, {"é": "é" * 60_000}, {b"\xff" * 200: "a"}],
    ids=["long", "no text", "long in UTF-8", "long name"],
)
def test_a_wrong_question_with_many_headers_stands_before_no_other_question(asker: Asker, headers: Any) -> None:
    asker.ask(b"{", headers=headers, reply_to=f"{asker.queue}.nobody")
    assert [body for _, body in asker.dead_letters(1)] == [b"{"]


@pytest.mark.usefixtures("door")
def test_of_a_message_that_is_far_too_large_only_the_beginning_is_kept(asker: Asker) -> None:
    about, _ = asker.placed(b"{" + b" " * 5_000_000)
    assert about.headers["medea-status"] == "413"
    assert [len(body) for _, body in asker.dead_letters(1)] == [LARGEST_MESSAGE]


def test_a_namespace_of_the_questions_own_choice_is_refused(door: Door, asker: Asker) -> None:
    about, answer = asker.placed(BOSTON.read_bytes().replace(b'"metadata": {', b'"metadata": {"namespace": "red",', 1))
    assert about.headers["medea-status"] == "400" and b"namespace" in answer
    assert door.front.asked == []


def test_while_the_front_door_is_away_a_question_waits(door: Door, asker: Asker) -> None:
    door.front.error = ClusterUnavailable("it is away")
    own = asker.channel.queue_declare("", exclusive=True).method.queue
    asker.ask(BOSTON.read_bytes(), reply_to=own)
    until(lambda: len(door.front.asked) > 1)
    door.front.error = None
    about, _ = asker.answer(own)
    assert about.headers["medea-status"] == "200"
    assert asker.dead() == []


def test_a_question_waits_until_the_targets_are_known(door: Door, asker: Asker) -> None:
    door.targets.listed = False
    name = asker.question([{"name": "step", "image": "a", "limits": {"cpu": "1"}}])
    until(lambda: door.targets.looked > 0)
    door.targets.listed = True
    assert asker.answer_to(name)["containers"][0]["nodeSelector"] == {"pool": "small"}
    assert asker.dead() == []


def test_no_room_is_an_answer_and_no_dead_letter(door: Door, asker: Asker) -> None:
    door.front.room = ()
    about, answer = asker.placed(BOSTON.read_bytes())
    assert about.headers["medea-status"] == "409" and b"all full" in answer
    assert asker.dead() == []


def test_questions_are_answered_again_after_the_broker_was_killed(server: RabbitServer, door: Door) -> None:
    server.kill()
    server.start()
    assert door.consumer.wait(PATIENCE)

    def asked() -> bool:
        again = Asker(server, "test_questions_are_answered_again_after_the_broker_was_killed")
        try:
            return str(again.placed(BOSTON.read_bytes())[0].headers["medea-status"]) == "200"
        finally:
            again.close()

    assert asked()
