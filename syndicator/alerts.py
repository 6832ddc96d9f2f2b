"""Tell a person, in plain words, what does not work and what to do: by e-mail, once a problem.

What a person must mend (a dead credential, a post nobody can decide on) is told at once; what may pass by itself (an unreachable
server) only when it has lasted. Without ``[alerts]`` the same words are in ``syndicator status``, on the status page and in the log.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from syndicator.config import Alerts
from syndicator.logs import clean, event
from syndicator.problems import Problem
from syndicator.tenant import Tenant, wait_after
from syndicator.words import say

if TYPE_CHECKING:
    from email.message import EmailMessage

PATIENCE = {"unreachable": timedelta(hours=2), "rate-limited": timedelta(hours=6), "clock": timedelta(0)}
"""How long a problem that may pass by itself must last before a person hears of it."""
TIMEOUT_S = 20
FIRST_WAIT = timedelta(minutes=1)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def describe(problem: Problem, language: str) -> tuple[str, str]:
    """(what does not work, what to do), as sentences for a person."""
    group, _, name = problem.subject.rpartition(":")
    kind = f"{problem.kind}-source" if (group, problem.kind) == ("source", "auth") else problem.kind
    what = say(language, f"problem.{kind}.what", name=name)
    todo = problem.hint or say(language, f"problem.{kind}.todo", name=name)
    return what, todo


def as_data(problem: Problem, language: str) -> dict[str, Any]:
    """A problem for a script and for the terminal: the configuration's key where there is one, then the same words."""
    group, _, name = problem.subject.partition(":")
    what, todo = describe(problem, language)
    return {
        "key": f"{group}s.{name}" if group in ("source", "destination") else problem.subject,
        "kind": problem.kind,
        "since": problem.since,
        "what": what,
        "todo": clean(todo),
        "detail": clean(problem.detail),
    }


async def tell(tenant: Tenant) -> int:
    """Send one mail about everything that is due and was not told yet; how many problems it holds."""
    alerts = tenant.config.alerts
    if alerts is None:
        return 0
    now = tenant.now()
    if now < tenant.closed_until.get("alerts", now):
        return 0
    problems = await tenant.ledger.transact(lambda store: store.problems.open())
    due = [p for p in problems if p.told_at is None and now - p.since >= PATIENCE.get(p.kind, timedelta(0))]
    if not due:
        return 0
    mail = compose(due, alerts, tenant.config.association.name, tenant.language)
    try:
        await asyncio.to_thread(send, mail, alerts, now)
    except (OSError, ValueError) as error:  # smtplib's errors are OSErrors; ValueError: an address or a host name that cannot be
        tenant.failures["alerts"] = tenant.failures.get("alerts", 0) + 1
        tenant.closed_until["alerts"] = now + wait_after(tenant.failures["alerts"], FIRST_WAIT, tenant.rng)
        event(tenant.log, logging.WARNING, "alert.unsent", detail=clean(str(error)))
        return 0
    tenant.failures.pop("alerts", None)
    await tenant.ledger.transact(lambda store: store.problems.told([problem.subject for problem in due], now))
    event(tenant.log, logging.INFO, "alert.sent", problems=len(due))
    return len(due)


def compose(problems: Sequence[Problem], alerts: Alerts, association: str, language: str) -> EmailMessage:
    """One plain mail: what, what to do, what the service said."""
    from email.message import EmailMessage

    lines = [say(language, "alert.opening", association=association), ""]
    for problem in problems:
        what, todo = describe(problem, language)
        lines += [f"• {what}", f"  {todo}", f"  {say(language, 'alert.said', detail=clean(problem.detail))}", ""]
    lines += [say(language, "alert.closing")]
    mail = EmailMessage()
    mail["Subject"] = say(language, "alert.subject", association=" ".join(association.split()), count=len(problems))
    mail["From"] = alerts.sender
    mail["To"] = ", ".join(alerts.to)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(lines).encode("utf-8", "replace").decode())
    return mail


def send(mail: EmailMessage, alerts: Alerts, now: datetime) -> None:
    """Hand the mail to the configured server: ``smtps://`` (TLS) or ``smtp://`` (STARTTLS where it is offered).

    A password never leaves this machine in the clear.
    """
    import smtplib
    from email.utils import format_datetime, make_msgid, parseaddr

    del mail["Date"]
    mail["Date"] = format_datetime(now)  # RFC 5322, 3.6: no mail is without
    if "Message-ID" not in mail:
        mail["Message-ID"] = make_msgid(domain=parseaddr(alerts.sender)[1].rpartition("@")[2] or "localhost")
    url = urlsplit(alerts.smtp.reveal())
    host = url.hostname or "localhost"
    context = ssl.create_default_context()
    if host in LOOPBACK:  # a machine's own mail server has a certificate of its own making
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, url.port or 587, timeout=TIMEOUT_S)
    with server:
        server.ehlo()
        private = url.scheme == "smtps" or host in LOOPBACK
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            private = True
        if url.username and not private:
            raise smtplib.SMTPNotSupportedError(f"{host} offers no STARTTLS: the password is not sent in the clear")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(mail)
