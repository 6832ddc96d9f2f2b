"""What the suites of sources and publishers share: a simulator and a context for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.sandbox.server import Simulator
from syndicator.testing.makers import make_context

HTML_ERROR = b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>"


class Suite:
    connector: type[Any]

    async def start(self) -> Simulator:
        """The service's simulator, listening, with the world that the suite describes."""
        raise AssertionError("say how the simulator starts")

    def options(self, simulator: Simulator) -> Any:
        """``connector.Options`` that reach that world."""
        raise AssertionError("say which options reach the simulator")

    @pytest.fixture
    async def simulator(self) -> AsyncIterator[Simulator]:
        simulator = await self.start()
        yield simulator
        await simulator.stop()

    @pytest.fixture
    async def context(self, tmp_path: Path) -> AsyncIterator[Context]:
        sessions = Sessions()
        yield make_context(tmp_path, sessions)
        await sessions.close()
