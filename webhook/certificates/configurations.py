"""Which authorities Medea's own webhook configurations have in `caBundle`. Pure."""

from cryptography import x509

from webhook.certificates.contents import decoded, read_bundle
from webhook.model.objects import Object, mapping, mappings

_INJECTED = "cert-manager.io/inject-ca-from"
"""By this annotation cert-manager adds its authority to what is there, and again whenever somebody takes it out."""


def is_injected(configuration: Object) -> bool:
    """Whether cert-manager is to add its authority."""
    return _INJECTED in mapping(mapping(configuration.get("metadata")).get("annotations"))


def trusted_in(configuration: Object) -> list[x509.Certificate]:
    """The authorities that any of its webhooks trusts, in the order in which they are there."""
    bundles = dict.fromkeys(_ca_bundle(webhook) for webhook in mappings(configuration.get("webhooks")))
    return [one for text in bundles for one in read_bundle(decoded(text))]


def carries(configuration: Object, text: str) -> bool:
    """Whether each of its webhooks has exactly this `caBundle`."""
    return all(_ca_bundle(webhook) == text for webhook in mappings(configuration.get("webhooks")))


def with_bundle(configuration: Object, text: str) -> Object:
    """The same with this `caBundle` in each of its webhooks."""
    webhooks = [
        {**webhook, "clientConfig": {**mapping(webhook.get("clientConfig")), "caBundle": text}}
        for webhook in mappings(configuration.get("webhooks"))
    ]
    return {**configuration, "webhooks": webhooks}


def _ca_bundle(webhook: Object) -> object:
    return mapping(webhook.get("clientConfig")).get("caBundle")
