"""What the agent of a held Workflow needs to start where registries are private or nodes are tainted."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from webhook.model.objects import Object


class AgentPod(BaseModel):
    """Written as the pod's own fields would be, except that pull secrets are names."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    image_pull_secrets: tuple[str, ...] = ()
    tolerations: tuple[dict[str, Any], ...] = ()
    node_selector: dict[str, str] = {}
    priority_class_name: str = ""

    def workflow_spec(self) -> Object:
        """The fields of a Workflow's spec from which Argo makes the agent's pod; only those that say something."""
        fields = {
            "imagePullSecrets": [{"name": name} for name in self.image_pull_secrets],
            "tolerations": list(self.tolerations),
            "nodeSelector": self.node_selector,
            "podPriorityClassName": self.priority_class_name,
        }
        return {name: value for name, value in fields.items() if value}


PLAIN = AgentPod()
"""Nothing special."""
