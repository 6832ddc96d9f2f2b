"""Other people's programs, run without a shell, within a time, in a session of their own: nothing can ask the terminal a question."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NOT_FOUND, NOT_RUNNABLE = 127, 126
"""What ``env`` ends with when there is no such program, or it may not be run."""
SAID_MAX = 2_000_000
_OURS = ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
"""What systemd tells the daemon alone."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program ended; None for one that took too long."""

    code: int | None
    out: bytes
    err: bytes

    def tail(self, lines: int = 8) -> str:
        """The last that it said, for the log."""
        said = (self.out + b"\n" + self.err).decode("utf-8", "replace")
        return "\n".join([line for line in (line.rstrip() for line in said.splitlines()) if line][-lines:])[-1_500:]


async def run(
    *command: str, cwd: Path, time_s: float, given: bytes = b"", without: tuple[str, ...] = (), env: tuple[str, ...] = ()
) -> Ended:
    """Run it to its end. ``env`` are further ``NAME=value``; it never sees our own variables, nor those in ``without``."""
    hidden = [part for name in (*_OURS, *without) for part in ("-u", name)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as into:
        into.write(given)
        into.seek(0)
        # Files, not pipes: a child that a program leaves behind would hold a pipe open for ever.
        process = await asyncio.create_subprocess_exec(
            "env", *hidden, *env, *command, cwd=cwd, stdin=into, stdout=out, stderr=err, start_new_session=True
        )
        code: int | None = None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(time_s):
                    code = await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return Ended(code=code, out=_last(out), err=_last(err))


def _last(file: IO[bytes]) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - SAID_MAX))
    return file.read()
