"""The line to the mail server (RFC 5321): one letter to one address, and what its answers mean."""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from connectors.mail.options import Server, address_of
from syndicator.errors import AuthExpired, ConnectorError, OutcomeUnknown, Rejected, Transient, words

if TYPE_CHECKING:
    import aiosmtplib

TIMEOUT_S = 60.0
LETTERS_A_CONNECTION = 50
CLOSING = 421
_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_ABOUT_US = re.compile(r"5\.7\.|5\.4\.5$|5\.2\.2$|5\.3\.2$")
"""RFC 3463: policy, a quota of ours, a full mailbox, a server that takes nothing now. None of it says that the address is dead."""
AUTH_HINT = words(
    fr="Le serveur de courriel refuse ce compte : vérifiez username et password (certains fournisseurs demandent un mot de passe "
    "d'application).",
    en="The mail server refuses this account: check username and password (some providers ask for an application password).",
)
SENDER_HINT = words(
    fr="Le serveur de courriel refuse que cette adresse écrive par lui : employez l'adresse du compte dans sender, ou demandez à ses "
    "responsables.",
    en="The mail server does not let this address write through it: use the account's own address as sender, or ask its keepers.",
)
CERTIFICATE_HINT = words(
    fr="Le certificat du serveur de courriel n'est pas valable pour ce nom : vérifiez host, ou prévenez ses responsables.",
    en="The mail server's certificate is not valid for that name: check host, or tell its keepers.",
)
NO_TLS_HINT = words(
    fr='Ce serveur n\'offre pas STARTTLS à ce port : essayez security = "tls".',
    en='This server offers no STARTTLS at that port: try security = "tls".',
)
OPEN_HINT = words(
    fr='Sans TLS, la lettre et le mot de passe voyageraient en clair : security = "tls" ou "starttls" ; si ce serveur est sur votre '
    "réseau, ajoutez son nom à allow_private dans la section [network].",
    en='Without TLS the letter and the password would travel for all to read: security = "tls" or "starttls"; if that server is on your '
    "own network, add its name to allow_private in the [network] section.",
)
REFUSED_HINT = words(
    fr="Le serveur de courriel refuse cette lettre pour ce qu'elle contient : demandez-lui pourquoi, puis renvoyez-la.",
    en="The mail server refuses this letter for what is in it: ask its keepers why, then send it again.",
)
SIZE_HINT = words(
    fr="Le serveur de courriel trouve la lettre trop grosse : moins de choses par numéro, ou demandez-lui plus.",
    en="The mail server finds the letter too large: fewer things an issue, or ask for more.",
)


class AddressLater(Exception):
    """This address cannot be had now (greylisting, full mailbox); the letter surely did not reach it."""


class AddressRefused(Exception):
    """This address will never be had; the letter surely did not reach it."""


class LetterRefused(Exception):
    """The server refuses what the letter says, or how large it is, for this address at least."""


async def nothing() -> None:
    """Nobody need be told."""


class Line:
    """A connection, made when it is first needed and kept for several letters."""

    def __init__(self, options: Server, trusted: Collection[str]) -> None:
        """``trusted`` are the hosts that may be spoken to without TLS."""
        self._options = options
        self._trusted = trusted
        self._smtp: aiosmtplib.SMTP | None = None
        self._letters = 0

    async def open(self) -> None:
        """Connect, protect, log in. Raises Transient, AuthExpired, Rejected."""
        import aiosmtplib

        options = self._options
        if options.security == "none" and options.host.lower() not in self._trusted:
            raise Rejected(f"{options.host}: no letter goes out without TLS", hint=OPEN_HINT)
        smtp = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.chosen_port,
            username=options.username,
            password=options.password.reveal() if options.password else None,
            use_tls=options.security == "tls",
            start_tls=options.security == "starttls",
            timeout=TIMEOUT_S,
            local_hostname=(address_of(options.sender) or "@localhost").rpartition("@")[2],
        )
        try:
            await smtp.connect()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
            smtp.close()
            raise self._unopened(error) from _named(error)
        self._smtp, self._letters = smtp, 0

    def _unopened(self, error: Exception) -> ConnectorError:
        import aiosmtplib

        where, code = f"{self._options.host}:{self._options.chosen_port}", getattr(error, "code", 0)
        causes = (error, error.__cause__, error.__context__)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return Transient(f"{where}: its certificate is not valid", hint=CERTIFICATE_HINT)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return Transient(f"{where} answered {code}") if 400 <= code < 500 else AuthExpired(f"{where} answered {code}", hint=AUTH_HINT)
        if isinstance(error, aiosmtplib.SMTPNotSupported) or (isinstance(error, aiosmtplib.SMTPException) and "STARTTLS" in str(error)):
            return Rejected(f"{where} offers no {'STARTTLS' if self._options.security == 'starttls' else 'such login'}", hint=NO_TLS_HINT)
        return Transient(f"{where}: {type(error).__name__}{f' {code}' if code else ''}")

    async def send(self, reader: str, letter: bytes, leaving: Callable[[], Awaitable[object]] = nothing) -> None:
        """Hand over one letter; returns when the server took it. ``leaving`` is done when it is about to leave: before that, it did not.

        Raises AddressLater, AddressRefused, LetterRefused of this letter; Transient, AuthExpired, Rejected of the server as a whole,
        when it surely was not taken; OutcomeUnknown when nobody can know.
        """
        import aiosmtplib

        smtp = await self._begun()
        self._letters += 1
        try:
            await smtp.rcpt(address_of(reader) or reader)
        except aiosmtplib.SMTPRecipientRefused as error:
            raise await self._address_refused(error.code, error.message) from _named(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self.close()
            raise Transient(f"{self._options.host}: {type(error).__name__} before the letter left") from _named(error)
        await leaving()
        try:
            await smtp.data(letter)
        except aiosmtplib.SMTPDataError as error:
            raise await self._letter_refused(error.code, error.message) from _named(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self.close()
            raise OutcomeUnknown(f"{self._options.host}: {type(error).__name__} after the letter left") from _named(error)

    async def _begun(self) -> aiosmtplib.SMTP:
        """A connection on which the sender of the next letter is said; a server that hung up meanwhile is called again, once."""
        import aiosmtplib

        fresh = self._smtp is None or not self._smtp.is_connected or self._letters >= LETTERS_A_CONNECTION
        if fresh:
            await self.close()
            await self.open()
        smtp = self._smtp
        assert smtp is not None
        try:
            await smtp.mail(address_of(self._options.sender) or "")
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code != CLOSING or fresh:
                raise await self._sender_refused(error.code) from _named(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            if fresh:
                await self.close()
                raise Transient(f"{self._options.host}: {type(error).__name__} before the letter left") from _named(error)
        else:
            return smtp
        await self.close()
        return await self._begun()

    async def _sender_refused(self, code: int) -> Exception:
        await self._again(code)
        said = f"{self._options.host} answered {code} to the sender"
        if code in (530, 535, 538):
            return AuthExpired(said, hint=AUTH_HINT)
        return Transient(said) if code < 500 else Rejected(said, hint=SENDER_HINT)

    async def _address_refused(self, code: int, said: str) -> Exception:
        await self._again(code)
        if code == CLOSING:
            return Transient(f"{self._options.host} answered 421")
        if code in (530, 535):
            return AuthExpired(f"{self._options.host} answered {code} to the address", hint=AUTH_HINT)
        return AddressLater(_answer(code, said)) if code < 500 or _is_about_us(code, said) else AddressRefused(_answer(code, said))

    async def _letter_refused(self, code: int, said: str) -> Exception:
        await self._again(code)
        if code == CLOSING:
            return Transient(f"{self._options.host} answered 421")
        return AddressLater(_answer(code, said)) if code < 500 else LetterRefused(_answer(code, said))

    async def _again(self, code: int) -> None:
        """Ready for the next letter on the same connection, where the server still is."""
        import aiosmtplib

        if code == CLOSING or self._smtp is None:
            await self.close()
            return
        try:
            await self._smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            await self.close()

    async def close(self) -> None:
        """Say good-bye; safe to repeat."""
        import aiosmtplib

        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with suppress(aiosmtplib.SMTPException, OSError):
            await smtp.quit(timeout=5)
        smtp.close()


def _enhanced(said: str) -> str:
    """The enhanced status code that an answer begins with (RFC 2034); empty without one."""
    found = _ENHANCED.match(said)
    return found[1] if found else ""


def _answer(code: int, said: str) -> str:
    return f"{code} {_enhanced(said)}".strip()


def _is_about_us(code: int, said: str) -> bool:
    """Whether a no for good, said to an address, speaks of how much we send or of a mailbox that is full rather than of a dead address."""
    enhanced = _enhanced(said)
    return bool(_ABOUT_US.match(enhanced)) if enhanced else code in (552, 554)


def _named(error: Exception) -> Exception:
    """The cause by its kind only: a server's words may hold the address of a reader."""
    return RuntimeError(type(error).__name__)
