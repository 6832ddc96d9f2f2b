"""The command line as a person types it, in processes of their own, on a sandbox town.

Most of these processes are forks of ``command_server``, which has loaded the libraries already; ``fresh`` ones start Python.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import functools
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from syndicator.sandbox.town import Town

ROOT = Path(__file__).parent.parent
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
SIGNS_OF_A_BUG = ("Traceback", "Error(", "NoneType", "defect", "défaut")


def give_up_privilege() -> None:
    """Between fork and exec: what root may do whatever a file's mode says, the program to come may not (capabilities(7))."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a script reads."""
        return json.loads(self.out)


def environ(**more: str) -> dict[str, str]:
    """A person's environment, without anything that would choose a configuration for them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNDICATOR", "XDG", "LC_", "LANG"))}
    return kept | {"LANG": "C.UTF-8", "PYTHONWARNINGS": "error::ResourceWarning"} | more


class CommandServer:
    """``tests.command_server``, for as long as the tests of this process run."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.command_server", str(theirs.fileno())],
            cwd=ROOT,
            env=environ(PYTHONPATH=str(ROOT)),
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
        theirs.close()
        atexit.register(self.stop)

    def fork(self, job: Mapping[str, Any], *fds: int) -> None:
        """A process for ``job``, with three streams of its own and a socket that tells its number and how it ended."""
        socket.send_fds(self._control, [json.dumps(job).encode()], fds)

    def stop(self) -> None:
        """It ends when nobody can ask any more."""
        self._control.close()
        self._process.wait()


@functools.cache
def command_server() -> CommandServer:
    """The one of this process."""
    return CommandServer()


@dataclass(kw_only=True)
class Forked:
    """What ``asyncio.subprocess.Process`` is of a process that was started."""

    pid: int
    stdout: asyncio.StreamReader | None
    stderr: asyncio.StreamReader
    answers: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    returncode: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        if self.returncode is None:
            told, writer = self.answers
            self.returncode = int(await told.readline())
            writer.close()
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        out, err = await asyncio.gather(self.stdout.read() if self.stdout else asyncio.sleep(0, b""), self.stderr.read())
        await self.wait()
        return out, err


async def forked(*arguments: str, env: Mapping[str, str], cwd: Path | None = None, stdout: bool = True) -> Forked:
    """A process that is ready at once."""
    told, theirs = socket.socketpair()
    (out, out_there), (err, err_there) = os.pipe() if stdout else (None, os.open(os.devnull, os.O_WRONLY)), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    job = {"argv": [str(ROOT / "syndicator" / "__main__.py"), *arguments], "env": dict(env), "cwd": str(cwd) if cwd else ""}
    command_server().fork(job, nothing, out_there, err_there, theirs.fileno())
    theirs.close()
    for fd in (nothing, out_there, err_there):
        os.close(fd)
    reader, writer = await asyncio.open_unix_connection(sock=told)
    pid = int(await reader.readline())
    readers = [None if fd is None else await _reader(fd) for fd in (out, err)]
    assert readers[1] is not None
    return Forked(pid=pid, stdout=readers[0], stderr=readers[1], answers=(reader, writer))


async def _reader(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), open(fd, "rb", buffering=0))  # noqa: ASYNC230, SIM115 - the transport closes it
    return reader


async def started(
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: bool = True,
    fresh: bool = False,
    preexec: Callable[[], None] | None = None,
) -> Forked | asyncio.subprocess.Process:
    """``syndicator`` with these arguments, in a process of its own."""
    # What Python reads when it starts, and what happens between fork and exec, is for processes that do start.
    if not fresh and preexec is None:
        return await forked(*arguments, env=env, cwd=cwd, stdout=stdout)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndicator", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if stdout else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=env,
        cwd=cwd,
        preexec_fn=preexec,
    )


async def syndicator(
    *arguments: str | Path,
    language: str = "fr",
    cwd: Path | None = None,
    env: Mapping[str, str] = {},
    fresh: bool = False,
    preexec: Callable[[], None] | None = None,
) -> Said:
    """Run a command to its end."""
    whole = environ(SYNDICATOR_LANGUAGE=language, PYTHONPATH=str(ROOT), **env)
    process = await started(*map(str, arguments), env=whole, cwd=cwd, fresh=fresh, preexec=preexec)
    out, err = await process.communicate()
    assert process.returncode is not None
    return Said(code=process.returncode, out=out.decode(), err=err.decode())


@dataclass(frozen=True, kw_only=True)
class Home:
    """An association's folder: its configuration, its state, what it publishes."""

    town: Town
    folder: Path
    language: str = "fr"
    name: str = "velo"

    @property
    def config(self) -> Path:
        """Its file."""
        return self.folder / f"{self.name}.toml"

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self.folder / f"{self.name}.state"

    @property
    def public(self) -> Path:
        """What anybody may see."""
        return self.state / "public"

    def write(self, more: str = "", *, routes: str = '[routes.tout]\ndelay = "0s"\n', association: str = "", poll: str = "1s") -> Home:
        """Its configuration: the town's events and toots to a calendar, a page and an account elsewhere."""
        token = self.folder / "elsewhere.token"
        if not token.exists():
            token.touch(mode=0o600)
            token.write_text(self.town.mirror_token)
        self.config.write_text(f"""
[association]
name = "Les Amis du Vélo"
language = "{self.language}"
state = "{self.state}"
{association}
[network]
allow_private = ["127.0.0.1"]
[sources.agenda]
type = "mobilizon"
url = "{self.town.mobilizon.url}"
groups = ["velo"]
poll = "{poll}"
[sources.toots]
type = "mastodon"
account = "{self.town.mastodon.url}/@velo"
poll = "{poll}"
[destinations.calendrier]
type = "ical"
[destinations.site]
type = "website"
[destinations.ailleurs]
type = "mastodon"
url = "{self.town.elsewhere.url}"
token = {{ file = "{token}" }}
{more}
{routes}
""")
        return self

    async def run(self, *arguments: str | Path, **options: Any) -> Said:
        """A command on this configuration."""
        return await syndicator(*arguments, "--config", self.config, **options)


@contextlib.asynccontextmanager
async def daemon(*arguments: str | Path, env: Mapping[str, str] = {}, fresh: bool = False) -> AsyncIterator[Daemon]:
    """``syndicator run``, ended at the latest when the test ends."""
    whole = environ(PYTHONPATH=str(ROOT), **env)
    process = await started("run", *map(str, arguments), env=whole, stdout=False, fresh=fresh)
    one = Daemon(process=process, log=[])
    try:
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await one.end()


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A running daemon, and what it has said so far."""

    process: Forked | asyncio.subprocess.Process
    log: list[str]

    async def says(self, *words: str) -> str:
        """Wait for the next line that holds all of ``words``."""
        assert self.process.stderr is not None
        async with asyncio.timeout(30):
            async for line in self.process.stderr:
                self.log.append(line.decode().rstrip())
                if all(word in self.log[-1] for word in words):
                    return self.log[-1]
        raise AssertionError("\n".join(["it ended without saying so:", *self.log]))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def end(self) -> int:
        """Wait for its end: its exit code."""
        assert self.process.stderr is not None
        async with asyncio.timeout(20):
            async for line in self.process.stderr:
                self.log.append(line.decode().rstrip())
            return await self.process.wait()


def a_minute_passes(state: Path) -> None:
    """For the ledger: what was leaving when its process ended is asked about only after a while."""
    with closing(sqlite3.connect(state / "syndicator.db", isolation_level=None)) as db:
        rows = db.execute("select id, updated_at from delivery where state = 'sending'").fetchall()
        for number, at in rows:
            before = (datetime.fromisoformat(at) - timedelta(minutes=1)).isoformat()
            db.execute("update delivery set updated_at = ? where id = ?", (before, number))
    assert len(rows) == 1


async def until(check: Callable[[], bool], what: str = "it") -> None:
    """Wait for something of the world outside, up to half a minute."""
    for _ in range(600):
        if check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what} never came")
