"""How large a request may be."""

from webhook.model.limits.api import LARGEST_BODY

_LARGEST_OBJECT = 3 * 512 * 1024
"""Bytes that etcd takes for one object."""


def test_a_review_of_a_change_to_the_largest_object_there_can_be_is_read() -> None:
    assert 2 * _LARGEST_OBJECT + 64 * 1024 < LARGEST_BODY
