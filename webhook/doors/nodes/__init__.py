"""Node placement, as the node allocator does it: a Workflow comes in, and goes out with a `nodeSelector` on its steps.

manifest      reads a Workflow, and writes selectors into its text    (with yaml_text and json_text; pure)
fitting       which targets it may go to, by their node pools         (pure)
nodes         asks the front door where it would go, or submits it
routes        `POST /yaml` and `POST /run`, in the API
questions     the same over RabbitMQ    (with allocator, its own message; pure)
"""
