"""What leaves is mail: read back by Python's parser at its strictest, by another one (postal-mime, in Node), and byte by byte."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import AddressHeader, UniqueUnstructuredHeader
from pathlib import Path
from typing import Any

import html5lib
import pytest

from connectors.mail.message import Written, to_list, to_reader
from connectors.mail.options import ToList, ToReaders, name_of
from connectors.mail.options import address_of as address
from syndicator.contract import Secret
from syndicator.text.way_out import UNSUBSCRIBE
from tests.mail_scene import KEY, LETTER, RENDITION

READER = Path(__file__).parent / "mail_reader.mjs"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WRITTEN = Written.of(RENDITION, KEY, AT)
COMMON: dict[str, Any] = {
    "host": "smtp.exemple.fr", "username": "u", "password": Secret("p"), "reply_to": "Nous, là <contact@velo.example>",
}  # fmt: skip
SENDERS = [
    "Les Amis du Vélo <lettre@velo.example>",
    "lettre@velo.example",
    '"Été, hiver; \\"toujours\\"" <lettre@vélo.example>',
    f"{'Vélo ' * 30} <a@b.example>",
]
TOKEN = "https://agenda.une-association-au-nom-bien-long.example/sous/dossier/-/lettre/abonnes/" + "0f" * 32
NASTY = "\n".join(
    [
        ".", "..", ".caché", "From ici", "-- ", "a" * 5000, "é" * 3000, "fin d'espaces   ", "tab\t", "=3D=", "--=_0123456789",
        "un\rretour", "nul\0", "\u2028ligne", "🚲" * 400, "\x0bvertical\x0cpage\x85nel", f"Partir : {UNSUBSCRIBE}", "", "",
    ]
)  # fmt: skip


def read_elsewhere(folder: Path, data: bytes) -> dict[str, Any]:
    """As a reader in Node understands it."""
    path = folder / "letter.eml"
    path.write_bytes(data)
    told = subprocess.run(["node", READER, path], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def letters(written: Written = WRITTEN, sender: str = SENDERS[0]) -> list[bytes]:
    """To a list; to a reader with a way out by mail; with one by a click."""
    readers = ToReaders(**COMMON, sender=sender, readers=Path("abonnes.txt"))
    return [
        to_list(written, ToList(**COMMON, sender=sender, to="lettre@listes.example")),
        to_reader(written, readers, "lectrice@exemple.fr", None),
        to_reader(written, readers, "une.lectrice.au.nom.tout.a.fait.interminable@une-association-au-nom-bien-long.example", TOKEN),
    ]


def sound(data: bytes) -> None:
    """RFC 5322 by the byte: lines of at most 998, here 200 and mostly 80, ASCII, CR and LF only together; each header once."""
    assert data.isascii()
    assert b"\0" not in data
    assert re.search(rb"\r(?!\n)|(?<!\r)\n", data) is None
    assert max(map(len, data.split(b"\r\n"))) <= 200
    body = data.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 80
    head = data.partition(b"\r\n\r\n")[0].decode("ascii")
    names = re.findall(r"^([A-Za-z-]+):", head, re.MULTILINE)
    assert len(names) == len(set(names))
    assert {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To", "Content-Language"} <= set(names)
    assert all(len(word) <= 75 for word in re.findall(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", head))


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("kind", range(3))
def test_read_back_by_both(tmp_path: Path, sender: str, kind: int) -> None:
    """Every header, both parts; no defect."""
    data = letters(sender=sender)[kind]
    sound(data)
    ours = message_from_bytes(data, policy=policy.default.clone(raise_on_defect=True))
    theirs = read_elsewhere(tmp_path, data)

    assert isinstance(ours["From"], AddressHeader)
    (author,) = ours["From"].addresses
    assert (theirs["from"]["name"], theirs["from"]["address"]) == (name_of(sender), author.addr_spec)
    # Python puts a space between two encoded words of a name, where RFC 2047, 6.2, has none.
    assert author.display_name.replace(" ", "") == name_of(sender).replace(" ", "")
    assert author.addr_spec == address(sender)
    assert theirs["to"][0]["address"] == ours["To"].addresses[0].addr_spec
    assert theirs["replyTo"] == [{"name": "Nous, là", "address": "contact@velo.example"}]
    assert isinstance(ours["Subject"], UniqueUnstructuredHeader)
    assert theirs["subject"] == ours["Subject"] == LETTER.subject
    assert theirs["messageId"] == ours["Message-ID"]
    assert re.fullmatch(r"<[0-9a-z.-]+@[0-9a-z.-]+>", ours["Message-ID"])
    assert (theirs["date"], ours["Date"].datetime) == ("2026-11-23T08:00:00.000Z", AT)
    assert theirs["headers"]["content-language"] == "fr"
    assert theirs["attachments"] == 0
    plain, page = (part.get_content().replace("\r\n", "\n") for part in ours.iter_parts())
    assert (theirs["text"].strip(), theirs["html"].strip()) == (plain.strip(), page.strip())
    parser = html5lib.HTMLParser()
    parser.parse(page)
    assert parser.errors == []


def test_the_ways_out(tmp_path: Path) -> None:
    """RFC 2369 and RFC 8058: whole addresses, the https one first; the same in the letter's foot."""
    listed, by_mail, by_click = (read_elsewhere(tmp_path, data) for data in letters())
    mailto = "mailto:lettre@velo.example?subject=unsubscribe"

    assert "list-unsubscribe" not in listed["headers"]
    assert (by_mail["headers"]["list-unsubscribe"], "list-unsubscribe-post" in by_mail["headers"]) == (f"<{mailto}>", False)
    assert by_click["headers"]["list-unsubscribe"] == f"<{TOKEN}>, <{mailto}>"
    assert by_click["headers"]["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mailto in by_mail["text"]
    assert f'href="{TOKEN}"' in by_click["html"]
    assert TOKEN in by_click["text"]
    assert UNSUBSCRIBE not in json.dumps([listed, by_mail, by_click])


def test_whatever_stands_in_it_stays_text(tmp_path: Path) -> None:
    """Dots, bare line ends, lines without end, what looks like a header, a boundary or an end of data."""
    title = "Fête\r\nBcc: tout@le-monde.example\r\n\r\n<script>\0\x1b[31m" + "🚲" * 60
    written = replace(WRITTEN, subject=title, text=NASTY, html=f"<html><body>{NASTY}</body></html>")
    expected = NASTY.replace("\r", "\n").replace(UNSUBSCRIBE, TOKEN)
    for data in letters(written):
        sound(data)
        found = read_elsewhere(tmp_path, data)
        assert {"bcc", "x"} & set(found["headers"]) == set()
        assert found["subject"] == "Fête Bcc: tout@le-monde.example <script>[31m" + "🚲" * 60
    ours = message_from_bytes(data, policy=policy.default.clone(raise_on_defect=True))
    plain = next(ours.iter_parts()).get_payload(decode=True).decode().replace("\r\n", "\n")
    assert plain.rstrip("\n") == expected.rstrip("\n")
    assert len(list(ours.iter_parts())) == 2


@pytest.mark.parametrize(
    "sender",
    ["Vous\nBcc: x@y.fr <a@b.fr>", "Vous\r\n <a@b.fr>", "V\0 <a@b.fr>", "a@b.fr, c@d.fr", "é@b.fr", "a@b..fr", f"{'a' * 300}@b.fr"],
)
def test_a_sender_that_cannot_be(sender: str) -> None:
    """Refused where it is configured, not when a letter leaves."""
    for key in ("sender", "reply_to"):
        options = {**COMMON, "sender": "a@b.fr", "to": "l@b.fr", key: sender}
        with pytest.raises(ValueError, match=key):
            ToList(**options)


def test_domains_beyond_ascii() -> None:
    """As mail servers write them (RFC 5891)."""
    assert address("Marie <marie@vélo-été.example>") == "marie@xn--vlo-t-bsadb.example"
