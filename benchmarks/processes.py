"""A daemon as its users have it, a process of its own; and what /proc says of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

UNIT = Path(__file__).parent.parent / "systemd" / "syndicator.service"


def environment() -> dict[str, str]:
    """Ours, with what systemd puts into that of the service."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return {**os.environ, **dict(line.removeprefix("Environment=").split("=", 1) for line in lines if line.startswith("Environment="))}


@contextmanager
def daemon(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """``syndicator run`` with ``arguments``; ended in order."""
    command = [sys.executable, "-m", "syndicator", "run", *arguments]
    none = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=none, stdout=none, stderr=none, env=environment())
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def until(condition: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait for it; raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s")
        time.sleep(0.05)


def settled_kb(pid: int, *, quiet_s: float = 2.0, within_s: float = 60.0) -> None:
    """Wait until the memory of ``pid`` has not grown for ``quiet_s``."""
    deadline, since, last = time.monotonic() + within_s, time.monotonic(), memory_kb(pid)["Rss"]
    while time.monotonic() - since < quiet_s and time.monotonic() < deadline:
        time.sleep(0.2)
        now = memory_kb(pid)["Rss"]
        if abs(now - last) > 64:
            since, last = time.monotonic(), now


def memory_kb(pid: int) -> dict[str, int]:
    """``Rss``, ``Pss``, ``Anonymous`` … of a process (proc_pid_smaps(5))."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def status_kb(pid: int, field: str) -> int:
    """``VmRSS`` or ``VmHWM`` of a process, as ps and systemd see them (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def cpu_s(pid: int) -> float:
    """CPU time that a process has used, all of its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
