"""What else goes wrong between us, a mail server, a disk and a file that people edit."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.mail.file import read
from connectors.mail.pace import Pace
from connectors.mail.roll import Roll, forget_old
from syndicator.errors import NotReady, Rejected, Transient
from syndicator.model import Receipt
from tests.clock import Clock
from tests.mail_scene import KEY, RENDITION, Office, office, publisher
from tests.test_connector_mail import FILE, READERS, everybody

OTHER = "0f3a91c2-7d00-4000-8000-000000000002"


@pytest.fixture
def server() -> Iterator[Office]:
    with office() as server:
        yield server


async def turn(server: Office, folder: Path, clock: Clock, file: str = FILE, key: str = KEY, **options: object) -> Receipt:
    """One call, as the outbox makes it."""
    one = publisher(server, folder, clock, readers=file, **options)
    try:
        return await one.publish(RENDITION, key)
    finally:
        await one.close()


@pytest.mark.parametrize("answer", ["421 4.4.2 timeout exceeded", "hang up"])
async def test_a_server_that_hung_up_meanwhile(server: Office, tmp_path: Path, clock: Clock, answer: str) -> None:
    """Is called again: nothing had left."""
    server.sender_answers = deque(["", "", answer, "", answer])
    receipt = await turn(server, tmp_path, clock)

    assert (server.readers, receipt.data) == (READERS, (("sent", "12"),))


async def test_a_server_that_hangs_up_at_once(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Twice in a row it is an outage, and nobody is taken for served."""
    server.sender_answers = deque(["", "hang up", "hang up"])
    with pytest.raises(Transient):
        await turn(server, tmp_path, clock)
    receipt = await everybody(server, tmp_path, clock)

    assert (server.readers, receipt.data) == (READERS, (("sent", "12"),))


@pytest.mark.parametrize("answer", ["550 5.7.1 rate limited", "550 5.4.5 daily quota", "552 full", "554 5.2.2 over quota", "554 policy"])
async def test_a_no_that_is_not_about_the_address(server: Office, tmp_path: Path, clock: Clock, answer: str) -> None:
    """We had our share, or the mailbox is full: the address is not dead, and has its letter later."""
    server.answers = {READERS[4]: deque([answer, ""])}
    receipt = await everybody(server, tmp_path, clock)

    assert (set(server.readers), receipt.data) == (set(READERS), (("sent", "12"),))


async def test_a_server_that_has_had_enough(server: Office, tmp_path: Path, clock: Clock) -> None:
    """After ten put off in a row it is left alone for a while; then everybody has theirs."""
    named: list[str] = []
    server.named = named.append
    server.answers = {reader: deque(["451 4.7.1 too many letters", ""]) for reader in READERS[1:]}
    began = clock.at
    with pytest.raises(NotReady, match="1/12") as caught:
        await turn(server, tmp_path, clock)
    assert (len(named), caught.value.at) == (11, began + timedelta(minutes=10))
    receipt = await everybody(server, tmp_path, clock)

    assert (set(server.readers), receipt.data) == (set(READERS), (("sent", "12"),))


async def test_answers_lost_one_after_the_other(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Each may cost a reader the letter: after three a person looks, and sends the rest."""
    server.cuts = set(READERS[3:6])
    with pytest.raises(Rejected) as caught:
        await turn(server, tmp_path, clock)
    assert len(server.readers) == 6
    assert "coupe la ligne" in (caught.value.hint or {})["fr"]
    receipt = await everybody(server, tmp_path, clock)

    assert (server.readers, receipt.data) == (READERS, (("sent", "9"), ("unknown", "3")))


@pytest.mark.parametrize(("count", "asked"), [(3, 3), (25, 20)])
async def test_a_letter_that_nobody_is_had_for(server: Office, tmp_path: Path, clock: Clock, count: int, asked: int) -> None:
    """The account may not write, rather than all readers being dead: a person is told, and when it is mended all have theirs."""
    readers = [f"r{number}@exemple.fr" for number in range(count)]
    named: list[str] = []
    server.named = named.append
    server.answers = {reader: deque(["550 relaying denied"]) for reader in readers}
    with pytest.raises(Rejected) as caught:
        await turn(server, tmp_path, clock, "\n".join(readers))
    assert "pour personne" in (caught.value.hint or {})["fr"]
    assert len(named) == asked
    server.answers = {}
    receipt = await everybody(server, tmp_path, clock, "\n".join(readers))

    assert (server.readers, receipt.data) == (readers, (("sent", str(count)),))


async def test_the_pace(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Twenty seconds' worth at once, then a rest; a restart, another issue and a clock that is put back change nothing of that."""
    began = clock.at
    for key, sent in ((KEY, 4), (KEY, 4), (OTHER, 4)):
        with pytest.raises(NotReady) as caught:
            await turn(server, tmp_path, clock, key=key, per_minute=12)
        assert (len(server.readers), caught.value.at) == (sent, began + timedelta(seconds=20))
    clock.at = began + timedelta(seconds=20)
    with pytest.raises(NotReady, match="8/12"):
        await turn(server, tmp_path, clock, per_minute=12)
    clock.at = began - timedelta(days=2)
    assert (await turn(server, tmp_path, clock, per_minute=12)).data == (("sent", "12"),)
    assert server.readers == READERS


@pytest.mark.parametrize(("per_minute", "burst"), [(1, 1), (60, 20), (600, 200)])
def test_how_many_at_once(tmp_path: Path, per_minute: int, burst: int) -> None:
    """At least one; a pace that was never written down, or is no pace, holds nobody up."""
    clock = Clock()
    pace = Pace(tmp_path / "pace.json", per_minute)
    assert (pace.burst, pace.free_at(clock.at)) == (burst, None)
    assert pace.spend(burst, clock.at) == pace.free_at(clock.at) == clock.at + timedelta(minutes=1) / per_minute * burst
    (tmp_path / "pace.json").write_text('{"next_at": 3')
    assert pace.free_at(clock.at) is None


async def test_two_issues_under_way(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Each has its own roll, and both arrive, whoever's turn it is."""
    done = []
    for _ in range(12):
        for key in {KEY, OTHER} - set(done):
            try:
                receipt = await turn(server, tmp_path, clock, key=key, per_minute=12)
            except NotReady as error:
                clock.at = max(clock.at, error.at or clock.at)
            else:
                done.append(key)
                assert receipt.data == (("sent", "12"),)

    assert sorted(done) == [KEY, OTHER]
    assert sorted(server.readers) == sorted(READERS * 2)


async def test_a_file_that_is_edited_meanwhile(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Who was taken out is not written to; who was added waits for the next issue; a file that is gone stops everything."""
    with pytest.raises(NotReady):
        await turn(server, tmp_path, clock, per_minute=12)
    clock.forward(minutes=1)
    edited = "\n".join(["nouvelle@exemple.fr", *READERS[:6], *READERS[8:]])
    with pytest.raises(NotReady, match="8/10"):
        await turn(server, tmp_path, clock, edited, per_minute=12)
    clock.forward(minutes=1)
    with pytest.raises(Rejected):
        await turn(server, tmp_path, clock, "", per_minute=12)
    receipt = await turn(server, tmp_path, clock, edited, per_minute=12)

    assert server.readers == [*READERS[:6], *READERS[8:]]
    assert receipt.data == (("sent", "10"), ("left", "2"))


@pytest.mark.parametrize(
    "data",
    [
        "a@b.fr\r\nZoé <zoe@b.fr>\r\n\r\n# fin\r\n".encode("utf-8-sig"),
        "a@b.fr\nZoé <zoe@b.fr>\n".encode("cp1252"),
        "a@b.fr\nZoé, voisine <zoe@b.fr>\nA@B.FR\n".encode("utf-16"),
        "  a@b.fr\t\n\N{NO-BREAK SPACE}zoe@b.fr\rZOE@b.fr".encode(),
    ],
    ids=["bom-crlf", "latin-1", "utf-16", "spaces"],
)
def test_files_as_programs_save_them(tmp_path: Path, data: bytes) -> None:
    """Whatever the program, the same readers, each once."""
    path = tmp_path / "abonnes.txt"
    path.write_bytes(data)

    assert read(path).addresses == ("a@b.fr", "zoe@b.fr")
    assert read(path).remark is None


def test_lines_that_are_no_address(tmp_path: Path) -> None:
    """Are told by their numbers, not by what stands in them; domains beyond ASCII are written as mail servers write them."""
    path = tmp_path / "abonnes.txt"
    path.write_text("zoe@vélo.example\nzoé@b.fr\na@b.fr;c@d.fr\nNom\n# note\na b@c.fr\n<a@b.fr\n@b.fr\nBcc: x@b.fr\n")
    found = read(path)

    assert found.addresses == ("zoe@xn--vlo-bma.example",)
    assert found.remark is not None
    assert found.remark["fr"].endswith(": 2, 3, 4, 6, 7….")
    assert "zoé" not in found.remark["fr"] + found.remark["en"]


async def test_a_full_disk(server: Office, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves that could not be written down first; when there is room again it goes on, nobody twice."""
    real = Roll.sending

    def full(roll: Roll, reader: str) -> None:
        if reader == READERS[5]:
            raise sqlite3.OperationalError("database or disk is full")
        real(roll, reader)

    monkeypatch.setattr(Roll, "sending", full)
    with pytest.raises(Transient) as caught:
        await turn(server, tmp_path, clock)
    assert "disque" in (caught.value.hint or {})["fr"]
    monkeypatch.setattr(Roll, "sending", real)
    clock.forward(minutes=1)
    receipt = await turn(server, tmp_path, clock)

    assert (server.readers, receipt.data) == (READERS, (("sent", "12"),))


async def test_a_damaged_roll(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Who has had the letter cannot be known: a person decides, neither ``find`` nor ``publish`` does."""
    one = publisher(server, tmp_path, clock, readers=FILE)
    path = tmp_path / "state" / "under-test" / f"{KEY}.db"
    path.write_bytes(b"not a database" * 1000)
    for call in (one.publish(RENDITION, KEY), one.find(KEY, RENDITION)):
        with pytest.raises(Rejected) as caught:
            await call
        assert "abîmée" in (caught.value.hint or {})["fr"]
    assert server.readers == []


def test_old_rolls_are_forgotten(tmp_path: Path, clock: Clock) -> None:
    """They are lists of people. One that is not done is kept."""
    from connectors.mail.message import Written

    written = Written.of(RENDITION, KEY, clock.at)
    for name, state, days in (("old", "sent", 61), ("young", "sent", 59), ("open", "", 61)):
        roll = Roll(tmp_path / f"{name}.db")
        roll.begin(written, ["a@b.fr"])
        if state:
            roll.settle("a@b.fr", state)
        roll.close()
        at = (clock.at - timedelta(days=days)).timestamp()
        os.utime(tmp_path / f"{name}.db", (at, at))
    (tmp_path / "strange.db").write_bytes(b"no database")
    forget_old(tmp_path, clock.at)

    assert {path.stem for path in tmp_path.glob("*.db")} >= {"young", "open"}
    assert not (tmp_path / "old.db").exists()


async def test_stopped_in_the_middle_of_a_letter(server: Office, tmp_path: Path, clock: Clock) -> None:
    """The letter under way ends: nobody is left not knowing."""
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    server.named = lambda address: loop.call_soon_threadsafe(there.set) and None if address == READERS[4] else None
    one = publisher(server, tmp_path, clock, readers=FILE)
    await one.open()
    task = asyncio.ensure_future(one.publish(RENDITION, KEY))
    await there.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await one.close()
    server.named = lambda _: None
    clock.forward(minutes=1)
    receipt = await turn(server, tmp_path, clock)

    assert task.cancelled()
    assert (server.readers, receipt.data) == (READERS, (("sent", "12"),))


async def test_starttls_that_somebody_spoils(tmp_path: Path, clock: Clock) -> None:
    """What is said in the open after STARTTLS is no answer of the server, and no password follows it."""
    heard = bytearray()

    async def spoil(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            heard.extend(line)
            if line.startswith(b"EHLO"):
                writer.write(b"250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n")
            if line.startswith(b"STARTTLS"):
                writer.write(b"220 go\r\n250-hello\r\n250 AUTH PLAIN LOGIN\r\n235 welcome\r\n")
                writer.close()
                return

    spoiled = await asyncio.start_server(spoil, "127.0.0.1", 0)
    one = publisher(Office(port=spoiled.sockets[0].getsockname()[1]), tmp_path, clock, security="starttls")
    with pytest.raises(Transient):
        await one.open()
    await one.close()
    spoiled.close()
    await spoiled.wait_closed()

    assert heard.split(b"\r\n")[1] == b"STARTTLS"
    assert b"AUTH" not in heard


async def test_an_issue_is_what_it_was(server: Office, tmp_path: Path, clock: Clock) -> None:
    """A letter with nothing in it, or in no language, is a letter all the same."""
    empty = replace(RENDITION, text="", html="", title="", language="")
    one = publisher(server, tmp_path, clock)
    await one.publish(empty, KEY)
    await one.close()

    assert [part.get_content_type() for part in server.read().iter_parts()] == ["text/plain", "text/html"]
    assert server.read()["Content-Language"] is None
