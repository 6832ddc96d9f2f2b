"""The person who sees an issue first: the mail they get, and what they decide.

The mail is noted once the server has taken it, not before: a process that is killed in between sends it again, since a person who was
never asked cannot stop anything. Both have one Message-ID. A decision is one transaction, and an issue is made only after it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256
from html import escape
from logging import INFO, WARNING
from typing import TYPE_CHECKING, Literal

from syndicator import alerts
from syndicator.errors import ConnectorError
from syndicator.hosting import host
from syndicator.issues import Review, Row
from syndicator.issuing import REVIEW, issue_of, leaves_at, post_of
from syndicator.judge import lettered
from syndicator.letter.editorial import typed
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.review import WAY, Link, fits, key_of, path_to
from syndicator.logs import clean, event, hide
from syndicator.model import Issue, Rendition
from syndicator.tenant import wait_after
from syndicator.text.dates import describe_instant
from syndicator.text.html import to_text
from syndicator.text.way_out import without_unsubscribe
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.config import Alerts
    from syndicator.store import Store
    from syndicator.tenant import Tenant

EDITORIAL_MAX = 10_000
"""Characters."""
FIRST_WAIT = timedelta(minutes=1)
Press = Literal["send", "write", "stop"]
_BODY = re.compile(r"<body\b[^>]*>")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An issue that a person may decide on, as it is now."""

    letter: Newsletter
    row: Row
    review: Review
    allowed: frozenset[Press]
    """What can still be decided."""

    @property
    def seen(self) -> str:
        """What a person who looks at it sees of it: any change makes it another."""
        return "\0".join((str(self.review.presses), self.row.state, self.row.verdict, self.row.editorial))


def standing(tenant: Tenant, store: Store, link: Link) -> Standing | None:
    """How an issue stands; None when there is none such."""
    letter = tenant.config.newsletters.get(link.newsletter)
    row = store.issues.one(link.newsletter, link.until_at)
    if letter is None or row is None:
        return None
    return Standing(
        letter=letter,
        row=row,
        review=store.issues.review(link.newsletter, link.until_at),
        allowed=_allowed(row, store.issues.last(link.newsletter), tenant.now()),
    )


def _allowed(row: Row, last: Row | None, now: datetime) -> frozenset[Press]:
    """An issue that was made is on its way; one that was stopped may be taken up again until its hour, while it is the newest."""
    if row.state == "review":
        return frozenset({"write", "stop"}) if row.verdict == "send" else frozenset({"send", "write", "stop"})
    if row.state == "stopped" and row.until_at > now and last is not None and last.until_at == row.until_at:
        return frozenset({"send"})
    return frozenset()


def press(tenant: Tenant, store: Store, key: bytes, link: Link, form: Mapping[str, str]) -> bool:
    """Do what a form says; False, and nothing done, when the issue is no more as the form's reader saw it."""
    found = standing(tenant, store, link)
    what = form.get("press", "")
    if found is None or what not in found.allowed or not fits(key, link, found.seen, form.get("token", "")):
        return False
    row, now = found.row, tenant.now()
    written = None if what == "stop" else _written(row.editorial, form)
    if written is not None:
        row = replace(row, editorial=written)
    if what == "send":
        row = replace(row, state="review", verdict="send")
    elif what == "stop":
        row = replace(row, state="stopped", verdict="")
    store.issues.put(row, now)
    store.issues.pressed(link.newsletter, link.until_at, now, edited=written is not None)
    event(tenant.log, INFO, "review.pressed", newsletter=link.newsletter, due=link.until_at, press=what)
    return True


def _written(editorial: str, form: Mapping[str, str]) -> str | None:
    """The editorial that a form holds, HTML; None when it is what is there: its links and emphasis stay."""
    text = form.get("editorial")
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")[:EDITORIAL_MAX].strip()
    return None if text == to_text(editorial).strip() else typed(text)


def how(tenant: Tenant, found: Standing) -> str:
    """How an issue stands, as a sentence for the person who decides."""
    row, now, leaves = found.row, tenant.now(), leaves_at(found.letter, found.row, found.review)
    if row.state == "review" and row.verdict == "send":
        key = "approved" if row.until_at > now else "approved-now"
    elif row.state == "review":
        wait = "wait-late" if row.until_at <= now else "wait"
        key = wait if found.letter.unanswered == "wait" else "send" if leaves > now else "send-now"
    elif row.state == "stopped" and found.allowed:
        key = "stopped-yet"
    else:
        key = row.state
    at = describe_instant(leaves, tenant.config.association.timezone, tenant.language)
    return say(tenant.language, f"review.how.{key}", at=at)


async def drawn(tenant: Tenant, found: Standing) -> Rendition:
    """The issue as its readers would get it now; raises ConnectorError when its template cannot be used."""
    issue = await tenant.ledger.transact(lambda store: issue_of(tenant, store, found.letter, found.row))
    return await _rendition(tenant, found, issue)


async def _rendition(tenant: Tenant, found: Standing, issue: Issue) -> Rendition:
    await host(tenant, issue)
    return await asyncio.to_thread(lettered, tenant, post_of(tenant, found.letter, found.row, issue))


async def ask(tenant: Tenant) -> int:
    """Send a mail about every issue that waits for a person who was not written to yet; how many were sent."""
    sent = 0
    for letter in tenant.config.newsletters.values():
        if letter.review:
            sent += await _ask(tenant, letter)
    return sent


async def _ask(tenant: Tenant, letter: Newsletter) -> bool:
    given, now, subject = tenant.config.alerts, tenant.now(), f"{REVIEW}{letter.name}"
    if given is None or now < tenant.closed_until.get(subject, now):
        return False
    found = await tenant.ledger.transact(lambda store: _unasked(tenant, store, letter))
    if found is None:
        return False
    try:
        shown = replace(found, review=replace(found.review, mailed_at=now))
        mail = letter_to_the_reviewer(tenant, shown, await drawn(tenant, shown), given)
        await asyncio.to_thread(alerts.send, mail, given, now)
    except (ConnectorError, OSError, ValueError) as error:  # smtplib's errors are OSErrors; ValueError: an address that cannot be
        tenant.failures[subject] = tenant.failures.get(subject, 0) + 1
        tenant.closed_until[subject] = now + wait_after(tenant.failures[subject], FIRST_WAIT, tenant.rng)
        event(tenant.log, WARNING, "review.unsent", newsletter=letter.name, detail=clean(str(error)))
        detail = str(error)
        await tenant.ledger.transact(lambda store: store.problems.put(subject, "review", detail, "", now))
        tenant.issuing.pop(letter.name, None)  # it may leave unseen now
        return False
    tenant.failures.pop(subject, None)

    def note(store: Store) -> None:
        store.issues.mailed(letter.name, found.row.until_at, now)
        store.problems.clear(subject)

    await tenant.ledger.transact(note)
    tenant.issuing.pop(letter.name, None)
    event(tenant.log, INFO, "review.asked", newsletter=letter.name, due=found.row.until_at)
    return True


def _unasked(tenant: Tenant, store: Store, letter: Newsletter) -> Standing | None:
    last = store.issues.last(letter.name)
    if last is None or last.state != "review" or last.verdict == "send":
        store.problems.clear(f"{REVIEW}{letter.name}")
        return None
    found = standing(tenant, store, Link(newsletter=letter.name, until_at=last.until_at))
    return found if found is not None and found.review.mailed_at is None else None


def link_of(tenant: Tenant, row: Row) -> str:
    """The address by which a person decides on an issue; no log of ours ever shows it. Raises OSError without a usable key."""
    path = path_to(key_of(tenant.config.state_dir), row.newsletter, row.until_at)
    hide(path.rpartition("/")[2])
    return f"{tenant.config.public_url}{WAY}{path}"


def letter_to_the_reviewer(tenant: Tenant, found: Standing, rendition: Rendition, given: Alerts) -> EmailMessage:
    """The issue as a mail to the person who sees it first, with what they can do on top."""
    link, language = link_of(tenant, found.row), tenant.language
    opening = say(language, "review.mail.opening", title=found.letter.title)
    said = (opening, how(tenant, found), say(language, "review.mail.doing"), say(language, "review.mail.secret"))
    mail = EmailMessage()
    mail["Subject"] = " ".join(say(language, "review.mail.subject", subject=rendition.title).split())
    mail["From"], mail["To"] = given.sender, found.letter.review
    mail["Message-ID"] = _message_id(tenant, found.row, given)
    mail["Auto-Submitted"] = "auto-generated"
    head = "\n".join([*said[:2], "", said[2], link, "", said[3], "", "-" * 60, "", ""])
    mail.set_content((head + without_unsubscribe(rendition.text)).encode("utf-8", "replace").decode())
    top = _head(*map(escape, (*said, link, say(language, "review.mail.link"))))
    html = _BODY.sub(lambda body: body[0] + top, without_unsubscribe(rendition.html), count=1)
    mail.add_alternative(html.encode("utf-8", "replace").decode(), subtype="html")
    return mail


def _head(opening: str, standing: str, doing: str, secret: str, link: str, name: str) -> str:
    """What stands above the letter, as HTML; every style in its place, for programs that know no other."""
    paragraph = '<p style="margin:0 0 12px">'
    return (
        '<div style="background:#ffffff;color:#1a1a1a;font:16px/1.5 sans-serif;padding:20px 20px 8px;border-bottom:3px solid #1a1a1a">'
        f"{paragraph}{opening}</p>{paragraph}<strong>{standing}</strong></p>"
        f'{paragraph}{doing} <a href="{link}" style="color:#0b4f9e"><b>{name}</b></a></p>{paragraph}{secret}</p></div>'
    )


def _message_id(tenant: Tenant, row: Row, given: Alerts) -> str:
    domain = parseaddr(given.sender)[1].rpartition("@")[2] or "localhost"
    name = f"{tenant.config.slug}\0{row.newsletter}\0{row.until_at.timestamp()}"
    return f"<review.{sha256(name.encode()).hexdigest()[:32]}@{domain}>"
