"""Letters by SMTP, to a real server (aiosmtpd): to a list, and to readers one by one, whatever goes wrong."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.mail.options import ToList, ToReaders, address_of
from connectors.mail.readers import MailPublisher
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, NotReady, OutcomeUnknown, Rejected, Transient
from syndicator.model import Receipt
from tests.clock import Clock
from tests.mail_scene import KEY, LETTER, RENDITION, Office, office, publisher

Kind = type[Exception]
READERS = [f"lectrice{number:02}@exemple.fr" for number in range(12)]
FILE = "\n".join(["# abonnées", *READERS])


@pytest.fixture
def server() -> Iterator[Office]:
    with office() as server:
        yield server


async def everybody(server: Office, folder: Path, clock: Clock, file: str = FILE) -> Receipt:
    """Turn after turn, as the outbox does it, each with a connector of its own."""
    for _ in range(30):
        one = publisher(server, folder, clock, readers=file)
        try:
            await one.open()
            return await one.publish(RENDITION, KEY)
        except NotReady as error:
            clock.at = max(error.at or clock.at, clock.at)
        finally:
            await one.close()
    raise AssertionError("it never ends")


async def test_a_list_gets_one_letter(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Read back by Python's own parser: headers, a text part, an HTML part; the list has its own way out."""
    one = publisher(server, tmp_path, clock, reply_to="contact@velo.example")
    await one.open()
    receipt = await one.publish(RENDITION, KEY)
    await one.close()
    letter = server.read()

    assert server.readers == ["lettre@listes.example"]
    assert (letter["From"], letter["To"], letter["Reply-To"]) == (
        "Les Amis du Vélo <lettre@velo.example>",
        "lettre@listes.example",
        "contact@velo.example",
    )
    assert (letter["Subject"], letter["Message-ID"], letter["Content-Language"]) == (LETTER.subject, f"<{KEY}@velo.example>", "fr")
    assert letter["Date"].datetime == clock.at
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    plain, page = (part.get_content().replace("\r\n", "\n") for part in letter.iter_parts())
    assert plain.startswith("Les Amis du Vélo\nLa lettre du vélo")
    assert "<h1" in page
    assert "Ne plus recevoir" not in plain + page
    assert letter.defects == []
    assert max(len(line) for line in server.letters[0][1].split(b"\r\n")) <= 998
    assert receipt == Receipt(remote_id=f"<{KEY}@velo.example>")


async def test_each_reader_has_a_letter_and_a_way_out(server: Office, tmp_path: Path, clock: Clock) -> None:
    """In the file's order, each once though named twice, with a number of its own."""
    receipt = await everybody(server, tmp_path, clock, f"{FILE}\n Nom <{READERS[0].upper()}>\nceci n'est rien\n")
    letters = [server.read(number) for number in range(len(READERS))]

    assert server.readers == READERS
    assert len({letter["Message-ID"] for letter in letters}) == len(READERS)
    assert {letter["List-Unsubscribe"] for letter in letters} == {"<mailto:lettre@velo.example?subject=unsubscribe>"}
    assert all("mailto:lettre@velo.example?subject=unsubscribe" in part.get_content() for part in letters[0].iter_parts())
    assert receipt.data == (("sent", "12"),)


async def test_what_happens_to_one_does_not_keep_the_rest(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Greylisting, a full mailbox, a dead address, a letter that one server dislikes, a line cut after the letter was taken."""
    server.answers = {
        READERS[1]: deque(["451 4.7.1 greylisted", "451 4.7.1 greylisted", ""]),
        READERS[2]: deque(["550 5.1.1 no such user"]),
        READERS[3]: deque(["452 4.2.2 mailbox full", ""]),
    }
    server.data_answers = {READERS[4]: deque(["554 5.7.1 spam"])}
    server.cuts = {READERS[5]}
    receipt = await everybody(server, tmp_path, clock)

    assert Counter(server.readers) == Counter([reader for reader in READERS if reader not in (READERS[2], READERS[4])])
    assert receipt.data == (("sent", "9"), ("refused", "2"), ("unknown", "1"))


async def test_who_can_never_be_had_is_given_up(server: Office, tmp_path: Path, clock: Clock) -> None:
    """After days of "later"; the others had theirs long before."""
    began = clock.at
    server.answers = {READERS[0]: deque(["451 try later"])}
    receipt = await everybody(server, tmp_path, clock)

    assert receipt.data == (("sent", "11"), ("refused", "1"))
    assert timedelta(days=1) < clock.at - began < timedelta(days=4)


@pytest.mark.parametrize("number", range(len(READERS)))
async def test_killed_while_a_letter_is_under_way(server: Office, tmp_path: Path, clock: Clock, number: int) -> None:
    """It goes on with the next reader: nobody twice, and the one in the air is told of."""
    one = publisher(server, tmp_path, clock, readers=FILE)
    loop, dead = asyncio.get_running_loop(), asyncio.Event()
    server.taken = lambda address: loop.call_soon_threadsafe(dead.set) and None if address == READERS[number] else None
    server.cuts = set()
    await one.open()
    task = asyncio.ensure_future(one.publish(RENDITION, KEY))
    await asyncio.wait([task, asyncio.ensure_future(dead.wait())], return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.taken = lambda address: None
    receipt = await everybody(server, tmp_path, clock)

    assert Counter(server.readers).most_common(1)[0][1] == 1
    assert set(READERS) - set(server.readers) <= {READERS[min(number + 1, len(READERS) - 1)]}
    assert sum(int(count) for _, count in receipt.data) == len(READERS)


async def test_all_get_the_same_letter(server: Office, tmp_path: Path, clock: Clock) -> None:
    """What is edited while the letter is on its way does not split the readers, nor does a list that changes."""
    server.answers = {READERS[11]: deque(["451 later", ""])}
    one = publisher(server, tmp_path, clock, readers=FILE)
    with pytest.raises(NotReady, match="11/12"):
        await one.publish(RENDITION, KEY)
    clock.forward(hours=1)
    changed = publisher(server, tmp_path, clock, readers=FILE + "\nnouvelle@exemple.fr")
    receipt = await changed.publish(replace(RENDITION, title="Autre"), KEY)

    assert {server.read(number)["Subject"] for number in range(12)} == {LETTER.subject}
    assert (len(server.letters), receipt.data) == (12, (("sent", "12"),))
    await one.close()
    await changed.close()


async def test_did_it_go_out(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Yes once everybody was written to; else what is left goes on."""
    one = publisher(server, tmp_path, clock, readers=FILE)
    assert isinstance(one, MailPublisher)
    assert await one.find(KEY, RENDITION) is None
    receipt = await one.publish(RENDITION, KEY)
    assert await one.find(KEY, RENDITION) == receipt
    assert await one.publish(RENDITION, KEY) == receipt
    await one.close()

    assert server.readers == READERS


async def test_a_letter_that_nobody_s_server_takes(server: Office, tmp_path: Path, clock: Clock) -> None:
    """After five refusals in a row the others are spared, and a person is told."""
    server.data_answers = {"*": deque(["554 5.7.1 looks like spam"])}
    one = publisher(server, tmp_path, clock, readers=FILE)
    with pytest.raises(Rejected) as caught:
        await one.publish(RENDITION, KEY)
    await one.close()

    assert "refuse cette lettre" in (caught.value.hint or {})["fr"]
    assert server.letters == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("451 4.7.1 greylisted", Transient), ("421 busy", Transient), ("550 no such list", Rejected), ("552 too much", Transient)],
)
async def test_what_a_list_s_server_says_to_the_address(
    server: Office, tmp_path: Path, clock: Clock, answer: str, kind: type[Exception]
) -> None:
    """Later is later, no is no."""
    server.answers = {"lettre@listes.example": deque([answer])}
    await refused(server, tmp_path, clock, kind)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("451 try later", Transient), ("552 message too large", Rejected), ("554 no", Rejected), ("421 closing", Transient)],
)
async def test_what_a_list_s_server_says_to_the_letter(
    server: Office, tmp_path: Path, clock: Clock, answer: str, kind: type[Exception]
) -> None:
    """The size has words of its own."""
    server.data_answers = {"*": deque([answer])}
    hint = await refused(server, tmp_path, clock, kind)
    assert ("trop grosse" in hint) == ("large" in answer)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("450 later", Transient), ("553 not your address", Rejected), ("530 log in", AuthExpired)],
)
async def test_what_a_server_says_to_the_sender(server: Office, tmp_path: Path, clock: Clock, answer: str, kind: Kind) -> None:
    """A sender that it does not let write is a person's affair."""
    server.sender_answer = answer
    await refused(server, tmp_path, clock, kind)


async def test_a_lost_answer(server: Office, tmp_path: Path, clock: Clock) -> None:
    """The list may have it: nothing is sent again before somebody knows."""
    server.cuts = {"lettre@listes.example"}
    await refused(server, tmp_path, clock, OutcomeUnknown)
    assert len(server.letters) == 1


async def test_a_wrong_password(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Said in words, and shown nowhere."""
    one = publisher(server, tmp_path, clock, password=Secret("faux-mot-de-passe"))
    with pytest.raises(AuthExpired) as caught:
        await one.open()
    assert "password" in (caught.value.hint or {})["fr"]
    assert "faux" not in repr(caught.value) + repr(caught.value.__cause__)


async def test_a_dead_server(tmp_path: Path, clock: Clock) -> None:
    """Comes back by itself, or not: the letter waits, and no reader is taken for served."""
    with office() as server:
        one = publisher(server, tmp_path, clock, readers=FILE)
    with pytest.raises(Transient):
        await one.open()
    with pytest.raises(Transient):
        await one.publish(RENDITION, KEY)
    with office() as again:
        receipt = await everybody(again, tmp_path, clock)
    assert receipt.data == (("sent", "12"),)


async def test_no_letter_without_tls(server: Office, tmp_path: Path, clock: Clock) -> None:
    """But to a server that a person trusts by name."""
    one = publisher(server, tmp_path, clock, host="smtp.exemple.fr")
    with pytest.raises(Rejected, match="TLS"):
        await one.open()


async def test_a_server_without_starttls(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Nothing is sent in the open instead."""
    one = publisher(server, tmp_path, clock, security="starttls")
    with pytest.raises(Rejected) as caught:
        await one.open()
    assert "STARTTLS" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("file", ["", "# personne\n", "pas une adresse\n"])
async def test_a_file_that_names_nobody(server: Office, tmp_path: Path, clock: Clock, file: str) -> None:
    """Is a mistake, told before anything leaves."""
    one = publisher(server, tmp_path, clock, readers=file)
    with pytest.raises(Rejected) as caught:
        await one.open()
    assert "abonnés" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("text", ["a@b.fr", "Nom <a@b.fr>", "a.b+c@d-e.example"])
def test_an_address(text: str) -> None:
    """Alone or with a name."""
    assert re.fullmatch(r"[a-z.+]+@[a-z.-]+", address_of(text) or "")


@pytest.mark.parametrize("text", ["", "a", "a@b", "a@b.fr, c@d.fr", "a@b.fr\nBcc: x@y.fr", "<a@b.fr", "é@b.fr", "a b@c.fr"])
def test_no_address(text: str) -> None:
    """Nothing that could write to somebody else."""
    found = address_of(text)
    assert found is None or "\n" not in found
    assert found in (None, "a@b.fr")


@pytest.mark.parametrize("options", [{"sender": "personne"}, {"to": "x"}, {"username": None}, {"reply_to": "a@b"}])
def test_options_that_cannot_be(options: dict[str, object]) -> None:
    """Told before anything starts."""
    whole = {"host": "h", "sender": "a@b.fr", "to": "l@b.fr", "username": "u", "password": Secret("p")}
    with pytest.raises(ValueError, match="fr"):
        ToList(**{**whole, **options})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="per_minute"):
        ToReaders(host="h", sender="a@b.fr", readers=Path("r"), per_minute=0)


async def refused(server: Office, folder: Path, clock: Clock, kind: type[Exception]) -> str:
    """That one letter to the list fails so; the French hint."""
    one = publisher(server, folder, clock)
    await one.open()
    with pytest.raises(kind) as caught:
        await one.publish(RENDITION, KEY)
    await one.close()
    hint = getattr(caught.value, "hint", None)
    return hint["fr"] if hint else ""
