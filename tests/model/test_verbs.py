"""Verbs on their way: written into an annotation, and read again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from webhook.model.contract import VERBS
from webhook.model.verbs import Edit, Retry, Verb, pending, written

texts = st.text(max_size=20)
verbs = st.builds(
    Verb,
    user=texts,
    shutdown=st.sampled_from([None, "Stop", "Terminate"]),
    suspend=st.sampled_from([None, True, False]),
    edits=st.dictionaries(texts, st.builds(Edit, phase=st.none() | texts, fields=st.dictionaries(texts, texts))),
    removed=st.lists(texts, max_size=200).map(tuple),
    outputs=st.lists(st.dictionaries(texts, texts)).map(tuple),
    retry=st.none() | st.builds(Retry, ended=st.none() | texts, parameters=st.dictionaries(texts, texts)),
)


def carrying(text: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": {VERBS: text}}}


@given(st.lists(verbs, min_size=1, max_size=3))
def test_what_is_written_is_read_again(several: list[Verb]) -> None:
    assert pending(carrying(written(several))) == several


@given(st.text())
def test_what_medea_has_not_written_is_no_verb_and_no_error(text: str) -> None:
    assert all(isinstance(verb, Verb) for verb in pending(carrying(text)))


def test_many_nodes_fit_because_they_are_packed() -> None:
    retry = Verb(user="ann", removed=tuple(f"medea-job-{number}" for number in range(5000)), retry=Retry("t"))
    assert len(written([retry])) < 100_000
    assert pending(carrying(written([retry]))) == [retry]


def test_each_verb_has_the_word_that_argos_cli_has_for_it() -> None:
    done, failed = Edit("Running", {"phase": "Succeeded"}), Edit("Running", {"phase": "Failed"})
    assert Verb("ann", retry=Retry("t"), suspend=False).word == "retry"
    assert Verb("ann", shutdown="Terminate").word == "terminate"
    assert (Verb("ann", suspend=True).word, Verb("ann", suspend=False).word) == ("suspend", "resume")
    assert Verb("ann", edits={"n": done}).word == "resume"
    assert Verb("ann", edits={"n": failed}).word == "stop of a node"
    assert Verb("ann", edits={"n": Edit("Running", {"outputs": {}})}).word == "set"
    assert not Verb("ann")
