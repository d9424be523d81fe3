"""Every item is in exactly one chunk, in its order, however often and however large chunks are cut."""

from hypothesis import given
from hypothesis import strategies as st

from webhook.model.limits.splitting import MOST_CHUNKS
from webhook.splitting.asked import Asked
from webhook.splitting.cut import next_sizes, positions_of, room_of, spans_of
from webhook.totals.model import GIB, Totals

ROOMS = st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 500))


def cut_all(chunks: int | None, items: int, rooms: list[dict[str, int | None]]) -> list[int]:
    """All sizes, cut one round after the other."""
    sizes: list[int] = []
    for number in range(10 * MOST_CHUNKS):
        found = next_sizes(Asked(chunks), items=items, cut=sum(sizes), rooms=rooms[number % len(rooms)])
        if not found:
            return sizes
        sizes += found
    raise AssertionError("it never ends")


@given(st.none() | st.integers(1, MOST_CHUNKS), st.integers(1, 20_000), st.lists(ROOMS, min_size=1, max_size=5))
def test_every_item_is_cut_exactly_once(chunks: int | None, items: int, rooms: list[dict[str, int | None]]) -> None:
    sizes = cut_all(chunks, items, rooms)
    assert sum(sizes) == items and all(size > 0 for size in sizes) and len(sizes) <= MOST_CHUNKS


@given(st.integers(1, MOST_CHUNKS), st.integers(1, 100_000))
def test_so_many_chunks_as_were_asked_for_are_of_one_size(chunks: int, items: int) -> None:
    sizes = cut_all(chunks, items, [{}])
    assert len(sizes) == min(chunks, items) and max(sizes) - min(sizes) <= 1


@given(st.integers(1, 400), ROOMS)
def test_a_chunk_fits_into_the_room_that_it_was_cut_for(items: int, rooms: dict[str, int | None]) -> None:
    sizes = next_sizes(Asked(None), items=items, cut=0, rooms=rooms)
    bounded = sorted((room for room in rooms.values() if room), reverse=True)
    if None not in rooms.values() and bounded:
        assert all(size <= room for size, room in zip(sizes, bounded, strict=False))
        assert len(sizes) <= len(bounded)


def test_the_roomiest_target_gets_the_largest_chunk_and_a_full_one_none() -> None:
    assert next_sizes(Asked(None), items=100, cut=0, rooms={"west": 3, "east": 40, "south": 0}) == [17, 3]


def test_without_any_room_one_small_chunk_waits() -> None:
    assert next_sizes(Asked(None), items=100, cut=20, rooms={"west": 0, "east": 0}) == [10]
    assert next_sizes(Asked(None), items=100, cut=20, rooms={}) == [20]


def test_room_is_what_is_scarcer_of_cpu_and_memory() -> None:
    assert room_of(Totals(4000, 2 * GIB), Totals(1000, GIB)) == 2
    assert room_of(Totals(-500, 2 * GIB), Totals(1000, GIB)) == 0
    assert room_of(Totals(4000, 0), Totals(1000, 0)) == 4
    assert room_of(Totals(4000, GIB), Totals(0, 0)) is None


@given(st.sets(st.integers(0, 300)))
def test_spans_are_the_same_positions(positions: set[int]) -> None:
    spans = spans_of(sorted(positions))
    assert positions_of(spans) == sorted(positions)
    assert len(spans) <= len(positions) and all(size > 0 for _, size in spans)
