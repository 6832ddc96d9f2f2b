"""What the mail of a review and the mail of a try are, byte by byte and to two readers: Python's at its strictest, and postal-mime."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage
from pathlib import Path

import html5lib
import pytest

from syndicator.config import Alerts
from syndicator.contract import Secret
from syndicator.forthcoming import forthcoming
from syndicator.http import Sessions
from syndicator.letter.review import WAY
from syndicator.trial import ALERTS, MARK, send_test
from tests.engine_scene import Scene, post
from tests.mail_scene import Office, office
from tests.test_connector_mail_validity import read_elsewhere
from tests.test_issuing import DUE, FETE, monday, newsroom

ANNA = "anna@asso.example"
TITLES = (
    "Fête de l’hiver",
    "Un très long titre, avec « tout ce qu'il faut » : " + "vélo 🚲 " * 12,
    "Plain words that need no encoding at all, though there are a good many of them in this line",
    "=?utf-8?q?Bcc:_x@y.example?= et =20 \u2028 fin",
)
LONG = "mot " * 900 + "x" * 1500


@pytest.fixture
def server() -> Iterator[Office]:
    with office() as opened:
        yield opened


def given(server: Office) -> Alerts:
    return Alerts(
        to=("bureau@asso.example",), smtp=Secret(f"smtp://127.0.0.1:{server.port}"), sender="Les Amis du Vélo <syndicator@velo.example>"
    )


def sound(data: bytes) -> None:
    """RFC 5322, 2.1.1 and 2.3: ASCII, lines of at most 998, here 78 where nothing forbids it, CR and LF only together; each header once.

    RFC 2047, 2: encoded words of at most 75. RFC 2046, 5.1.1: every boundary opens, the last closes.
    """
    assert data.isascii()
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|\0", data) is None
    assert max(map(len, data.split(b"\r\n"))) <= 150
    head, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 78
    names = re.findall(r"^([A-Za-z-]+):", head.decode("ascii"), re.MULTILINE)
    assert len(names) == len(set(names))
    assert {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"} <= set(names)
    assert all(len(word) <= 75 for word in re.findall(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=", head.decode("ascii")))
    (boundary,) = re.findall(rb'boundary="([^"]{1,70})"', head)
    assert body.count(b"--" + boundary + b"\r\n") == 2
    assert body.rstrip().endswith(b"--" + boundary + b"--")


def read(folder: Path, data: bytes, to: str) -> EmailMessage:
    """By both, who must agree; neither finds a defect, and the HTML is HTML."""
    sound(data)
    ours = message_from_bytes(data, policy=policy.default.clone(raise_on_defect=True))
    theirs = read_elsewhere(folder, data)
    assert isinstance(ours, EmailMessage)
    assert ours["Subject"] == theirs["subject"]
    assert isinstance(ours["From"], AddressHeader)
    assert isinstance(ours["Date"], DateHeader)
    assert (theirs["from"]["name"], theirs["from"]["address"]) == ("Les Amis du Vélo", "syndicator@velo.example")
    assert [one["address"] for one in theirs["to"]] == [one.addr_spec for one in ours["To"].addresses] == [to]
    assert ours["Date"].datetime.tzinfo is not None
    assert re.fullmatch(r"<[\w.-]+@velo\.example>", theirs["messageId"])
    plain, page = (part.get_content().replace("\r\n", "\n") for part in ours.iter_parts())
    assert (theirs["text"].strip(), theirs["html"].strip(), theirs["attachments"]) == (plain.strip(), page.strip(), 0)
    assert [part.get_content_type() for part in ours.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    parser = html5lib.HTMLParser()
    parser.parse(page)
    assert parser.errors == []
    return ours


async def newsletter(made: Scene, server: Office, title: str) -> None:
    """An issue whose first thing is called so, the day before it leaves."""
    made.world.show(replace(FETE, title=title, html=f"<p>{LONG}</p>"), post(1, "Un atelier <samedi>"))
    await made.restart(replace(made.config, alerts=given(server), public_url="https://velo.example/"))
    await monday(made, DUE - timedelta(days=1))


@pytest.mark.parametrize("title", TITLES)
async def test_the_mail_of_a_review(tmp_path: Path, server: Office, title: str) -> None:
    """One mail, sound; its link is whole in both parts, and it says that a program wrote it (RFC 3834)."""
    async with newsroom(tmp_path, review=ANNA) as made:
        await newsletter(made, server, title)
    ((to, data),) = server.letters
    mail = read(tmp_path, data, ANNA)

    assert (to, mail["Auto-Submitted"]) == (ANNA, "auto-generated")
    assert str(mail["Subject"]).startswith("À relire : ")
    plain, page = (part.get_content() for part in mail.iter_parts())
    (link,) = re.findall(rf"^(https://velo\.example/{WAY}\S+)\r$", plain, re.MULTILINE)
    assert f'href="{link}"' in page


@pytest.mark.parametrize("title", TITLES)
async def test_the_mail_of_a_try(tmp_path: Path, server: Office, title: str) -> None:
    """By the server of ``[alerts]``, where no destination writes mail."""
    async with newsroom(tmp_path) as made:
        await newsletter(made, server, title)
        sessions = Sessions()
        letter = made.config.newsletters["lettre"]
        one = await forthcoming(made.config, letter, sessions, made.clock, fresh=False, drawn=True)
        await send_test(made.config, one, ALERTS, ANNA, sessions, made.clock)
        await sessions.close()
    ((_, data),) = server.letters

    assert MARK in str(read(tmp_path, data, ANNA)["Subject"])
