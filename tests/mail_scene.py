"""A real SMTP server on loopback (aiosmtpd) that answers as it is told, and keeps what it took."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socket import socket
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from connectors.mail import ListPublisher, MailPublisher
from connectors.mail.options import ToList, ToReaders
from syndicator.contract import Secret
from syndicator.http import Sessions
from syndicator.letter.shape import shape
from syndicator.model import Rendition
from syndicator.testing import make_context
from tests.test_letter_shape import HOME, ISSUE

LETTER = shape(ISSUE, HOME)
RENDITION = Rendition(uid="digest", text=LETTER.text, title=LETTER.subject, html=LETTER.html, language="fr")
KEY = "0f3a91c2-7d00-4000-8000-000000000001"
USER, PASSWORD = "lettre", "s3cr3t-de-poste"


@dataclass
class Office:
    """Takes letters; ``answers`` are said to RCPT, ``data_answers`` after DATA, by address, each once; the last for ever."""

    letters: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[str, deque[str]] = field(default_factory=dict)
    data_answers: dict[str, deque[str]] = field(default_factory=dict)
    sender_answer: str = ""
    sender_answers: deque[str] = field(default_factory=deque)
    """Said to MAIL first, each once; ``hang up`` is a line that is cut."""
    cuts: set[str] = field(default_factory=set)
    """Whose letter is taken, and the line cut before the answer."""
    port: int = 0
    named: Callable[[str], None] = lambda address: None
    """What happens when an address is named to it."""
    taken: Callable[[str], None] = lambda address: None
    """What happens when it has taken a letter for it, before it says so."""

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if self.sender_answer:
            return self.sender_answer
        answer = self.sender_answers.popleft() if self.sender_answers else ""
        if answer == "hang up":
            server.transport.abort()
        if answer:
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        self.named(address)
        answer = _next(self.answers.get(address))
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (address,) = envelope.rcpt_tos
        answer = _next(self.data_answers.get(address) or self.data_answers.get("*"))
        if answer:
            return answer
        assert isinstance(envelope.content, bytes)
        self.letters.append((address, envelope.content))
        self.taken(address)
        if address in self.cuts:
            self.cuts.discard(address)
            server.transport.abort()
        return "250 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        ok = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=ok, handled=False)

    @property
    def readers(self) -> list[str]:
        """Whom a letter came for, in order."""
        return [address for address, _ in self.letters]

    def read(self, number: int = 0) -> EmailMessage:
        """A letter, as Python's own parser reads it."""
        found = message_from_bytes(self.letters[number][1], policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


def _next(answers: deque[str] | None) -> str:
    if not answers:
        return ""
    return answers.popleft() if len(answers) > 1 else answers[0]


@contextmanager
def office(**options: Any) -> Iterator[Office]:
    """An open office."""
    made = Office()
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        made.port = free.getsockname()[1]
    controller = Controller(made, hostname="127.0.0.1", port=made.port, authenticator=made.authenticate, auth_require_tls=False, **options)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


def publisher(
    server: Office,
    folder: Path,
    now: Callable[[], datetime],
    *,
    readers: str | bytes | None = None,
    name: str = "under-test",
    public_url: str | None = "https://agenda.example/",
    **options: Any,
) -> MailPublisher | ListPublisher:
    """A publisher that writes there: to ``readers``, one a line, or to the list."""
    context = make_context(folder, Sessions(), now=now, name=name, public_url=public_url)
    common = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "sender": "Les Amis du Vélo <lettre@velo.example>",
        "username": USER,
        "password": Secret(PASSWORD),
    }
    if readers is None:
        return ListPublisher(ToList(**{**common, "to": "lettre@listes.example", **options}), context)
    path = folder / "abonnes.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(readers.encode() if isinstance(readers, str) else readers)
    return MailPublisher(ToReaders(**{**common, "readers": path, "per_minute": 6000, "one_click": False, **options}), context)
