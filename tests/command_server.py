"""``python -m tests.command_server FD``: has loaded what commands load, and forks a process for each command that comes through a socket.

A command costs what it does, not the second that Python takes to load its libraries. What it finds is what a process of its own finds: its
arguments, environment, folder and streams; nothing of one command is left for the next. What the start of Python itself does (what loads
what, and in which order) is seen by the ``fresh`` processes of ``shell_scene``, by ``test_cli``, ``test_weight`` and ``test_architecture``.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import threading
import time
import traceback
from typing import Any

import connectors
import syndicator

NEVER_LOADED = ("syndicator.__main__", "syndicator.sandbox", "syndicator.testing", "syndicator.cli.demo")
LIBRARIES = (
    *("aiohttp.web", "feedparser", "html.parser", "mastodon", "PIL.Image", "requests", "xml.etree.ElementTree"),
    *("_strptime", "encodings.idna", "encodings.unicode_escape", "encodings.utf_16_le", "encodings.utf_8_sig"),
)
"""What one command or another loads when it first needs it."""
MESSAGE_MAX = 1 << 20


def load() -> None:
    """All of ours, and what it loads; nothing of it runs yet."""
    for package in (syndicator, connectors):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _: None):
            if not module.name.startswith(NEVER_LOADED):
                importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def serve(control: socket.socket) -> list[str] | None:
    """Fork for each job, until nobody can send one any more; in the new process, its command line, else None."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    waited_for: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 512)
            _reap(waited_for)
        if control not in ready:
            continue
        message, fds, _, _ = socket.recv_fds(control, MESSAGE_MAX, 4)
        if not message:
            return None
        pid = os.fork()
        if pid == 0:
            for inherited in (control, *waited_for.values()):
                inherited.detach()
            return _become(json.loads(message), fds[:3])
        *streams, answers = fds
        for fd in streams:
            os.close(fd)
        waited_for[pid] = socket.socket(fileno=answers)
        waited_for[pid].sendall(f"{pid}\n".encode())


def _reap(waited_for: dict[int, socket.socket]) -> None:
    """Tell how those ended that did."""
    while waited_for:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with waited_for.pop(pid) as answers, contextlib.suppress(OSError):  # whoever waited for it may have left
            answers.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(job: dict[str, Any], streams: list[int]) -> list[str]:
    """Take over the job's streams, environment and folder; nothing else of ours stays open."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    if job["cwd"]:
        os.chdir(job["cwd"])
    return list(job["argv"])


def run(argv: list[str]) -> int:
    """The command, then what Python does at its end; only the libraries are not taken down one by one."""
    from syndicator.cli import main

    sys.argv = argv
    code = 1
    try:
        code = main()
    except Exception:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    load()
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        job = serve(asked)
    if job is not None:
        os._exit(run(job))
