"""Every kind of place is known wherever one has to be: what was forgotten for a new one fails here."""

import pytest

from comfydesk.client.address import Address
from comfydesk.credentials import Secret
from comfydesk.session.pods.links import open_engine
from comfydesk.session.pods.places import Place, PlaceKind
from comfydesk.session.pods.profile_checks import problems
from comfydesk.session.pods.profiles import PodProfile, SshSettings, new_id
from comfydesk.session.pods.reach import make_host

RENTED = [kind for kind in PlaceKind if kind.rented]
ENGINES = [kind for kind in PlaceKind if kind.engine]


async def nowhere() -> Address:
    raise AssertionError("nobody asked")


@pytest.mark.parametrize("kind", RENTED)
async def test_each_provider_has_a_client_and_an_account(kind: PlaceKind) -> None:
    assert kind.account
    host = make_host(kind, Secret("key"))
    try:
        assert host.label
    finally:
        await host.close()


@pytest.mark.parametrize("kind", ENGINES)
def test_each_engine_is_opened(kind: PlaceKind) -> None:
    assert open_engine(kind, nowhere, "me") is not None


@pytest.mark.parametrize("kind", PlaceKind)
def test_nothing_is_taken_for_another_kind(kind: PlaceKind) -> None:
    if not kind.rented:
        with pytest.raises(ValueError, match="nobody rents out"):
            make_host(kind, Secret("key"))
    if not kind.engine:
        with pytest.raises(ValueError, match="no engine"):
            open_engine(kind, nowhere, "me")
    assert not (kind.rented and kind.engine)


@pytest.mark.parametrize("kind", PlaceKind)
def test_a_place_that_says_nothing_is_told_what_is_missing(kind: PlaceKind) -> None:
    profile = PodProfile(new_id(), "new", Place(kind), ssh=SshSettings() if kind is PlaceKind.SSH else None)
    assert kind is PlaceKind.COMFY or problems(profile), "only Comfy Cloud is known without an address"
