"""What was expected and what was seen."""

# ruff: noqa: T201
from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Report:
    """Says each promise as it is kept or broken."""

    failed: list[str] = field(default_factory=list)
    kept: int = 0
    server: str = ""
    """Which server, in which version."""

    def title(self, text: str) -> None:
        """A new chapter."""
        print(f"\n{text}", flush=True)

    def played_with(self, server: str) -> None:
        """Which server this is about."""
        self.server = server
        self.note(server)

    def note(self, text: str) -> None:
        """Something seen, neither good nor bad."""
        print(f"    {text}", flush=True)

    def check(self, promise: str, good: bool, seen: object = "") -> None:
        """One promise; ``seen`` is shown when it was not kept."""
        if good:
            self.kept += 1
        else:
            self.failed.append(promise)
        print(f"  {'✓' if good else '✗'} {promise}{'' if good else f' — seen: {seen}'}", flush=True)

    def same(self, promise: str, seen: object, expected: object) -> None:
        """One promise about a value."""
        self.check(promise, seen == expected, f"{seen!r}, expected {expected!r}")

    async def eventually(self, promise: str, look: Callable[[], Awaitable[bool] | bool], *, within_s: float = 40.0) -> None:
        """One promise that takes its time; the time is told."""
        start = time.monotonic()
        while True:
            found = look()
            good = found if isinstance(found, bool) else await found
            took = time.monotonic() - start
            if good or took > within_s:
                self.check(f"{promise} ({took:.1f} s)", good, "nothing of the kind")
                return
            await asyncio.sleep(0.1)
