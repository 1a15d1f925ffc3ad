"""Killed at a random moment under load: what was acknowledged is there, and everything gets where it should be.

Each round has a seed, printed in the header of the run and with a failure; the same `KECS_KILL_SEED` plays the same
requests again. The moment of the kill is so many acknowledged requests after the start, and a bit.
"""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from support.account import Account, random_account
from support.ledger import Ledger
from support.load import Client, prepare
from support.server import Server

ROUNDS = 20
CLIENTS = 4
# A server lives twice in a round: what was written after a kill is killed too.
LIVES = 2


class Counter:
    """Counts acknowledged requests, and tells when there are enough."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Condition()

    def add(self) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def wait(self, count: int, within: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.count >= count, within)


def live(server: Server, clients: list[Client], counter: Counter, dice: random.Random) -> None:
    """A life under load, up to its sudden end."""
    enough = counter.count + dice.randrange(20, 120)
    for client in clients:
        client.start()
    counter.wait(enough, within=30)
    time.sleep(dice.random() * 0.01)  # Not to let anything happen, but to hit it anywhere.
    server.kill()
    for client in clients:
        client.join(30)
        assert not client.is_alive(), f"{client.name} hangs"
        if client.error is not None:
            raise client.error


@pytest.mark.parametrize("number", range(ROUNDS), ids=lambda number: f"round-{number}")
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, number: int) -> None:
    base = int(os.environ["KECS_KILL_SEED"])
    print(f"KECS_KILL_SEED={base}, round {number}")
    dice = random.Random(f"{base}/{number}")
    server = Server.start(tmp_path / "data")
    try:
        owner = random_account()
        counter = Counter()
        ledger: list[Client] = []
        for life in range(LIVES):
            account = Account(server.api, owner)
            numbers = [life * CLIENTS + index for index in range(CLIENTS)]
            prepare(account, numbers)
            clients = [
                Client(Account(server.api, owner), client_number, dice.randrange(2**32), counter.add)
                for client_number in numbers
            ]
            ledger += clients
            live(server, clients, counter, dice)
            server = Server.start(tmp_path / "data")
            account = Account(server.api, owner)
            for client in ledger:
                client.account = account
                Ledger(client).check()
                Ledger(client).ask_again(3)
        for client in ledger:
            Ledger(client).converge()
            print(client.name, client.counts)
        assert counter.count >= 20 * LIVES
    finally:
        server.kill()
