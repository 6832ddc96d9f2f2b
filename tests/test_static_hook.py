"""The command that rebuilds the site: when it runs, with what, and what a person hears of its troubles."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syndicator.errors import Rejected, Transient
from syndicator.http import Sessions
from syndicator.testing import make_view
from tests.static_scene import event, projection

NOTE = ("sh", "-c", "pwd >> built; test -z $NOTIFY_SOCKET$CREDENTIALS_DIRECTORY && echo alone >> built; cat >> built", "--")


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """One set of sessions per test."""
    sessions = Sessions()
    yield sessions
    await sessions.close()


async def test_it_runs_when_something_changed(tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the site, once a change, not otherwise; it reads nothing, and does not see what systemd tells the daemon."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/y")
    site = tmp_path / "site"
    connector = projection(tmp_path, sessions, hook=NOTE)
    view = make_view([event(1)])
    await connector.project(view)
    await connector.project(replace(view, changed=frozenset()))
    await projection(tmp_path, sessions, hook=NOTE).project(view)
    assert (site / "built").read_text() == f"{site}\nalone\n"

    await connector.project(make_view([]))
    assert (site / "built").read_text() == f"{site}\nalone\n" * 2


async def test_no_shell_reads_its_arguments(tmp_path: Path, sessions: Sessions) -> None:
    """Each arrives as it was written."""
    await projection(tmp_path, sessions, hook=("touch", "a b; $(c) *")).project(make_view([]))

    assert (tmp_path / "site" / "a b; $(c) *").exists()


async def test_it_is_run_again_until_it_works(tmp_path: Path, sessions: Sessions) -> None:
    """Though nothing changed since, and whatever was restarted; what it said is told."""
    broken = ("sh", "-c", "echo Compilation...; echo 'layout absent' >&2; test -e repaired && touch built")
    for changed in (frozenset({event(1).uid}), frozenset[str]()):
        with pytest.raises(Transient, match="ended with 1") as told:
            await projection(tmp_path, sessions, hook=broken).project(replace(make_view([event(1)]), changed=changed))
        hint = told.value.hint or {}
        assert ("« sh » a rendu 1" in hint["fr"], "layout absent" in hint["fr"], "layout absent" in hint["en"]) == (True, True, True)
        assert "Compilation..." in told.value.detail

    (tmp_path / "site" / "repaired").touch()
    connector = projection(tmp_path, sessions, hook=broken)
    await connector.project(replace(make_view([event(1)]), changed=frozenset()))
    (tmp_path / "site" / "built").unlink()
    await connector.project(replace(make_view([event(1)]), changed=frozenset()))
    assert not (tmp_path / "site" / "built").exists()


async def test_it_has_its_time(tmp_path: Path, sessions: Sessions) -> None:
    """Then it is ended, with everything that it started."""
    slow = ("sh", "-c", "echo $$ > pid; sleep 30 & echo $! >> pid; wait")
    with pytest.raises(Transient, match="no end after") as told:
        await projection(tmp_path, sessions, hook=slow, hook_timeout=timedelta(seconds=0.3)).project(make_view([]))

    assert "hook_timeout" in (told.value.hint or {})["fr"]
    for pid in (tmp_path / "site" / "pid").read_text().split():
        assert _state(pid) in ("gone", "Z")


def _state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "gone"


async def test_it_ends_with_the_daemon(tmp_path: Path, sessions: Sessions) -> None:
    """A stop in the middle of a build ends the build, and the next start begins with it."""
    fifo = tmp_path / "begun"
    os.mkfifo(fifo)
    hook = ("sh", "-c", "echo $$ > pid; echo > ../begun; sleep 30")
    task = asyncio.create_task(projection(tmp_path, sessions, hook=hook).project(make_view([])))
    await asyncio.to_thread(fifo.read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert _state((tmp_path / "site" / "pid").read_text().strip()) in ("gone", "Z")
    await projection(tmp_path, sessions, hook=("touch", "built")).project(make_view([], changed=()))
    assert (tmp_path / "site" / "built").exists()


async def test_what_it_leaves_running_is_not_waited_for(tmp_path: Path, sessions: Sessions) -> None:
    """A server that it starts in the background holds nobody up."""
    await projection(tmp_path, sessions, hook=("sh", "-c", "sleep 5 & echo $! > pid")).project(make_view([]))

    pid = (tmp_path / "site" / "pid").read_text().strip()
    assert _state(pid) not in ("gone", "Z")
    os.kill(int(pid), signal.SIGKILL)


@pytest.mark.parametrize("command", ["pas-une-commande", "./_config.yml"])
async def test_a_command_that_is_not_one(tmp_path: Path, sessions: Sessions, command: str) -> None:
    """Not found, or no program: said so."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "_config.yml").touch()
    with pytest.raises(Transient) as told:
        await projection(tmp_path, sessions, hook=(command,)).project(make_view([]))

    assert "introuvable" in (told.value.hint or {})["fr"]


async def test_a_torrent_of_words(tmp_path: Path, sessions: Sessions) -> None:
    """The last of them are told."""
    with pytest.raises(Transient) as told:
        await projection(tmp_path, sessions, hook=("sh", "-c", "yes | head -c 9000000; echo fin; exit 3")).project(make_view([]))

    assert told.value.detail.endswith("fin")
    assert len(told.value.detail) < 2_000


async def test_git_and_the_build_do_not_wait_for_each_other(tmp_path: Path, sessions: Sessions) -> None:
    """A repository that is not there does not keep the site from being built; and the trouble is told."""
    with pytest.raises(Rejected, match="git") as told:
        await projection(tmp_path, sessions, git="commit", hook=("touch", "built")).project(make_view([]))

    assert (tmp_path / "site" / "built").exists()
    assert "git init" in (told.value.hint or {})["fr"]


async def test_a_build_that_was_due_when_the_power_went(tmp_path: Path, sessions: Sessions) -> None:
    """It is on record before the files are written."""
    await projection(tmp_path, sessions, hook=("touch", "built")).project(make_view([]))
    (tmp_path / "site" / "built").unlink()
    record = tmp_path / "state" / "under-test" / "made.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "due": True}))
    await projection(tmp_path, sessions, hook=("touch", "built")).project(make_view([]))

    assert (tmp_path / "site" / "built").exists()
