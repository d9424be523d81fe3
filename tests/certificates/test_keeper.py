"""The leader keeps authority, bundle and serving certificate, whatever becomes of them."""

import base64
import datetime
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from certs import authority, pem
from tests.certificates.house import MINUTE, NAME, SYSTEM, House, pair, trusted
from tests.support.fake_apiserver import HANG, LOSE, REFUSE, Call, Fault, answer
from webhook.certificates.names import names_in
from webhook.kube.resources import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS
from webhook.model.limits.certificates import CERTIFICATE_LOOK, CERTIFICATE_RETIRED_AFTER, CERTIFICATE_RETRY

DAY = datetime.timedelta(days=1)
YEAR = 365 * DAY


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def lasting() -> House:
    return House(authority_life=10 * YEAR, life=90 * DAY)


def reasons(house: House) -> list[str]:
    """Look once; why certificates were made."""
    with capture_logs() as logs:
        house.keeper.step()
    return [f"{one['certificate']}: {one['reason']}" for one in logs if one["event"] == "certificate made"]


def test_everything_is_made_at_the_first_look_and_nothing_at_the_next(house: House) -> None:
    assert reasons(house) == ["authority: there was none", "serving: there was none"]
    house.check_trust()
    house.writes()
    house.keeper.step()
    assert house.writes() == []


def test_the_bundle_is_trusted_before_the_certificate_is_served(house: House) -> None:
    house.keeper.step()
    assert house.writes() == [
        ("create", "medea-authority"),
        ("replace", "medea"),
        ("replace", "medea"),
        ("create", "medea-tls"),
    ]


def test_the_secret_is_one_that_others_know_how_to_use(house: House) -> None:
    house.keeper.step()
    found = house.front.get(SECRETS, SYSTEM, "medea-tls")
    assert found is not None and found["type"] == "kubernetes.io/tls"
    assert sorted(house.secret("medea-tls")) == ["ca.crt", "tls.crt", "tls.key"]


@pytest.mark.parametrize("service", ["medea", "medea-plugin", "medea-api", "medea-logs"])
def test_each_service_is_served_under_its_names(service: str, house: House) -> None:
    house.keeper.step()
    names = {str(name.value) for name in authority.names_of(house.leaf())}
    assert {f"{service}.medea-system.svc", f"{service}.medea-system.svc.cluster.local"} <= names


def test_whoever_has_the_authoritys_key_is_not_who_serves(house: House) -> None:
    house.keeper.step()
    assert house.secret("medea-authority")["ca.key"] not in house.secret("medea-tls").values()


def test_a_serving_certificate_is_renewed_at_two_thirds_of_its_life(lasting: House) -> None:
    lasting.keeper.step()
    before = lasting.secret("medea-tls")
    lasting.clock.advance((60 * DAY).total_seconds() - 600)
    assert reasons(lasting) == []
    lasting.clock.advance(600)
    assert reasons(lasting) == ["serving: less than a third of its life is left"]
    after = lasting.secret("medea-tls")
    assert after["ca.crt"] == before["ca.crt"]
    assert after["tls.key"] != before["tls.key"]
    lasting.check_trust()


def test_an_authority_is_replaced_in_the_last_third_of_its_life_and_the_next_signs_from_half_of_that_on(
    lasting: House,
) -> None:
    lasting.keeper.step()
    first = lasting.authority()
    lasting.clock.advance((10 * YEAR * 2 / 3).total_seconds() + 600)
    assert "authority: less than a third of its life is left" in reasons(lasting)
    second = lasting.authority()
    assert lasting.authority("old.crt") == first != second
    assert authority.signed_by(lasting.leaf(), first)
    lasting.clock.advance((10 * YEAR / 6).total_seconds() - (3 * DAY).total_seconds())
    lasting.keeper.step()
    assert authority.signed_by(lasting.leaf(), first)
    lasting.clock.advance((3 * DAY).total_seconds())
    assert reasons(lasting) == ["serving: a newer authority signs now"]
    assert authority.signed_by(lasting.leaf(), second)
    assert all(text.count("BEGIN") == 2 for text in lasting.bundles())
    lasting.clock.advance(CERTIFICATE_RETIRED_AFTER)
    lasting.keeper.step()
    assert all(text.encode() == pem.certificate_pem(second) for text in lasting.bundles())
    assert sorted(lasting.secret("medea-authority")) == ["ca.crt", "ca.key"]


def test_with_certificates_that_live_for_a_minute_whoever_connects_trusts_what_is_served(house: House) -> None:
    house.keeper.step()
    seen = set()
    for _ in range(20):
        house.pass_time(30)
        house.keeper.step()
        assert all(one.not_valid_after_utc > house.clock.now() for one in house.trusted_authorities())
        seen.add(house.authority())
    assert len(seen) > 10


def test_a_client_that_read_the_bundle_when_a_rotation_began_trusts_what_is_served_until_the_next(house: House) -> None:
    house.keeper.step()
    for _ in range(3):
        older = house.authority()
        while house.authority() == older:
            house.pass_time(1)
        bundle, newer = house.bundles()[0], house.authority()
        while house.authority() == newer:
            house.pass_time(1)
            assert trusted(house.leaf(), bundle, house.clock.now())


def test_it_looks_often_enough_for_certificates_that_live_for_a_minute(house: House, lasting: House) -> None:
    assert house.keeper.step() == 2
    assert lasting.keeper.step() == CERTIFICATE_LOOK


# --- damage


def _without(*names: str) -> Callable[[House], None]:
    def damage(house: House) -> None:
        for name in names:
            house.delete_secret(name)

    return damage


def _changed(secret: str, **data: bytes) -> Callable[[House], None]:
    """Keys are given with _ for the dot."""

    def damage(house: House) -> None:
        house.put_secret(secret, {**house.secret(secret), **{key.replace("_", "."): data[key] for key in data}})

    return damage


def _emptied(secret: str) -> Callable[[House], None]:
    return lambda house: house.put_secret(secret, {})


def _no_base64(house: House) -> None:
    house.front.put(SECRETS, {"metadata": {"name": "medea-tls", "namespace": SYSTEM}, "data": {"tls.crt": "ä!"}})


def _no_data(house: House) -> None:
    house.front.put(SECRETS, {"metadata": {"name": "medea-authority", "namespace": SYSTEM}, "data": None})


def _foreign(house: House) -> None:
    """Somebody brings a certificate of another authority."""
    _, tls = pair(names_in(SYSTEM), house.clock.now(), 90 * DAY)
    house.put_secret("medea-tls", tls)


def _other_names(house: House) -> None:
    ca = house.secret("medea-authority")
    certificate, ca_key = pem.read_certificates(ca["ca.crt"])[0], pem.read_key(ca["ca.key"])
    key = pem.make_key()
    names = authority.subjects(["elsewhere"], [])
    made = authority.make_serving(certificate, ca_key, key.public_key(), names, house.clock.now(), 90 * DAY)
    _changed("medea-tls", tls_crt=pem.certificate_pem(made), tls_key=pem.key_pem(key))(house)


def _expired(house: House) -> None:
    ca, tls = pair(names_in(SYSTEM), house.clock.now() - DAY, MINUTE)
    house.put_secret("medea-authority", ca)
    house.put_secret("medea-tls", tls)


def _no_authority(house: House) -> None:
    """A certificate that may not sign, in the place of one that may."""
    tls = house.secret("medea-tls")
    house.put_secret("medea-authority", {"ca.crt": tls["tls.crt"], "ca.key": tls["tls.key"]})


_OTHER_KEY = pem.key_pem(pem.make_key())

DAMAGE: list[tuple[Callable[[House], None], list[str]]] = [
    (_without("medea-tls"), ["serving: there was none"]),
    (_emptied("medea-tls"), ["serving: there was none"]),
    (_no_base64, ["serving: there was none"]),
    (_changed("medea-tls", tls_crt=b"garbage"), ["serving: tls.crt is not a certificate"]),
    (_changed("medea-tls", tls_crt=b""), ["serving: tls.crt is not a certificate"]),
    (_changed("medea-tls", tls_key=b"garbage"), ["serving: tls.key is not a private key that can be read"]),
    (_changed("medea-tls", tls_key=_OTHER_KEY), ["serving: tls.crt and tls.key do not belong together"]),
    (_foreign, ["serving: no authority in use signed it"]),
    (_other_names, ["serving: it holds other names"]),
    (_changed("medea-tls", ca_crt=b"garbage"), []),
    (_without("medea-authority"), ["authority: there was none"]),
    (_emptied("medea-authority"), ["authority: there was none"]),
    (_no_data, ["authority: there was none"]),
    (_changed("medea-authority", ca_crt=b"garbage"), ["authority: ca.crt is not a certificate"]),
    (_changed("medea-authority", ca_key=b"garbage"), ["authority: ca.key is not a private key that can be read"]),
    (_changed("medea-authority", ca_key=_OTHER_KEY), ["authority: ca.crt and ca.key do not belong together"]),
    (_no_authority, ["authority: ca.crt is not an authority's"]),
    (_without("medea-authority", "medea-tls"), ["authority: there was none", "serving: there was none"]),
    (_expired, ["authority: it is not valid any more", "serving: no authority in use signed it"]),
]


@pytest.mark.parametrize(("damage", "made"), DAMAGE, ids=[str(number) for number in range(len(DAMAGE))])
def test_what_somebody_damaged_is_repaired_at_the_next_look(
    damage: Callable[[House], None], made: list[str], lasting: House
) -> None:
    lasting.keeper.step()
    damage(lasting)
    assert reasons(lasting) == made
    lasting.check_trust()
    assert reasons(lasting) == []


def test_when_the_authority_is_lost_what_is_served_stays_trusted_until_it_is_due(lasting: House) -> None:
    lasting.keeper.step()
    first, leaf = lasting.authority(), lasting.leaf()
    lasting.delete_secret("medea-authority")
    lasting.keeper.step()
    assert lasting.leaf() == leaf
    assert lasting.authority("old.crt") == first
    assert "old.key" not in lasting.secret("medea-authority")
    lasting.clock.advance((61 * DAY).total_seconds())
    assert reasons(lasting) == ["serving: less than a third of its life is left"]
    assert authority.signed_by(lasting.leaf(), lasting.authority())
    lasting.check_trust()
    lasting.clock.advance(CERTIFICATE_RETIRED_AFTER)
    lasting.keeper.step()
    assert {text.encode() for text in lasting.bundles()} == {pem.certificate_pem(lasting.authority())}


def test_when_both_secrets_are_deleted_the_old_authority_is_trusted_no_more(lasting: House) -> None:
    lasting.keeper.step()
    stolen = lasting.leaf()
    lasting.delete_secret("medea-authority")
    lasting.delete_secret("medea-tls")
    lasting.keeper.step()
    assert not any(trusted(stolen, text, lasting.clock.now()) for text in lasting.bundles())
    lasting.check_trust()


def test_what_somebody_made_by_hand_stays_trusted_while_it_is_replaced(lasting: House) -> None:
    ca, tls = pair(names_in(SYSTEM), lasting.clock.now(), 90 * DAY)
    lasting.put_secret("medea-tls", {key: tls[key] for key in ("tls.crt", "tls.key")})
    by_hand = base64.b64encode(ca["ca.crt"]).decode()
    webhooks = [{"name": "one", "clientConfig": {"caBundle": by_hand}}]
    lasting.front.put(MUTATING_WEBHOOKS, {"metadata": {"name": "medea"}, "webhooks": webhooks})
    assert reasons(lasting) == ["authority: there was none"]
    lasting.check_trust()
    assert lasting.secret("medea-tls")["tls.crt"] == tls["tls.crt"]
    lasting.clock.advance((61 * DAY).total_seconds())
    assert reasons(lasting) == ["serving: less than a third of its life is left"]
    lasting.check_trust()


@pytest.mark.parametrize("kind", [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS])
def test_a_bundle_that_somebody_took_away_is_written_again(kind: object, house: House) -> None:
    house.keeper.step()
    assert kind in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS)
    resource = MUTATING_WEBHOOKS if kind == MUTATING_WEBHOOKS else VALIDATING_WEBHOOKS
    house.front.put(resource, {"metadata": {"name": "medea"}, "webhooks": [{"name": "one"}, {"name": "three"}]})
    house.writes()
    house.keeper.step()
    assert house.writes() == [("replace", "medea")]
    assert len(house.bundles((resource,))) == 2
    house.check_trust()


def test_everything_else_in_a_configuration_stays(house: House) -> None:
    house.keeper.step()
    found = house.front.get(MUTATING_WEBHOOKS, "", "medea")
    assert found is not None
    assert [one["clientConfig"]["service"] for one in found["webhooks"]] == [{"name": "medea"}] * 2


def test_the_configurations_of_others_are_left_alone(house: House) -> None:
    house.front.put(MUTATING_WEBHOOKS, {"metadata": {"name": "kueue"}, "webhooks": [{"name": "theirs"}]})
    house.pass_time(120)
    assert "kueue" not in {call.name for call in house.front.calls}


def test_without_configurations_there_is_a_certificate_all_the_same(house: House) -> None:
    for kind in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        house.front.remove(kind, None, "medea")
    house.keeper.step()
    assert house.leaf()


# --- failures


def _refused(*verbs: str) -> Callable[[Call], Fault | None]:
    """Medea lacks the right to do this with one kind of configuration."""
    return lambda call: (
        answer(403, "no right", "Forbidden")
        if call.verb in verbs and call.resource == VALIDATING_WEBHOOKS.plural
        else None
    )


@pytest.mark.parametrize("verb", ["get", "replace"])
def test_while_a_configuration_is_out_of_reach_the_authority_that_it_trusts_goes_on_signing(
    verb: str, lasting: House
) -> None:
    lasting.keeper.step()
    first, leaf = lasting.authority(), lasting.leaf()
    lasting.front.faults = _refused(verb)
    lasting.clock.advance((7 * YEAR).total_seconds())
    with capture_logs() as logs:
        assert lasting.keeper.step() == CERTIFICATE_RETRY
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["certificates not kept"]
    lasting.clock.advance((2 * YEAR).total_seconds())
    lasting.keeper.step()
    assert lasting.authority() != first
    assert authority.signed_by(lasting.leaf(), first) and lasting.leaf() != leaf
    lasting.check_trust()
    lasting.front.faults = lambda _: None
    assert reasons(lasting) == ["serving: a newer authority signs now"]
    lasting.check_trust()


def test_when_the_authority_is_lost_too_what_is_trusted_is_served_to_its_end(lasting: House) -> None:
    lasting.keeper.step()
    leaf = lasting.leaf()
    lasting.delete_secret("medea-authority")
    lasting.front.faults = _refused("replace")
    lasting.clock.advance((89 * DAY).total_seconds())
    lasting.keeper.step()
    assert lasting.leaf() == leaf
    lasting.front.faults = lambda _: None
    assert reasons(lasting) == ["serving: less than a third of its life is left"]
    lasting.check_trust()


def test_an_authority_that_is_due_stays_trusted_even_if_nothing_shows_that_it_is_in_use(lasting: House) -> None:
    lasting.keeper.step()
    first = lasting.authority()
    lasting.clock.advance((7 * YEAR).total_seconds())
    lasting.delete_secret("medea-tls")
    lasting.keeper.step()
    assert authority.signed_by(lasting.leaf(), first)
    lasting.check_trust()


def _fails_once(fault: Fault, *, after: int) -> Callable[[Call], Fault | None]:
    """A write fails, once so many have not."""
    left = iter([False] * after + [True])
    return lambda call: fault if call.verb in ("create", "replace") and next(left, False) else None


@pytest.mark.parametrize("fault", [HANG, LOSE, REFUSE, answer(500), answer(409, "changed", "Conflict")], ids=str)
def test_after_a_failed_write_it_looks_again_soon_and_goes_on(fault: Fault) -> None:
    house = House(authority_life=10 * YEAR, life=90 * DAY)
    for number in range(4):
        for name in ("medea-authority", "medea-tls"):
            if house.front.get(SECRETS, SYSTEM, name):
                house.delete_secret(name)
        house.front.faults = _fails_once(fault, after=number)
        waits = [house.keeper.step() for _ in range(3)]
        assert waits[0] == CERTIFICATE_RETRY
        assert waits[-1] == CERTIFICATE_LOOK
        house.check_trust()


def _lost(house: House) -> None:
    for name in ("medea-authority", "medea-tls"):
        _emptied(name)(house)


@pytest.mark.parametrize("moment", range(1, 10))
@pytest.mark.parametrize("rests", [(), (41,), (41, 11)])
@pytest.mark.parametrize("damage", [lambda _: None, _without("medea-authority"), _emptied("medea-authority"), _lost])
def test_a_second_leader_at_any_moment_leaves_what_is_trusted(
    damage: Callable[[House], None], rests: tuple[float, ...], moment: int, house: House
) -> None:
    house.keeper.step()
    for rest in rests:
        house.clock.advance(rest)
        house.keeper.step()
    damage(house)
    other, left = house.another("other"), moment

    def cut_in(call: Call) -> Fault | None:
        nonlocal left
        left -= call.user == "leader"
        if left == 0:
            left -= 1
            other.step()
        return None

    house.front.faults = cut_in
    house.keeper.step()
    if left < 0:
        house.check_trust()
    house.front.faults = lambda _: None
    house.keeper.step()
    house.check_trust()


@pytest.mark.parametrize("moment", range(1, 10))
def test_a_leader_that_is_held_up_while_everything_is_replaced_changes_nothing_of_it(
    moment: int, lasting: House
) -> None:
    lasting.keeper.step()
    lasting.delete_secret("medea-tls")
    other, left = lasting.another("other"), moment

    def cut_in(call: Call) -> Fault | None:
        nonlocal left
        left -= call.user == "leader"
        if left == 0:
            left -= 1
            _without("medea-authority", "medea-tls")(lasting)
            other.step()
        return None

    lasting.front.faults = cut_in
    lasting.keeper.step()
    if left < 0:
        lasting.check_trust()


@pytest.mark.parametrize("moment", range(1, 13))
def test_a_leader_that_dies_at_any_moment_leaves_what_is_trusted(moment: int) -> None:
    house = House()
    house.keeper.step()
    for rest in (41, 11, 15, 30, 41, 11):
        house.clock.advance(rest)
        left = moment

        def die(_: Call) -> Fault | None:
            nonlocal left
            left -= 1
            return REFUSE if left < 0 else None

        house.front.faults = die
        house.keeper.step()
        house.front.faults = lambda _: None
        house.check_trust()
        house.keeper = house.another()
        house.keeper.step()
        house.check_trust()


def test_no_key_is_ever_in_a_log(lasting: House) -> None:
    keys: set[str] = set()
    with capture_logs() as logs:
        for damage, _ in DAMAGE:
            lasting.keeper.step()
            keys |= {
                value.decode().splitlines()[1]
                for name in ("medea-authority", "medea-tls")
                for key, value in lasting.secret(name).items()
                if key.endswith(".key")
            }
            damage(lasting)
        lasting.front.faults = lambda call: answer(422, "no", "Invalid") if call.verb != "get" else None
        lasting.keeper.step()
    said = repr(logs)
    assert len(keys) > 10 and "certificate made" in said and "not kept" in said
    assert not any(key in said or base64.b64encode(key.encode()).decode()[4:40] in said for key in keys)


def test_names_are_those_of_the_namespace() -> None:
    names = {str(name.value) for name in names_in("elsewhere", " localhost, 127.0.0.1,,fd00::1 ")}
    assert {"medea.elsewhere.svc", "localhost", "127.0.0.1", "fd00::1"} < names
    assert NAME not in names
