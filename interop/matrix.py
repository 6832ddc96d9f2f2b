"""A real Synapse on loopback: the contract suite of publishers against it, and our simulator compared.

``./run interop matrix`` starts two Synapses (one with limits of rate), runs this very file under pytest, asks both servers the same
questions, and stops. The suite's faults (a lost answer, a 502 of a proxy) happen in a relay between the connector and the real server.
"""

# ruff: noqa: ARG002
from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp import web
from PIL import Image

from connectors.matrix import MatrixPublisher
from interop import install
from interop.matrix_server import SERVER, Said, Synapse, add_account, add_room, room_path, say
from interop.relay import Relay
from interop.report import Report
from interop.suite import contract
from syndicator.contract import CanDelete, CanFind, CanPrepare, CanUpdate, Context, Limits, Publisher, Secret
from syndicator.errors import AuthExpired, OutcomeUnknown, Rejected
from syndicator.model import Attachment, Receipt, Span
from syndicator.sandbox.matrix import MatrixSimulator
from syndicator.sandbox.server import Simulator
from syndicator.testing import NOW, PublisherContract, make_rendition

PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that live for a second
WHERE = "SYNDICATOR_INTEROP_MATRIX"
SLOW = "SYNDICATOR_INTEROP_MATRIX_SLOW"
BURST = 3


class Server(Relay):
    """A fresh account in a fresh room on the real server; whoever made the room can be asked what people see."""

    def __init__(self, real: str, **room: Any) -> None:
        super().__init__(real)
        self.name = f"a{uuid4().hex[:12]}"
        self.user = f"@{self.name}:{SERVER}"
        self.token = add_account(real, self.name, PASSWORD)
        self.owner = add_account(real, f"b{uuid4().hex[:12]}", PASSWORD)
        self.alias = f"#{self.name}:{SERVER}"
        self.room = add_room(real, self.owner, room_alias_name=self.name, **room)

    def join(self) -> None:
        """Let the account in."""
        say(self.real, "POST", f"/client/v3/join/{quote(self.room, safe='')}", {}, token=self.token)

    def invite(self) -> None:
        """Ask the account in."""
        say(self.real, "POST", room_path(self.room, "invite"), {"user_id": self.user}, token=self.owner)

    def events(self) -> list[dict[str, Any]]:
        """Every message of the room as it stands, oldest first; also what was redacted."""
        path = room_path(self.room, "messages") + "?dir=f&limit=1000&filter=%7B%22types%22%3A%5B%22m.room.message%22%5D%7D"
        return list(say(self.real, "GET", path, token=self.owner).body["chunk"])

    def shown(self) -> list[dict[str, Any]]:
        """What people read: edits applied, nothing that is gone."""
        found = []
        for event in self.events():
            content = event["content"]
            if not content or content.get("m.relates_to", {}).get("rel_type") == "m.replace":
                continue
            edit = event.get("unsigned", {}).get("m.relations", {}).get("m.replace")
            found.append(edit["content"]["m.new_content"] if edit else content)
        return found


class Pictures(Simulator):
    """A stranger's server with pictures on it."""

    def __init__(self) -> None:
        super().__init__()
        out = BytesIO()
        Image.new("RGB", (400, 300), (200, 40, 40)).save(out, "PNG")
        self._body = out.getvalue()
        self.app.router.add_get("/{name}", self._give)

    async def _give(self, _: web.Request) -> web.Response:
        return web.Response(body=self._body, content_type="image/png")


def options_for(server: Server, **changes: Any) -> Any:
    return MatrixPublisher.Options(
        **{"homeserver": server.url, "room": server.alias, "access_token": Secret(server.token), **changes},
    )


class TestRealServer(PublisherContract):
    """What every publisher promises, with a real server at the other end."""

    connector = MatrixPublisher
    path = "/send/m.room.message/"
    method = "PUT"

    async def start(self) -> Simulator:
        server = Server(os.environ[WHERE])
        server.join()
        return await server.start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, Server)
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, Server)
        return [content["body"] for content in simulator.shown() if content["msgtype"] == "m.text"]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, Server)
        say(simulator.real, "POST", "/client/v3/logout", {}, token=simulator.token)

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, Server)
        event = say(simulator.real, "GET", room_path(simulator.room, "event", receipt.remote_id), token=simulator.owner).body
        return str(event["content"]["m.relates_to"]["m.in_reply_to"]["event_id"])

    def text_of_length(self, limits: Limits, length: int) -> str:
        """The signs that take most room in an event."""
        return '"' * length

    async def test_the_longest_text_can_be_edited(self, simulator: Simulator, publisher: Publisher) -> None:
        """An edit says it twice: it still fits into an event, whatever it is made of."""
        assert isinstance(publisher, CanUpdate)
        size = publisher.limits.text_max or 0
        for number, sign in enumerate(['"', "&", "é", "\n"]):
            text = "Début " + sign * ((size - 7) // len(sign.encode()))
            receipt = await publisher.publish(make_rendition(text="Court"), f"key-{number}")
            await publisher.update(receipt, make_rendition(text=text, spans=(Span(start=0, end=5, url="https://asso.example/"),)))
            assert self.texts(simulator)[-1].startswith("Début")

    async def test_all_that_a_post_can_hold(self, simulator: Simulator, publisher: Publisher) -> None:
        """Links, pictures, a thread of three: taken by the real server, found again with their place, taken away whole."""
        assert isinstance(simulator, Server)
        assert isinstance(publisher, CanFind)
        assert isinstance(publisher, CanPrepare)
        assert isinstance(publisher, CanDelete)
        async with Pictures() as pictures:
            shown = tuple(Attachment(url=f"{pictures.url}/{number}.png", description="Deux vélos") for number in range(3))
            first = await publisher.publish(make_rendition(text="Un https://asso.example/", parts=3), "key-1")
            second = await publisher.publish(make_rendition(text="Deux", part=1, parts=3), "key-2", parent=first)
            third = make_rendition(text="Trois", part=2, parts=3, attachments=shown)
            prepared = await publisher.prepare(third, "key-3", parent=second)
            last = await publisher.publish(third, "key-3", parent=second, prepared=prepared)
        assert await publisher.find("key-3", third) == last
        assert [content["body"] for content in simulator.shown() if "url" in content] == ["Deux vélos"] * 3
        roots = [content.get("m.relates_to", {}).get("event_id") for content in simulator.shown()]
        assert roots == [None, *[first.remote_id] * 5]

        await publisher.delete(last)
        assert self.texts(simulator) == ["Un https://asso.example/", "Deux"]

    async def test_pictures_and_words_follow_edits(self, simulator: Simulator, publisher: Publisher) -> None:
        """There and back again; and a deletion leaves no word, not even in the edits."""
        assert isinstance(simulator, Server)
        assert isinstance(publisher, CanUpdate)
        assert isinstance(publisher, CanDelete)
        async with Pictures() as pictures:
            one, two = (Attachment(url=f"{pictures.url}/{number}.png", description="Deux vélos") for number in range(2))
            receipt = await publisher.publish(make_rendition(text="Un", attachments=(one,)), "key")
            described = Attachment(url=one.url, description="Un vélo rouge")
            receipt = await publisher.update(receipt, make_rendition(text="Deux", attachments=(described, two)))
            assert [content["body"] for content in simulator.shown()] == ["Deux", "Un vélo rouge", "Deux vélos"]
            receipt = await publisher.update(receipt, make_rendition(text="Un", attachments=(one,)))
            assert [content["body"] for content in simulator.shown()] == ["Un", "Deux vélos"]
        await publisher.delete(receipt)
        assert [event["content"] for event in simulator.events()] == [{}] * len(simulator.events())

    async def test_found_far_down(self, simulator: Simulator, publisher: Publisher) -> None:
        """Edited, and behind more messages than a page holds."""
        assert isinstance(publisher, CanFind)
        assert isinstance(publisher, CanUpdate)
        rendition = make_rendition(text="Au fond")
        receipt = await publisher.publish(rendition, "key")
        await publisher.update(receipt, make_rendition(text="Au fond, corrigé"))
        for number in range(110):
            await publisher.publish(make_rendition(text=f"{number}"), f"later-{number}")
        assert await publisher.find("key", rendition) == receipt

    async def test_the_key_outlives_its_device(self, simulator: Simulator, publisher: Publisher, context: Context) -> None:
        """With the transaction number alone, a new device would write a second message."""
        assert isinstance(simulator, Server)
        first = await publisher.publish(make_rendition(), "key")
        login = {"access_token": None, "user": simulator.user, "password": Secret(PASSWORD)}
        for _ in range(2):
            again = self.connector(options_for(simulator, **login), context)
            await again.open()
            assert (await again.publish(make_rendition(), "key")).remote_id == first.remote_id
        assert len(self.texts(simulator)) == 1

    async def test_the_same_device_after_another_login(self, simulator: Simulator, context: Context) -> None:
        """It keeps its name, and so the server keeps its transaction numbers: not one message looked through."""
        assert isinstance(simulator, Server)
        options = options_for(simulator, access_token=None, user=simulator.user, password=Secret(PASSWORD))
        publisher = self.connector(options, context)
        await publisher.open()
        kept = json.loads((context.state_dir / "session.json").read_text())
        later = replace(context, now=lambda: NOW + timedelta(hours=30))
        again = self.connector(options, later)
        await again.open()
        fresh = make_rendition(published_at=NOW + timedelta(hours=29))  # what is older is looked for all the same
        first = await again.publish(fresh, "key")
        # The session is forgotten on both sides: the next one is new, of the same device.
        say(simulator.real, "POST", "/client/v3/logout", {}, token=kept["token"])
        looked = sum("/messages" in seen.path for seen in simulator.requests)
        assert await again.publish(fresh, "key") == first
        assert sum("/messages" in seen.path for seen in simulator.requests) == looked
        assert json.loads((context.state_dir / "session.json").read_text())["token"] != kept["token"]
        assert len(self.texts(simulator)) == 1

    async def test_an_invitation_is_accepted_when_writing(self, simulator: Simulator, context: Context) -> None:
        """Checking changes nothing; a stranger is told to be invited."""
        assert isinstance(simulator, Server)
        async with Server(simulator.real, preset="private_chat") as server:
            publisher = self.connector(options_for(server), context)
            for attempt in (publisher.open(), publisher.publish(make_rendition(), "key")):
                with pytest.raises(AuthExpired) as caught:
                    await attempt
                assert "invitez-le" in (caught.value.hint or {})["fr"]
            server.invite()
            await publisher.open()
            receipt = await publisher.publish(make_rendition(text="Bonjour"), "key")
            assert self.texts(server) == ["Bonjour"]
            say(server.real, "POST", room_path(server.room, "kick"), {"user_id": server.user}, token=server.owner)
            with pytest.raises(AuthExpired) as caught:
                await publisher.update(receipt, make_rendition(text="Dehors"))
            assert "invitez-le" in (caught.value.hint or {})["fr"]

    async def test_rooms_where_it_may_not_write(self, simulator: Simulator, context: Context) -> None:
        """Encrypted, or for moderators: said when opening; but whoever made a room may."""
        assert isinstance(simulator, Server)
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        levels = {"events": {"m.room.message": 50}}
        for options, expected in (
            ({"initial_state": [encryption]}, Rejected), ({"power_level_content_override": levels}, AuthExpired),
        ):  # fmt: skip
            async with Server(simulator.real, **options) as server:
                server.join()
                with pytest.raises(expected) as caught:
                    await self.connector(options_for(server), context).open()
                assert caught.value.hint
                if expected is AuthExpired:
                    await self.connector(options_for(server, access_token=Secret(server.owner)), context).open()

    async def test_the_servers_own_pace(self, context: Context) -> None:
        """A server with limits: what is half out is finished later, and once."""
        server = Server(os.environ[SLOW])
        server.join()
        async with server, Pictures() as pictures:
            publisher = self.connector(options_for(server), context)
            await publisher.open()
            shown = tuple(Attachment(url=f"{pictures.url}/{number}.png", description=f"{number}") for number in range(BURST))
            rendition = make_rendition(text="Lentement", attachments=shown)
            prepared = await publisher.prepare(rendition, "key")
            refused = 0
            while True:
                try:
                    await publisher.publish(rendition, "key", prepared=prepared)
                    break
                except OutcomeUnknown:
                    refused += 1
                    await asyncio.sleep(1)
            assert refused
            assert [content["body"] for content in server.shown()] == ["Lentement", *(f"{number}" for number in range(BURST))]


async def play(report: Report, folder: Path) -> None:
    """Boot, the suite, the likeness, stop."""
    report.title("A room on a Synapse (Matrix)")
    for name in ("quick", "slow"):
        (folder / name).mkdir()
    quick = await Synapse.start(folder / "quick")
    report.played_with(" ".join(install.SYNAPSE))
    try:
        slow = await Synapse.start(folder / "slow", rate=0.5, burst=BURST)
        try:
            # The dialect is played by the relay: it says nothing of the real server.
            await contract(report, __file__, folder, {WHERE: quick.url, SLOW: slow.url}, without=["dialect"])
        finally:
            await slow.running.end()
        await of_synapse(report, quick.url)
    finally:
        await quick.running.end()


async def of_synapse(report: Report, url: str) -> None:
    """The simulator against the real server: the same status, the same code."""
    report.title("Does our Matrix simulator answer as Synapse does?")
    theirs = await asyncio.to_thread(_of_the_real, url)
    async with MatrixSimulator() as simulator:
        ours = await asyncio.to_thread(_of_ours, simulator)
    for question, expected in theirs.items():
        report.same(f"{question}: {expected[0]} {expected[1]}", ours.get(question), expected)


def _of_the_real(url: str) -> dict[str, Any]:
    name = f"a{uuid4().hex[:12]}"
    token, other = add_account(url, name, PASSWORD), add_account(url, f"b{name}", PASSWORD)
    room = add_room(url, token, preset="private_chat", room_alias_name=name)
    user = f"@b{name}:{SERVER}"
    return _questions(url, token, other, room, name, lambda: say(url, "POST", room_path(room, "invite"), {"user_id": user}, token=token))


def _of_ours(simulator: MatrixSimulator) -> dict[str, Any]:
    user, stranger = simulator.add_account("annonces", PASSWORD), simulator.add_account("b", PASSWORD)
    token, other = simulator.add_token(user, "ONE"), simulator.add_token(stranger, "TWO")
    simulator.room.members.add(user)
    simulator.room.creator = user
    room = simulator.room.room_id
    return _questions(simulator.url, token, other, room, "annonces", lambda: simulator.room.invited.add(stranger))


def _questions(url: str, token: str, other: str, room: str, name: str, invite: Callable[[], object]) -> dict[str, Any]:
    """Status, ``errcode`` and the answer's fields, for each question."""
    found: dict[str, Any] = {}

    def ask(question: str, method: str, path: str, body: Any = None, *, by: str = token, data: bytes | None = None) -> Said:
        said = say(url, method, path, body, token=by, data=data)
        code = said.body.get("errcode", "") if isinstance(said.body, dict) else ""
        found[question] = (said.status, code, sorted(said.body) if said.status != 200 else [])
        return said

    def send(question: str, changes: dict[str, Any] | None = None, *, by: str = token, txn: str = "") -> Said:
        body = {"msgtype": "m.text", "body": "Bonjour", "m.mentions": {}, **(changes or {})}
        body = {key: value for key, value in body.items() if value is not None}
        return ask(question, "PUT", room_path(room, "send", "m.room.message", txn or uuid4().hex), body, by=by)

    _account(ask, name)
    event = send("a message", txn="t1").body.get("event_id", "")
    again = send("the same transaction with another text", {"body": "Bonsoir"}, txn="t1").body.get("event_id", "")
    found["is the same message"] = (200, str(event == again), [])
    send("a message of a stranger", by=other)
    send("no body", {"body": None})
    send("no kind", {"msgtype": None})
    send("a body that is no text", {"body": 5})
    send("a fraction", {"info": {"w": 0.5}})
    send("a number that is too large", {"info": {"w": 2**53}})
    send("mentions that are none", {"m.mentions": {"room": "yes"}})
    send("64,000 bytes", {"body": "a" * 64_000})
    send("65,000 bytes", {"body": "a" * 65_000})
    send("a fraction in a field of ours", {"org.syndicator.key": 0.1})
    ask("no JSON", "PUT", room_path(room, "send", "m.room.message", "t2"), data=b"{")
    ask("a list", "PUT", room_path(room, "send", "m.room.message", "t3"), [])
    edit = {"m.new_content": {"msgtype": "m.text", "body": "Après"}, "m.relates_to": {"rel_type": "m.replace", "event_id": event}}
    send("an edit", edit)
    shown = ask("the message", "GET", room_path(room, "event", event)).body
    bundled = shown["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]["body"]
    found["it comes with its edit, and is as it was"] = (200, f"{bundled} {shown['content']['body']}", [])
    thread = {"rel_type": "m.thread", "event_id": event, "is_falling_back": True, "m.in_reply_to": {"event_id": event}}
    part = send("a part of a thread", {"m.relates_to": thread}).body.get("event_id", "")
    send("a thread that begins in a thread", {"m.relates_to": {**thread, "event_id": part}})
    _reading(ask, found, room, event)
    ask("what a stranger sees of it", "GET", room_path(room, "event", event), by=other)
    ask("the room's messages, to a stranger", "GET", room_path(room, "messages") + "?dir=b", by=other)
    ask("the room's encryption, to a stranger", "GET", room_path(room, "state", "m.room.encryption", ""), by=other)
    ask("coming in without an invitation", "POST", f"/client/v3/join/{quote(room, safe='')}", {}, by=other)
    found["an invitation is seen"] = _invited(url, other, room, invite)
    ask("coming in with one", "POST", f"/client/v3/join/{quote(room, safe='')}", {}, by=other)
    ask("coming in twice", "POST", f"/client/v3/join/{quote(room, safe='')}", {}, by=other)
    return found


def _account(ask: Callable[..., Said], name: str) -> None:
    login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": name}, "password": PASSWORD, "device_id": "D"}
    ask("a login", "POST", "/client/v3/login", login, by="")
    ask("a wrong password", "POST", "/client/v3/login", {**login, "password": "x"}, by="")
    ask("nobody's name", "POST", "/client/v3/login", {**login, "identifier": {"type": "m.id.user", "user": "nobody"}}, by="")
    ask("an unknown way to log in", "POST", "/client/v3/login", {"type": "m.nope"}, by="")
    ask("who am I", "GET", "/client/v3/account/whoami")
    ask("without a token", "GET", "/client/v3/account/whoami", by="")
    ask("with nonsense for a token", "GET", "/client/v3/account/whoami", by="nonsense")
    ask("an address that does not exist", "GET", "/client/v3/nope")
    ask("the room by its name", "GET", f"/client/v3/directory/room/%23{name}%3A{SERVER if name != 'annonces' else 'asso.example'}")
    ask("a room that does not exist", "GET", "/client/v3/directory/room/%23nope%3Alab.test")
    ask("the size of files", "GET", "/client/v1/media/config")
    ask("a file", "POST", "/media/v3/upload?filename=a.jpg", data=b"\xff\xd8\xff")


def _reading(ask: Callable[..., Said], found: dict[str, Any], room: str, event: str) -> None:
    mine = "?dir=b&limit=100&filter=" + quote('{"types":["m.room.message"]}')
    chunk = ask("the newest messages", "GET", room_path(room, "messages") + mine).body["chunk"]
    found["come newest first"] = (200, str([one["content"].get("body", "")[:5] for one in chunk][:3]), [])
    relations = f"/client/v1/rooms/{quote(room, safe='')}/relations"
    edits = ask("its edits", "GET", f"{relations}/{quote(event, safe='')}/m.replace").body["chunk"]
    found["are found"] = (200, str(len(edits)), [])
    ask("the edits of nothing", "GET", f"{relations}/%24nope/m.replace")
    ask("no such message", "GET", room_path(room, "event", "$nope"))
    ask("its levels", "GET", room_path(room, "state", "m.room.power_levels", ""))
    ask("its encryption", "GET", room_path(room, "state", "m.room.encryption", ""))
    made = ask("who made it", "GET", room_path(room, "state", "m.room.create", "") + "?format=event").body
    found["is its maker"] = (200, str("sender" in made), [])
    ask("a redaction", "PUT", room_path(room, "redact", event, "r1"), {})
    ask("the same again", "PUT", room_path(room, "redact", event, "r1"), {})
    ask("another one", "PUT", room_path(room, "redact", event, "r2"), {})
    ask("a redaction of nothing", "PUT", room_path(room, "redact", "$nope", "r3"), {})
    gone = ask("what was redacted", "GET", room_path(room, "event", event)).body
    found["is empty"] = (200, str((gone["content"], "redacted_because" in gone["unsigned"])), [])
    ask("its edits after that", "GET", f"{relations}/{quote(event, safe='')}/m.replace")


def _invited(url: str, token: str, room: str, invite: Callable[[], object]) -> tuple[int, str, list[str]]:
    seen: list[bool] = []
    for step in (lambda: None, invite):
        step()
        # The same question would get the same answer for two minutes.
        said = say(url, "GET", f"/client/v3/sync?timeout={len(seen)}&set_presence=offline", token=token)
        seen.append(room in said.body.get("rooms", {}).get("invite", {}))
    return 200, str(seen), []
