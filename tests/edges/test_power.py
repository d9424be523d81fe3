"""What an edge serves is the same however time is cut, and what a Workflow shows of it is what Argo would show."""

from hypothesis import given
from hypothesis import strategies as st

from tests.splitting.fanouts import dag, steps
from webhook.edges.power import WATTS, nodes_of_work, served_between, watts_at, work_of
from webhook.splitting.gather import done_items
from webhook.splitting.shape import fanout_of

TIMES = st.floats(0, 10_000, allow_nan=False)


@given(TIMES, TIMES, TIMES)
def test_power_adds_up(first: float, second: float, third: float) -> None:
    begin, middle, end = sorted((first, second, third))
    parts = served_between("e", begin, middle, 1.0) + served_between("e", middle, end, 1.0)
    whole = served_between("e", begin, end, 1.0)
    assert abs(parts - whole) < 1e-6 * (1 + whole)
    assert min(WATTS) * (end - begin) - 1e-6 <= whole <= max(WATTS) * (end - begin) + 1e-6


def test_an_edge_has_now_this_and_now_that_many_watts() -> None:
    assert {watts_at("e", 10.0 * slot) for slot in range(100)} == set(WATTS)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.floats(0, 2000, allow_nan=False))
def test_items_are_done_one_after_the_other(powers: list[int], served: float) -> None:
    spec = steps(withItems=[str(one) for one in powers])
    spec["templates"][0]["steps"][0][0]["arguments"]["parameters"] = [{"name": "power", "value": "{{item}}"}]
    work = work_of({"spec": spec})
    done = work.done(served)
    assert sum(powers[:done]) <= served + 1e-6
    assert done == len(powers) or sum(powers[: done + 1]) > served - 1e-6


def test_its_nodes_are_those_that_chunks_are_followed_by() -> None:
    for spec in (steps(withItems=["a", "b", "c"]), dag(withItems=["a", "b", "c"])):
        nodes = nodes_of_work("run", work_of({"spec": spec}), 2, since="t", now="t")
        assert set(done_items(nodes, fanout_of(spec), "run")) == {0, 1}
        assert nodes["run"]["phase"] == "Running"


def test_any_other_workflow_is_one_item() -> None:
    work = work_of({"spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {}}]}})
    assert len(work.items) == 1 and set(nodes_of_work("run", work, 1, since="t", now="t")) == {"run"}


@given(st.recursive(st.none() | st.text(max_size=4), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_it_is_asked_for_an_edge_goes_on(spec: object) -> None:
    assert work_of({"spec": spec}).items
