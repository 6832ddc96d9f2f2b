"""systemd: what we tell it, and the units it runs us by."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from syndicator import systemd

UNITS = Path(__file__).parent.parent / "systemd"
NAMES = ("syndicator.service", "syndicator@.service")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """A service manager's socket, and the environment that leads to it."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(5)
        yield listening, {"NOTIFY_SOCKET": path}


def test_each_message_has_its_form(manager: tuple[socket.socket, dict[str, str]]) -> None:
    """As sd_notify(3) writes them: one datagram each."""
    listening, environ = manager
    systemd.ready(environ, "3 associations\nall well")
    systemd.reloading(environ, monotonic_ns=lambda: 1_234_567_890)
    systemd.ready(environ)
    systemd.alive(environ)
    systemd.status(environ, "écoute")
    systemd.stopping(environ)

    assert [listening.recv(1000).decode() for _ in range(6)] == [
        "READY=1\nSTATUS=3 associations all well",
        "RELOADING=1\nMONOTONIC_USEC=1234567",
        "READY=1",
        "WATCHDOG=1",
        "STATUS=écoute",
        "STOPPING=1",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached() -> None:
    """``@name`` is a name that no file has."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # the kernel chooses a free abstract name
        listening.settimeout(5)
        name = listening.getsockname().decode()
        assert systemd.alive({"NOTIFY_SOCKET": f"@{name[1:]}"})

        assert listening.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("environ", [
    {}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nonexistent/notify"}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": f"/{'x' * 200}"},
])  # fmt: skip
def test_without_systemd_nothing_happens(environ: dict[str, str]) -> None:
    """No manager, or one that does not listen: the daemon runs on."""
    assert systemd.ready(environ) is False


@pytest.mark.parametrize(("environ", "expected"), [
    ({}, None),
    ({"WATCHDOG_USEC": "120000000"}, 60.0),
    ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "7"}, 60.0),
    ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "8"}, None),
    ({"WATCHDOG_USEC": "0"}, None),
    ({"WATCHDOG_USEC": "soon"}, None),
])  # fmt: skip
def test_the_watchdog_is_fed_twice_as_often_as_needed(environ: dict[str, str], expected: float | None) -> None:
    """And only by the process it watches."""
    assert systemd.watchdog_interval_s(environ, pid=7) == expected


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: install the package systemd (Debian: apt install systemd)"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_units_are_clean(tmp_path: Path, name: str) -> None:
    """``systemd-analyze verify`` has nothing to say, the program's own path apart, which exists where it is installed."""
    text = (UNITS / name).read_text().replace("/opt/syndicator/bin/syndicator", shutil.which("true") or "")
    unit = tmp_path / name.replace("@", "@velo")
    unit.write_text(text)
    done = analyze("verify", str(unit))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_unclean_unit_would_be_seen(tmp_path: Path) -> None:
    """The check above can fail."""
    unit = tmp_path / "odd.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nProtectSistem=strict\n")

    assert "ProtectSistem" in analyze("verify", str(unit)).stderr


@pytest.mark.parametrize("name", NAMES)
def test_units_are_hardened(name: str) -> None:
    """Exposure as ``systemd-analyze security`` counts it, 10 the worst, is at most 1.5."""
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=15", str(UNITS / name))
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)

    assert found, done.stderr
    assert float(found[1]) <= 1.5
    assert done.returncode == 0


def settings(name: str) -> dict[str, list[str]]:
    """Every assignment of a unit."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_the_two_units_differ_only_where_they_must() -> None:
    """One association alone is protected like a folder of them."""
    one, many = settings("syndicator.service"), settings("syndicator@.service")
    differing = {key for key in one.keys() | many.keys() if one.get(key) != many.get(key)}

    assert differing == {
        "Description", "ExecStart", "ConfigurationDirectory", "LoadCredential", "StateDirectory",
        "MemoryHigh", "MemoryMax", "TasksMax", "LimitNOFILE",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_reason(name: str) -> None:
    """A comment stands above each line (of the service's own: what it is called explains itself)."""
    lines = (UNITS / name).read_text().splitlines()
    bare = [line for before, line in pairwise(lines) if "=" in line and not line.startswith("#") and not before.startswith("#")]

    assert [line.split("=")[0] for line in bare] == ["Description"]
