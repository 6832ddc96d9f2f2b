"""What we tell systemd: ready, reloading, stopping, alive, and one line of status. Without systemd, nothing happens.

Protocol: sd_notify(3): newline-separated assignments in one datagram to the Unix socket named by ``NOTIFY_SOCKET``.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping


def notify(environ: Mapping[str, str], *assignments: str) -> bool:
    """Send ``assignments`` (``READY=1``, …) to the service manager; False when there is none or it does not listen."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not assignments:
        return False
    target = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.connect(target)
            sender.sendall("\n".join(assignments).encode())
    except OSError:
        return False
    return True


def ready(environ: Mapping[str, str], status: str = "") -> bool:
    """Start-up, or a reload, is complete."""
    return notify(environ, "READY=1", *_status(status))


def reloading(environ: Mapping[str, str], *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> bool:
    """A reload begins; ``ready`` ends it. Type=notify-reload insists on the instant (CLOCK_MONOTONIC) to tell reloads apart."""
    return notify(environ, "RELOADING=1", f"MONOTONIC_USEC={monotonic_ns() // 1000}")


def stopping(environ: Mapping[str, str], status: str = "") -> bool:
    """The end begins."""
    return notify(environ, "STOPPING=1", *_status(status))


def alive(environ: Mapping[str, str]) -> bool:
    """The loop turns: to be called only by something that would not be reached if it did not."""
    return notify(environ, "WATCHDOG=1")


def status(environ: Mapping[str, str], text: str) -> bool:
    """One line for ``systemctl status``."""
    return notify(environ, *_status(text))


def _status(text: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def watchdog_interval_s(environ: Mapping[str, str], *, pid: int | None = None) -> float | None:
    """How often to call ``alive``: half of what the unit's WatchdogSec allows; None when nobody watches us (sd_watchdog_enabled(3))."""
    value, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not value.isdigit() or int(value) == 0:
        return None
    if watched and watched != str(os.getpid() if pid is None else pid):
        return None
    return int(value) / 2_000_000
