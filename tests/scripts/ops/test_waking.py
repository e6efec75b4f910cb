"""A relay woken by a person asks a server again that it leaves alone."""

import asyncio
import time

import pytest

from ion.policy.backoff import Backoff
from ionctl.ops import waking
from relays import Operated

ALONE = Backoff("auth", "535 5.7.8 no", times=3, until=0, login="00" * 32)


def left_alone(relay: Operated, server: str, until: float) -> None:
    backoff = Backoff(ALONE.reason, ALONE.error, ALONE.times, int(until), ALONE.login)
    asyncio.run(relay.server_states.write(server, backoff))


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr("ionctl.ops.steering.wake", lambda relay: names.append(relay.name))
    return names


def test_each_server_that_is_left_alone_is_asked_again_and_its_refusals_count_on(
    relay: Operated, woken: list[str]
) -> None:
    later = time.time() + 1800
    left_alone(relay, "smtp", later)
    left_alone(relay, "smtp:backup", later)
    relay.logged("delivery still suspended", server="smtp:backup", reason="AUTH", reply="535")
    assert waking.wake(relay.deployment) == (
        "the relay is awake; smtp is asked again at once, though it refused before (AUTH); "
        "smtp:backup is asked again at once, though it refused before (AUTH)"
    )
    assert woken == ["ion"]
    for state in asyncio.run(relay.server_states.read(["smtp", "smtp:backup"])).values():
        assert state.backoff is not None
        assert state.backoff.until <= time.time()
        assert (state.backoff.times, state.backoff.login) == (ALONE.times, ALONE.login)


def test_a_relay_that_leaves_nobody_alone_is_woken(relay: Operated, woken: list[str]) -> None:
    left_alone(relay, "smtp", time.time() - 60)
    assert waking.wake(relay.deployment) == "the relay is awake"
    assert woken == ["ion"]


def test_it_makes_no_client_that_it_does_not_need(relay: Operated) -> None:
    deployment = relay.deployment
    waking.wake(deployment)
    clients = {name for name in vars(deployment.account) if not name.startswith("_")}
    assert clients - {"session", "endpoint_url"} == {"dynamodb", "functions", "logs"}
