"""A letter as mail: headers that programs understand, a text part, an HTML part (RFC 5322, RFC 2046, RFC 2369, RFC 8058)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from connectors.mail.options import Server, ToList, ToReaders, address_of
from syndicator.model import Rendition
from syndicator.text.naming import handle
from syndicator.text.way_out import UNSUBSCRIBE, with_unsubscribe, without_unsubscribe


@dataclass(frozen=True, kw_only=True)
class Written:
    """What all readers of an issue get: frozen when its first copy leaves."""

    key: str
    subject: str
    html: str
    text: str
    language: str
    written_at: datetime

    @classmethod
    def of(cls, rendition: Rendition, key: str, now: datetime) -> Written:
        """The letter in a rendition."""
        return cls(
            key=key, subject=rendition.title, html=rendition.html, text=rendition.text, language=rendition.language or "", written_at=now
        )


def message_id(key: str, sender: str, reader: str = "") -> str:
    """The same for the same letter to the same reader, whenever it is sent."""
    domain = (address_of(sender) or "@localhost").rpartition("@")[2]
    return f"<{key}{'.' + handle(reader.lower()) if reader else ''}@{domain}>"


def to_list(written: Written, options: ToList) -> bytes:
    """For a list, which has its own way out for its readers."""
    message = _message(written, options, options.to, message_id(written.key, options.sender))
    return _with_body(message, written.language, without_unsubscribe(written.text), without_unsubscribe(written.html))


def to_reader(written: Written, options: ToReaders, reader: str, one_click: str | None) -> bytes:
    """For one reader of ours, with a way out: by ``one_click`` (an https address that takes a POST, RFC 8058), or by mail."""
    message = _message(written, options, reader, message_id(written.key, options.sender, reader))
    by_mail = f"mailto:{address_of(options.unsubscribe or options.sender)}?subject=unsubscribe"
    message["List-Unsubscribe"] = f"<{one_click}>, <{by_mail}>" if one_click else f"<{by_mail}>"
    if one_click:
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    way_out = one_click or by_mail
    return _with_body(message, written.language, with_unsubscribe(written.text, way_out), with_unsubscribe(written.html, way_out))


def _message(written: Written, options: Server, to: str, number: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(options.sender)
    message["To"] = _address(to)
    if options.reply_to:
        message["Reply-To"] = _address(options.reply_to)
    message["Subject"] = " ".join(written.subject.split())
    message["Date"] = format_datetime(written.written_at)
    message["Message-ID"] = number
    message["Precedence"] = "bulk"
    return message


def _address(text: str) -> Address:
    name, found = parseaddr(text)
    return Address(display_name=name, addr_spec=found)


def _with_body(message: EmailMessage, language: str, text: str, html: str) -> bytes:
    assert UNSUBSCRIBE not in text + html
    # Quoted-printable keeps lines under 998 octets whatever is in them, and can be read by people.
    message.set_content(text, subtype="plain", charset="utf-8", cte="quoted-printable")
    message.add_alternative(html, subtype="html", charset="utf-8", cte="quoted-printable")
    if language:  # last: a body takes away what was said of it before
        message["Content-Language"] = language
    return message.as_bytes()
