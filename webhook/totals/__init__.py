"""What a Workflow needs at its peak. Pure: values in, values out; no I/O, no clock, no Kubernetes client."""
