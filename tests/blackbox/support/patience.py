"""Waiting for something to become true, with a deadline and without a fixed sleep."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# What is simulated without delays is there within milliseconds; the rest is room for a busy machine.
# A Pod takes its seconds.
WITHIN = 90.0 if os.environ.get("KECS_TEST_ORCHESTRATOR") == "kubernetes" else 20.0
# Often enough to lose no time, seldom enough not to be the load itself.
EVERY = 0.02


def until(
    look: Callable[[], T],
    good: Callable[[T], object],
    *,
    within: float = WITHIN,
    what: str = "",
) -> T:
    """Looks again and again until what is seen is good, and returns it."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if good(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or good}; last seen: {seen!r}")
        time.sleep(EVERY)


def always(look: Callable[[], T], good: Callable[[T], object], *, during: float, what: str = "") -> None:
    """Checks that what is seen is good all the time, for a while."""
    deadline = time.monotonic() + during
    while time.monotonic() < deadline:
        seen = look()
        assert good(seen), f"{what or good}: {seen!r}"
        time.sleep(EVERY)
