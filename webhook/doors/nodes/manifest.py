"""Reads a Workflow as people write it, in JSON or YAML, and writes selectors into its text. Pure."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from webhook.doors.nodes import json_text, yaml_text
from webhook.doors.nodes.edits import with_insertions
from webhook.errors import BadRequest, Refused, TooLarge, quoted, wrong_field
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import CLUSTERS, FIT, MAKES, POLICY, PREFIX
from webhook.model.json_input import check_storable, check_unique, parse_json
from webhook.model.limits.nodes import LONGEST_YAML
from webhook.model.objects import Object, annotations, labels
from webhook.nodes.apply import with_selectors
from webhook.nodes.choose import Choice
from webhook.nodes.paths import Path, tree_of
from webhook.totals.manifests import read_yaml

_KEY = "nodeSelector"
_MARK = "\ufeff"
_A_USERS = frozenset({CLUSTERS, FIT, MAKES, POLICY})
_ONE = "one Workflow is taken at a time"


class Form(StrEnum):
    """How a Workflow is written; its media type."""

    JSON = "application/json"
    YAML = "application/yaml"


@dataclass(frozen=True)
class Manifest:
    """A Workflow as it was written."""

    text: str
    form: Form
    workflow: Object
    root: Any = field(default=None, compare=False, repr=False)
    """The document as PyYAML's nodes, with their places in the text; None in JSON."""
    mark: str = ""
    """What the bytes began with, before the text."""

    @property
    def spec(self) -> Object:
        """Its spec."""
        spec: Object = self.workflow["spec"]
        return spec

    def placed(self, choice: Choice) -> str:
        """The text with the selectors of a choice; everything else stays as it was written.

        Raises Refused if that can't be done in place, as where two templates share one text by an anchor.
        """
        if not choice.pools:
            return self.mark + self.text
        for path in choice.pools:
            self._check_free(path)
        values = tree_of((("spec", *path), pool.labels) for path, pool in choice.pools.items())
        if self.form is Form.JSON:
            found = json_text.insertions(self.text, _KEY, values)
        else:
            found = yaml_text.insertions(self.text, self.root, _KEY, values)
        text = with_insertions(self.text, found)
        if _reread(text, self.form) != {**self.workflow, "spec": with_selectors(self.spec, choice)}:
            raise Refused("its templates share text, so that selectors can't be added to one of them: send it as JSON")
        return self.mark + text

    def _check_free(self, path: Path) -> None:
        """A key that is there can't be added; one that is null says nothing, and is not written by people."""
        holder: Any = self.spec
        for step in path:
            holder = holder[step]
        if _KEY in holder:
            where = ".".join(map(str, ("spec", *path, _KEY)))
            raise wrong_field(Refused, where, holder[_KEY], "leave it out, so that one can be chosen")


def read_manifest(body: bytes) -> Manifest:
    """A Workflow in JSON or YAML. Raises BadRequest for what is none, with the field that is wrong."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the body is not UTF-8") from error
    # Windows' editors begin a file with this mark, which neither JSON nor places in the text know.
    mark, text = text[: text.startswith(_MARK)], text.removeprefix(_MARK)
    form = Form.JSON if text.lstrip().startswith("{") and _is_json(text) else Form.YAML
    workflow = _of_yaml(text) if form is Form.YAML else parse_json(text.encode(), pairs=check_unique)
    root = yaml_text.root_of(text) if form is Form.YAML else None
    _check(workflow)
    return Manifest(text, form, workflow, root, mark)


def _is_json(text: str) -> bool:
    """Whether it was meant to be JSON. A mapping of YAML may begin with a brace, too, but hardly with a quote then."""
    return text.lstrip()[1:].lstrip()[:1] in ('"', "}")


def _reread(text: str, form: Form) -> Any:
    """What a text says after it was changed; None if nothing that can be read."""
    try:
        return json.loads(text) if form is Form.JSON else _of_yaml(text)
    except (ValueError, BadRequest):
        return None


def _of_yaml(text: str) -> Any:
    if len(text) > LONGEST_YAML:
        raise TooLarge(f"the YAML is longer than {LONGEST_YAML} characters: send it as JSON")
    try:
        documents = [one for one in read_yaml(text, longest=LONGEST_YAML) if one is not None]
    except ValueError as error:
        why = str(error.__cause__ or error)
        raise BadRequest(f"the body is neither JSON nor YAML that can be read: {quoted(why)}") from error
    if len(documents) != 1:
        raise BadRequest(f"the body has {len(documents)} documents: {_ONE}", field="body")
    return documents[0]


def _check(workflow: Any) -> None:
    if not isinstance(workflow, dict):
        raise wrong_field(BadRequest, "body", workflow, "it must be a Workflow, in JSON or YAML")
    check_storable(BadRequest, "Workflow", workflow)
    if "pipelineSpec" in workflow or "pipelineInfo" in workflow:
        raise BadRequest("this is a pipeline of kfp 2: compile it by kfp 1.8, which makes a Workflow", field="kind")
    if workflow.get("kind") != WORKFLOWS.kind:
        raise wrong_field(BadRequest, "kind", workflow.get("kind"), f"it must be {WORKFLOWS.kind}; {_ONE}")
    if workflow.get("apiVersion") != WORKFLOWS.api_version:
        raise wrong_field(BadRequest, "apiVersion", workflow.get("apiVersion"), f"it must be {WORKFLOWS.api_version}")
    for part in ("metadata", "spec"):
        if not isinstance(workflow.get(part), dict):
            raise wrong_field(BadRequest, part, workflow.get(part), "it must be an object")
    metadata = workflow["metadata"]
    for part in ("name", "generateName", "namespace"):
        if not isinstance(metadata.get(part), str | None):
            raise wrong_field(BadRequest, f"metadata.{part}", metadata[part], "it must be text")
    for part in ("labels", "annotations"):
        if not isinstance(metadata.get(part), dict | None):
            raise wrong_field(BadRequest, f"metadata.{part}", metadata[part], "it must be an object")
    if not (metadata.get("name") or metadata.get("generateName")):
        raise wrong_field(BadRequest, "metadata.generateName", None, "a name, or the beginning of one, must be there")
    templates = workflow["spec"].get("templates")
    templates = [] if templates is None else templates
    if not isinstance(templates, list) or not all(isinstance(one, dict) for one in templates):
        raise wrong_field(BadRequest, "spec.templates", templates, "it must be a list of objects")
    _check_marks("annotations", [*annotations(workflow)], _A_USERS)
    _check_marks("labels", [*labels(workflow)], frozenset())


def _check_marks(field: str, keys: list[str], allowed: frozenset[str]) -> None:
    for key in keys:
        if key.startswith(PREFIX) and key not in allowed:
            raise wrong_field(BadRequest, f"metadata.{field}", key, f"what begins with {PREFIX} is Medea's own")
