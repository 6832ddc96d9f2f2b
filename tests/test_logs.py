"""Logs: one line an event, and never a secret."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from syndicator.errors import Transient
from syndicator.logs import LineFormatter, Redactor, clean, event, hide, set_up


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs go during a test, as under systemd."""
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    ours = logging.getLogger("syndicator")
    our_level = ours.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
    logging.raiseExceptions = raises


LOG = logging.getLogger("syndicator.velo")


def test_one_event_is_one_line_for_the_journal(stream: io.StringIO) -> None:
    """Priority first, no time, fields as key=value, those that are None left out."""
    set_up({"JOURNAL_STREAM": "8:1"}, stream=stream)
    event(LOG, logging.INFO, "source.polled", source="toots", changed=2, cursor=None, at=datetime(2026, 11, 21, tzinfo=UTC))
    event(LOG, logging.WARNING, "delivery.parked", reason='two\nlines "quoted" = odd', empty="")
    event(LOG, logging.ERROR, "x")
    event(LOG, logging.DEBUG, "unseen")

    assert stream.getvalue().splitlines() == [
        "<6>syndicator.velo source.polled source=toots changed=2 at=2026-11-21T00:00:00+00:00",
        '<4>syndicator.velo delivery.parked reason="two\\\\nlines \\"quoted\\" = odd" empty=""',
        "<3>syndicator.velo x",
    ]


def test_without_the_journal_a_line_has_its_time(stream: io.StringIO) -> None:
    """UTC, to the millisecond."""
    record = logging.LogRecord("syndicator", logging.INFO, "", 0, "started", None, None)
    record.created = 1_795_262_400.25

    assert LineFormatter(journal=False).format(record) == "2026-11-21T12:00:00.250Z info syndicator started"
    set_up({}, stream=stream, verbose=True)
    event(LOG, logging.DEBUG, "seen")
    assert " debug syndicator.velo seen" in stream.getvalue()


def test_libraries_chatter_is_kept_out(stream: io.StringIO) -> None:
    """Their warnings pass, their information does not."""
    set_up({"JOURNAL_STREAM": "8:1"}, stream=stream)
    logging.getLogger("aiohttp.access").info("GET /")
    logging.getLogger("aiohttp").warning("odd")

    assert stream.getvalue() == "<4>aiohttp odd\n"


def test_a_traceback_stays_on_its_line(stream: io.StringIO) -> None:
    """A bug is one event too, and its text is searched for secrets like any other."""
    set_up({"JOURNAL_STREAM": "8:1"}, stream=stream)
    event(LOG, logging.ERROR, "bug", exc_info=Transient("no\r\n<0>forged ?access_token=abcdef"))
    lines = stream.getvalue().splitlines()

    assert len(lines) == 1
    assert "Transient: no" in lines[0]
    assert "abcdef" not in lines[0]


SECRETS: list[tuple[str, Any]] = [
    ("Authorization: Bearer s3cr3t-t0ken", "Authorization: …"),
    ("{'Authorization': 'Bearer s3cr3t-t0ken', 'a': 1}", "{'Authorization': '…', 'a': 1}"),
    ("authorization=Basic dXNlcjpwYXNz end", "authorization=… end"),
    ("sent Bearer s3cr3t-t0ken.x", "sent Bearer …"),
    ("GET https://x.example/a?access_token=s3cr3t&page=2", "GET https://x.example/a?access_token=…&page=2"),
    ("?token=s3cr3t", "?token=…"),
    ('{"refresh_token": "s3cr3t", "b": 2}', '{"refresh_token": "…", "b": 2}'),
    ('{"accessJwt":"s3cr3t"}', '{"accessJwt":"…"}'),
    ("password: s3cr3t", "password: …"),
    ("client_secret=s3cr3t", "client_secret=…"),
    ("https://api.telegram.org/bot123456789:AAH-s3cr3t_s3cr3t_s3cr3t/sendMessage", "https://api.telegram.org/bot…/sendMessage"),
    (
        "https://discord.com/api/v10/webhooks/123456789012/s3cr3t_s3cr3t_s3cr3t-s3cr3t",
        "https://discord.com/api/v10/webhooks/123456789012/…",
    ),
    ("smtps://user:s3cr3t@mail.example:465", "smtps://user:…@mail.example:465"),
    ("https://:s3cr3t@x.example/", "https://:…@x.example/"),
]


@pytest.mark.parametrize(("text", "expected"), SECRETS)
def test_secrets_are_known_by_their_places(text: str, expected: str) -> None:
    """Where services put credentials, nothing is shown."""
    assert Redactor().clean(text) == expected


@pytest.mark.parametrize("text", [
    "destinations.x.api_key: tout le monde peut lire ce fichier", "tokens=3 keywords=velo", "the author said: secretary",
    "https://x.example:8080/path", "mail to a@b.example: done",
    "2026-11-21T12:00:00Z", "https://x.example/@asso/1", "https://social.example:3000/@asso@b.example",
])  # fmt: skip
def test_innocent_text_is_left_alone(text: str) -> None:
    """A log that hides everything tells nothing."""
    assert Redactor().clean(text) == text


def test_nothing_a_server_says_moves_the_cursor() -> None:
    """Escape sequences, carriage returns, C1 controls and bidirectional overrides are made visible; text in any script stays."""
    assert clean("\x1b[2Jvide\r\x9b31m\u202eenvers\n\tfin\u00a0!") == "\ufffd[2Jvide\ufffd\ufffd31m\ufffdenvers\n\tfin\u00a0!"
    assert clean("ça coûte 5\u202f€ · 日本 · שלום · 👩‍🚒") == "ça coûte 5\u202f€ · 日本 · שלום · 👩‍🚒"


def test_secrets_are_known_by_their_value() -> None:
    """Anywhere, also percent-encoded; the longest first, so that no tail of one is left; too short ones are not searched for."""
    redactor = Redactor()
    for value in ("hunter2/é", "hunter2/é-longer", "abc"):
        redactor.hide(value)

    assert redactor.clean("x hunter2/é-longer y hunter2%2F%C3%A9 z hunter2/%C3%A9 abc") == "x … y … z … abc"


def test_a_hidden_value_is_gone_from_every_line(stream: io.StringIO) -> None:
    """In fields, messages and text shown elsewhere."""
    hide("p4ss-phrase-of-test")
    set_up({"JOURNAL_STREAM": "8:1"}, stream=stream)
    event(LOG, logging.INFO, "x", detail="said p4ss-phrase-of-test")
    LOG.warning("p4ss-phrase-of-test in %s", "p4ss-phrase-of-test")

    assert "p4ss" not in stream.getvalue() + clean("p4ss-phrase-of-test")
