"""Processes that are surely ended: each in a group of its own, ended by its id."""

# ruff: noqa: S310
from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

BOOT_S = 120.0
"""A busy machine takes a minute to start a PDS."""
STOP_S = 15.0


@dataclass
class Running:
    """One process; what it says goes into ``log``."""

    process: asyncio.subprocess.Process
    log: Path

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it and its children to end, make sure, and say how it ended."""
        self._signal(number)
        try:
            async with asyncio.timeout(STOP_S):
                code = await self.process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            code = await self.process.wait()
        # php -S leaves its workers behind.
        self._signal(signal.SIGKILL)
        return code

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def lines(self) -> list[str]:
        """What it said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()


async def start(*command: str | Path, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Running:
    """Start ``command`` in a group of its own."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file, env={**os.environ, **(env or {})}, cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
    return Running(process, log)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def answers(url: str, running: Running) -> None:
    """Wait until something answers at ``url``; RuntimeError with what the process said when nothing does."""
    for _ in range(int(BOOT_S / 0.1)):
        if running.process.returncode is not None:
            break
        with contextlib.suppress(OSError):
            await ask("GET", url)
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}:\n" + "\n".join(running.lines()[-20:]))


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: Message[str, str]
    body: bytes


async def ask(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """One request, any status, no redirect followed."""
    return await asyncio.to_thread(_ask, method, url, dict(headers or {}), body)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _ask(method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
    request = urllib.request.Request(url, method=method, headers=headers, data=body)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    try:
        with opener.open(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())
