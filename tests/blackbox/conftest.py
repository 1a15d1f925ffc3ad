"""The fixtures: a server per worker, an account of its own for each test."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.account import REGIONS, Account
from support.cli import Cli
from support.server import Server, kubernetes_asked_for

DURABLE = "duckdb"


def pytest_configure() -> None:
    """One seed for the kill test of all workers, which inherit it."""
    os.environ.setdefault("KECS_KILL_SEED", str(random.SystemRandom().randrange(2**32)))


def pytest_report_header() -> str:
    """Tells the seed, so that a run can be played again."""
    return f"kecs: KECS_KILL_SEED={os.environ['KECS_KILL_SEED']}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Against Kubernetes, what only the simulation can show is skipped, with the reason."""
    if not kubernetes_asked_for():
        return
    for item in items:
        marker = item.get_closest_marker("simulated")
        flags = getattr(getattr(item, "module", None), "FLAGS", [])
        if marker:
            item.add_marker(pytest.mark.skip(reason=f"simulated: {marker.args[0]}"))
        elif any(flag.startswith("--sim-") for flag in flags):
            item.add_marker(pytest.mark.skip(reason="simulated: it chooses its nodes"))


@pytest.fixture(scope="session")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the default storage that most tests share."""
    server = Server.start(tmp_path_factory.mktemp("kecs") / "data")
    yield server
    assert server.process.poll() is None, f"the server ended by itself:\n{server.log()}"
    assert server.stop() == 0, server.log()


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of a module: the shared one, or one of its own where the module sets `STORAGE` or `FLAGS`."""
    storage: str = getattr(request.module, "STORAGE", DURABLE)
    flags: list[str] = getattr(request.module, "FLAGS", [])
    if storage == DURABLE and not flags:
        yield request.getfixturevalue("durable")
        return
    own = Server.start(tmp_path_factory.mktemp("kecs") / "data", *flags, storage=storage)
    yield own
    assert own.stop() == 0, own.log()


@pytest.fixture
def account(server: Server) -> Iterator[Account]:
    """An account that nobody else uses, in some region."""
    made = Account(server.api, region=random.SystemRandom().choice(REGIONS))
    yield made
    if kubernetes_asked_for():
        # The real node is small: what is left running would take the place of the next test's tasks.
        made.clear()


@pytest.fixture
def new_account(server: Server) -> Callable[..., Account]:
    """Makes further accounts on the same server."""

    def make(account: str | None = None, region: str = "us-east-1") -> Account:
        return Account(server.api, account, region)

    return make


@pytest.fixture
def cli(account: Account, tmp_path: Path) -> Cli:
    """The aws CLI in the test's account."""
    return Cli(account.endpoint, account.account, account.region, tmp_path)
