"""What may run at once: against every set of tasks there is, for small orders."""

from collections.abc import Sequence
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from webhook.totals.antichain import heaviest
from webhook.totals.loads import Element, Load, Order, at_most, one_after_another, ordered, peak, side_by_side

Given = tuple[list[int], list[int]]


@st.composite
def orders(draw: st.DrawFn, most: int = 8) -> Given:
    """Weights, and for each element what comes before it: a transitive order in which numbers rise."""
    weights = draw(st.lists(st.integers(0, 20), min_size=1, max_size=most))
    before: list[int] = []
    for place in range(len(weights)):
        direct = draw(st.integers(0, (1 << place) - 1))
        before.append(direct | _all(before[one] for one in range(place) if direct >> one & 1))
    return weights, before


def _all(masks: object) -> int:
    found = 0
    for mask in masks:  # type: ignore[attr-defined]
        found |= mask
    return found


def antichains(before: Sequence[int]) -> list[tuple[int, ...]]:
    """Every set in which nothing comes before anything else."""
    every = chain.from_iterable(combinations(range(len(before)), size) for size in range(len(before) + 1))
    return [one for one in every if not any(before[late] >> early & 1 for late in one for early in one)]


def best(weights: Sequence[int], before: Sequence[int], limit: int) -> int:
    """The weight of the heaviest of them that is not larger than `limit`."""
    return max(sum(weights[one] for one in chosen) for chosen in antichains(before) if len(chosen) <= limit)


def weighed(elements: list[Element], before: Sequence[int], limit: int | None) -> Load:
    return ordered(elements, Order(before), limit, lambda *_: True)


def single(weight: int) -> Element:
    return Element((((weight,), 1),))


@given(orders())
def test_the_heaviest_antichain_is_found(order: Given) -> None:
    weights, before = order
    assert heaviest(weights, before) == best(weights, before, len(weights))


@given(orders())
def test_the_peak_of_an_order_is_its_heaviest_antichain(order: Given) -> None:
    weights, before = order
    assert peak(weighed([single(weight) for weight in weights], before, None)) == best(weights, before, len(weights))


@given(orders(7), st.integers(1, 4))
def test_a_limit_on_pods_is_never_counted_too_low_nor_above_no_limit(order: Given, limit: int) -> None:
    weights, before = order
    elements = [single(weight) for weight in weights]
    load = weighed(elements, before, limit)
    for pods in range(1, len(load) + 1):
        assert load[pods - 1] >= best(weights, before, pods)
    assert peak(load) <= peak(weighed(elements, before, None))
    assert peak(load) <= sum(sorted(weights)[-limit:])


@given(orders())
def test_one_pod_at_a_time_needs_what_the_largest_needs(order: Given) -> None:
    weights, before = order
    assert peak(weighed([single(weight) for weight in weights], before, 1)) == max(weights)


@given(orders(), st.randoms(use_true_random=False), st.sampled_from([None, 1, 2, 3]))
def test_the_order_in_which_tasks_are_written_changes_nothing(order: Given, random: object, limit: int | None) -> None:
    weights, before = order
    places = list(range(len(weights)))
    random.shuffle(places)  # type: ignore[attr-defined]
    moved = {old: new for new, old in enumerate(places)}
    masks = [sum(1 << moved[one] for one in range(len(weights)) if before[old] >> one & 1) for old in places]
    mixed = weighed([single(weights[old]) for old in places], masks, limit)
    assert mixed == weighed([single(weight) for weight in weights], before, limit)


loads = st.lists(st.integers(0, 9), min_size=1, max_size=5).map(lambda gains: tuple(sorted(gains)))


@given(st.lists(st.tuples(loads, st.integers(1, 3)), min_size=1, max_size=3), st.integers(1, 6))
def test_side_by_side_is_never_below_what_any_sharing_of_the_pods_gives(
    parts: list[tuple[tuple[int, ...], int]], limit: int
) -> None:
    shared = {0: 0}
    for load in [load for load, count in parts for _ in range(count)]:
        worth = (0, *load)
        shared = {
            pods: max(shared[some] + worth[min(pods - some, len(load))] for some in shared if some <= pods)
            for pods in range(limit + 1)
        }
    assert peak(side_by_side(parts, limit)) >= shared[limit]


def test_a_flat_loop_under_a_limit_is_exact() -> None:
    assert side_by_side([((3,), 10), ((5,), 1)], 4) == (5, 8, 11, 14)
    assert side_by_side([((3,), 10**9)], None) == (3 * 10**9,)


def test_what_runs_in_turn_needs_the_larger() -> None:
    assert one_after_another([(10,), (4, 8, 12), ()]) == (10, 10, 12)
    assert at_most((10, 10, 12), 11) == (10, 10, 11)


def test_a_large_tangle_is_bounded_from_above_in_no_time() -> None:
    """The zigzag in which every element waits for two neighbours, and which falls into no parts."""
    half = 400
    before = [0] * half + [1 << one | 1 << (one + 1) % half for one in range(half)]
    found = peak(weighed([single(1)] * (2 * half), before, None))
    assert half <= found < 2 * half
