"""Mail about what does not work: to a real SMTP server on loopback, in plain words, once, and never with a secret in it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from syndicator import alerts, logs
from syndicator.alerts import PATIENCE, compose, describe, tell
from syndicator.config import Alerts
from syndicator.contract import Secret
from syndicator.problems import Problem
from syndicator.words import languages
from tests.engine_scene import START, Scene, stage

KINDS = (
    *("unreachable", "rate-limited", "auth", "refused", "emptied", "bug", "unknown", "rejected", "cannot-delete", "clock"),
    *("media", "budget", "budget-soon", "expiring", "review"),
)


@dataclass(kw_only=True)
class Post:
    """A mail server on loopback, as RFC 5321 has it."""

    port: int = 0
    auth: bool = False
    tls: ssl.SSLContext | None = None
    """With it, STARTTLS is offered."""
    refuse: str = ""
    """A command that is answered with 550."""
    commands: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secured: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        with contextlib.suppress(ConnectionError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 poste.example ESMTP\r\n")
        while line := (await reader.readline()).decode().rstrip():
            verb = line.split(maxsplit=1)[0].upper()
            self.commands.append(verb)
            if verb == self.refuse:
                writer.write(b"550 non\r\n")
            elif verb == "STARTTLS" and self.tls is not None:
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(self.tls)
                self.secured = True
            elif verb == "DATA":
                writer.write(b"354 go\r\n")
                self.letters.append(await self._letter(reader))
                writer.write(b"250 kept\r\n")
            else:
                writer.write(self._answer(verb, line))
            await writer.drain()
            if verb == "QUIT":
                return

    def _answer(self, verb: str, line: str) -> bytes:
        if verb == "EHLO":
            offers = [*(["AUTH PLAIN"] if self.auth else []), *(["STARTTLS"] if self.tls and not self.secured else []), "8BITMIME"]
            return "".join(f"250-{offer}\r\n" for offer in ["poste.example", *offers[:-1]]).encode() + f"250 {offers[-1]}\r\n".encode()
        if verb == "AUTH":
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
            self.logins.append((user, password))
            return b"235 welcome\r\n"
        if verb == "RCPT":
            self.recipients.append(line[8:])
        return b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n"

    async def _letter(self, reader: asyncio.StreamReader) -> EmailMessage:
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


@contextlib.asynccontextmanager
async def post_office(*, wrapped: ssl.SSLContext | None = None, **changes: object) -> AsyncIterator[Post]:
    office = Post(**changes)  # type: ignore[arg-type]
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0, ssl=wrapped)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        await server.wait_closed()


def address(office: Post, *, scheme: str = "smtp", who: str = "") -> Alerts:
    smtp = Secret(f"{scheme}://{who}127.0.0.1:{office.port}")
    return Alerts(to=("anna@asso.example", "com@asso.example"), smtp=smtp, sender="syndicator@asso.example")


@pytest.fixture
def certificate() -> ssl.SSLContext:
    """A server's certificate of its own making."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "data" / "tls" / "poste.pem")
    return context


@contextlib.asynccontextmanager
async def troubled(folder: Path, given: Alerts | None) -> AsyncIterator[Scene]:
    async with stage(folder, alerts=given) as scene:
        yield scene


async def open_problem(scene: Scene, subject: str, kind: str, detail: str = "401 Unauthorized", hint: str = "") -> None:
    await scene.ask(lambda store: store.problems.put(subject, kind, detail, hint, scene.clock()))


def problem(kind: str = "auth", subject: str = "destination:wall", hint: str = "") -> Problem:
    return Problem(subject=subject, kind=kind, detail="401 Unauthorized", hint=hint, since=START, told_at=None)


async def test_a_mail_says_what_and_what_to_do(tmp_path: Path) -> None:
    """To everybody who is to hear it: from whom, of which association, each thing with its remedy and what the service said."""
    async with post_office() as office, troubled(tmp_path, address(office)) as scene:
        await open_problem(scene, "destination:wall", "auth", "401 Unauthorized\nsecond line")
        await open_problem(scene, "delivery:7", "unknown", "unknown", "Regardez là-bas.")
        assert await tell(scene.tenant) == 2
        (letter,) = office.letters
        assert (letter["From"], letter["To"], letter["Auto-Submitted"], letter.get_content_type()) == (
            "syndicator@asso.example",
            "anna@asso.example, com@asso.example",
            "auto-generated",
            "text/plain",
        )
        assert letter["Subject"] == "syndicator : Les Amis du Vélo, 2 choses à voir"
        assert office.recipients == ["<anna@asso.example>", "<com@asso.example>"]
        text = letter.get_content()
        (what, todo), (unknown, _) = describe(problem(), "fr"), describe(problem("unknown", "delivery:7"), "fr")
        assert [line in text for line in (what, todo, "401 Unauthorized", unknown, "Regardez là-bas.", "« wall »", "n° 7")] == [True] * 7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", sorted(languages()))
def test_every_kind_of_problem_has_its_words(kind: str, language: str) -> None:
    """What does not work, by its name, and what to do; a connector's own advice comes first."""
    for subject, name in (("source:toots", "toots"), ("destination:wall", "wall"), ("delivery:7", "7"), ("clock", "clock")):
        what, todo = describe(problem(kind, subject), language)
        assert len(what) > 10
        assert len(todo) > 10
        assert name in what + todo or kind == "clock"
        assert describe(problem(kind, subject, hint="Ouvrez la porte."), language) == (what, "Ouvrez la porte.")


def test_the_words_of_french_and_english_differ() -> None:
    """Nobody gets the other's."""
    assert all(describe(problem(kind), "fr") != describe(problem(kind), "en") for kind in KINDS)


async def test_a_problem_is_told_once(tmp_path: Path) -> None:
    """However long it lasts, through restarts; another one is news, and the first coming back after it was over."""
    async with post_office() as office, troubled(tmp_path, address(office)) as scene:
        await open_problem(scene, "destination:wall", "auth")
        told = [await tell(scene.tenant) for _ in range(3)]
        await scene.restart()
        await open_problem(scene, "destination:wall", "auth", "403 Forbidden")
        scene.clock.go(days=9)
        told.append(await tell(scene.tenant))
        await open_problem(scene, "source:toots", "emptied")
        told.append(await tell(scene.tenant))
        await scene.ask(lambda store: store.problems.clear("destination:wall"))
        await open_problem(scene, "destination:wall", "auth")
        told.append(await tell(scene.tenant))
        assert (told, len(office.letters)) == ([1, 0, 0, 0, 1, 1], 3)
        assert office.letters[1]["Subject"] == "syndicator : Les Amis du Vélo, une chose à voir"


@pytest.mark.parametrize(("kind", "hours"), [("unreachable", 2), ("rate-limited", 6)])
async def test_what_may_pass_by_itself_is_told_when_it_lasts(tmp_path: Path, kind: str, hours: int) -> None:
    """Not before; and not at all when it has passed."""
    async with post_office() as office, troubled(tmp_path, address(office)) as scene:
        await open_problem(scene, "source:toots", kind)
        scene.clock.at = START + timedelta(hours=hours, seconds=-1)
        assert await tell(scene.tenant) == 0
        scene.clock.go(seconds=1)
        assert await tell(scene.tenant) == 1
        await scene.ask(lambda store: store.problems.clear("source:toots"))
        await open_problem(scene, "source:toots", kind)
        await scene.ask(lambda store: store.problems.clear("source:toots"))
        scene.clock.go(days=1)
        assert (await tell(scene.tenant), len(office.letters)) == (0, 1)


async def test_an_outage_of_many_names_is_told_when_the_whole_of_it_lasts(tmp_path: Path) -> None:
    """A server that is down, then busy, then down again tries nobody's patience anew."""
    async with post_office() as office, troubled(tmp_path, address(office)) as scene:
        for kind in ("unreachable", "rate-limited") * 3 + ("unreachable",):
            await open_problem(scene, "source:toots", kind)
            scene.clock.go(minutes=20)
        assert (await tell(scene.tenant), len(office.letters)) == (1, 1)


def test_only_what_may_pass_by_itself_waits() -> None:
    """Everything else is a person's, and told at once."""
    assert {kind for kind in KINDS if PATIENCE.get(kind, timedelta(0))} == {"unreachable", "rate-limited"}


async def test_without_an_address_nobody_is_written_to(tmp_path: Path) -> None:
    """The problem stays open for the status page."""
    async with troubled(tmp_path, None) as scene:
        await open_problem(scene, "destination:wall", "auth")
        assert await tell(scene.tenant) == 0
        assert len(await scene.problems()) == 1


async def test_no_secret_is_ever_in_a_mail(tmp_path: Path) -> None:
    """Neither one of the configuration nor what looks like one."""
    logs.hide("motdepasse-tres-secret")
    async with post_office() as office, troubled(tmp_path, address(office)) as scene:
        await open_problem(scene, "destination:wall", "auth", "refused motdepasse-tres-secret for access_token=abcdef0123456789")
        await tell(scene.tenant)
        text = office.letters[0].get_content()
        assert ("motdepasse-tres-secret" in text, "abcdef0123456789" in text, "refused" in text) == (False, False, True)


async def test_what_cannot_be_sent_is_sent_later_and_nobody_is_pestered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mail server that is down is asked again after two minutes, then four, then eight; the problem is told once it works."""
    async with post_office() as office:
        given = address(office)
    async with troubled(tmp_path, given) as scene:
        await open_problem(scene, "destination:wall", "auth")
        tries = []
        for minute in range(10):
            before = len(caplog.records)
            assert await tell(scene.tenant) == 0
            tries += [minute] * sum(record.message == "alert.unsent" for record in caplog.records[before:])
            scene.clock.go(minutes=1)
        first, second, third = tries
        assert (first, second - first in (2, 3), third - second in (4, 5)) == (0, True, True)
        async with post_office() as again:
            scene.tenant.config = replace(scene.config, alerts=address(again))
            scene.clock.go(hours=1)
            assert (await tell(scene.tenant), len(again.letters)) == (1, 1)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_refused_mail_is_not_taken_for_sent(tmp_path: Path, verb: str) -> None:
    """At whatever point the server refuses."""
    async with post_office(refuse=verb) as office, troubled(tmp_path, address(office)) as scene:
        await open_problem(scene, "destination:wall", "auth")
        assert await tell(scene.tenant) == 0
        assert [one.told_at for one in await scene.problems()] == [None]


async def test_odd_names_and_odd_answers_do_not_stop_a_mail(tmp_path: Path) -> None:
    """A name of two lines, half a character from a broken server, a line that is only a dot."""
    async with post_office() as office:
        given = address(office)
        odd = replace(problem(), detail="a\ud83d b\n.\nc")
        letter = compose([odd], given, "Les Amis\ndu Vélo\r\nBcc: x@evil.example", "fr")
        assert (letter["Subject"], letter["Bcc"]) == ("syndicator : Les Amis du Vélo Bcc: x@evil.example, une chose à voir", None)
        await asyncio.to_thread(alerts.send, letter, given, START)
        assert "a? b" in office.letters[0].get_content()
        assert "\n.\nc" in office.letters[0].get_content().replace("\r", "")


async def test_a_wrong_address_is_no_bug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A port that is none: said as unsent, and the rest goes on."""
    wrong = Alerts(to=("a@asso.example",), smtp=Secret("smtp://127.0.0.1:99999"), sender="b@asso.example")
    async with troubled(tmp_path, wrong) as scene:
        await open_problem(scene, "destination:wall", "auth")
        assert await tell(scene.tenant) == 0
    assert "alert.unsent" in [record.message for record in caplog.records]


# the way there


async def test_a_password_is_given_where_nobody_listens(certificate: ssl.SSLContext) -> None:
    """On this machine; after STARTTLS; or over TLS from the start. Escapes in the address are taken off."""
    letter = EmailMessage()
    letter["From"], letter["To"] = "a@asso.example", "b@asso.example"
    for scheme, offered, wrapped in (("smtp", None, None), ("smtp", certificate, None), ("smtps", None, certificate)):
        async with post_office(auth=True, tls=offered, wrapped=wrapped) as office:
            await asyncio.to_thread(alerts.send, letter, address(office, scheme=scheme, who="anna%40asso:p%3Ass%2F@"), START)
            assert (office.logins, len(office.letters), office.secured) == ([("anna@asso", "p:ss/")], 1, offered is not None)


async def test_a_password_never_leaves_in_the_clear(monkeypatch: pytest.MonkeyPatch, certificate: ssl.SSLContext, tmp_path: Path) -> None:
    """Another machine that offers no STARTTLS, or somebody in between who takes the offer out, or a certificate that is not right."""
    monkeypatch.setattr(alerts, "LOOPBACK", frozenset())
    for number, offered in enumerate((None, certificate)):
        async with (
            post_office(auth=True, tls=offered) as office,
            troubled(tmp_path / str(number), address(office, who="anna:secret@")) as scene,
        ):
            await open_problem(scene, "destination:wall", "auth")
            assert await tell(scene.tenant) == 0
            assert ("AUTH" in office.commands, office.logins, office.letters) == (False, [], [])


async def test_a_mail_server_without_password_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to protect but the mail, which says nothing secret."""
    monkeypatch.setattr(alerts, "LOOPBACK", frozenset())
    async with post_office() as office:
        await asyncio.to_thread(alerts.send, compose([problem()], address(office), "Asso", "en"), address(office), START)
        assert (len(office.letters), "AUTH" in office.commands) == (1, False)
        assert office.letters[0]["Subject"].startswith("syndicator: Asso")
        # RFC 5322, 3.6; and our host's name is nobody's business
        assert parsedate_to_datetime(office.letters[0]["Date"]) == START
        assert office.letters[0]["Message-ID"].endswith(f"@{address(office).sender.rpartition('@')[2]}>")
