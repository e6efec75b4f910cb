"""What the kill tests ask for by name."""

from collections.abc import Iterator

import pytest

from kill.account import Emulator
from kill.child import Nursery
from kill.proxy import Proxy
from kill.world import Maker


@pytest.fixture(scope="module")
def proxy(clocked_aws: Emulator) -> Iterator[Proxy]:
    with Proxy(clocked_aws.endpoint.removeprefix("http://")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory, clocked_aws: Emulator) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp("kill")
    with Nursery(folder, folder / "log", clocked_aws.clock) as nursery:
        yield nursery


@pytest.fixture
def maker(clocked_aws: Emulator, proxy: Proxy, nursery: Nursery) -> Iterator[Maker]:
    maker = Maker(clocked_aws, proxy, nursery)
    yield maker
    maker.account.delete()
