"""A real PDS and a real did:plc server on loopback: the contract suite of publishers against them, and our simulator compared.

``./run interop bluesky`` starts ``@atproto/dev-env``, runs this very file under pytest, asks both servers the same questions, and stops.
The suite's faults (a lost answer, a 502 of a proxy) happen in a relay between the connector and the real server.
"""

# ruff: noqa: ARG002, S106, S310
from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web
from PIL import Image

from connectors.bluesky import BlueskyPublisher
from interop.install import DEV_ENV, npm_package
from interop.processes import Running, answers, free_port, start
from interop.relay import Relay
from interop.report import Report
from interop.suite import contract
from syndicator.contract import CanDelete, CanFind, CanPrepare, Limits, Publisher, Secret
from syndicator.http import Sessions
from syndicator.model import Attachment, Card, Receipt, Span
from syndicator.sandbox.bluesky import BlueskySimulator
from syndicator.sandbox.server import Simulator
from syndicator.testing import PublisherContract, make_context, make_rendition

PASSWORD = "hunter2"  # noqa: S105 - of accounts that live for a second
WHERE = "SYNDICATOR_INTEROP_PDS"
COLLECTION = "app.bsky.feed.post"
BOOT = """
const http = require('node:http')
const listen = http.Server.prototype.listen
http.Server.prototype.listen = function (port, ...rest) {
  const last = rest.filter((one) => typeof one === 'function')
  return listen.call(this, Number(port), '127.0.0.1', ...last)
}
const { TestNetworkNoAppView } = require('@atproto/dev-env')
TestNetworkNoAppView.create({
  plc: { port: Number(process.env.PLC_PORT) },
  pds: { port: Number(process.env.PDS_PORT), hostname: 'localhost' },
}).then((net) => {
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, async () => { await net.close(); process.exit(0) })
})
"""
"""The packages would listen on every interface."""


@dataclass(frozen=True)
class Said:
    """An answer of XRPC."""

    status: int
    body: dict[str, Any]


def say(url: str, name: str, body: Any = None, *, token: str = "", data: bytes | None = None, media_type: str = "") -> Said:
    """One call, without the client under test: a query with ``body`` as its parameters when it is a tuple, else a procedure."""
    query = f"?{urlencode(body)}" if isinstance(body, tuple) else ""
    sent = data if data is not None else None if query or body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Content-Type": media_type or "application/json"} if sent else {}
    request = urllib.request.Request(
        f"{url}/xrpc/{name}{query}", data=sent if query else sent or b"", headers=headers, method="GET" if query else "POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Said(answer.status, json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as error:
        return Said(error.code, json.loads(error.read() or b"{}"))


class Account(Relay):
    """A fresh account on the real server."""

    def __init__(self, real: str) -> None:
        super().__init__(real)
        self.handle = f"a{uuid4().hex[:12]}.test"
        made = say(
            real, "com.atproto.server.createAccount", {"handle": self.handle, "email": f"{self.handle}@lab.test", "password": PASSWORD}
        )
        self.did, self.token = str(made.body["did"]), str(made.body["accessJwt"])
        app = say(real, "com.atproto.server.createAppPassword", {"name": "syndicator"}, token=self.token)
        self.app_password = str(app.body["password"])

    def records(self) -> list[dict[str, Any]]:
        """What stands on the account, oldest first."""
        # Nobody can look into an account that is switched off.
        say(self.real, "com.atproto.server.activateAccount", token=self.token)
        asked = (("repo", self.did), ("collection", COLLECTION), ("reverse", "true"))
        return list(say(self.real, "com.atproto.repo.listRecords", asked).body["records"])


class Pictures(Simulator):
    """A stranger's server with pictures and a film on it."""

    def __init__(self) -> None:
        super().__init__()
        out = BytesIO()
        Image.new("RGBA", (400, 300), (200, 40, 40, 90)).save(out, "PNG")
        self._body = out.getvalue()
        self.app.router.add_get("/{name}", self._give)

    async def _give(self, request: web.Request) -> web.Response:
        if request.match_info["name"].endswith(".mp4"):
            return web.Response(body=b"\x00\x00\x00\x18ftypisom" + bytes(600), content_type="video/mp4")
        return web.Response(body=self._body, content_type="image/png")


class Videos(Simulator):
    """A video service, played by us; what it leaves on the real server, it leaves there with the pass that it was given."""

    def __init__(self, real: str) -> None:
        super().__init__()
        self._real = real
        self._blobs: list[dict[str, Any]] = []
        self.app.router.add_post("/xrpc/app.bsky.video.uploadVideo", self._upload)
        self.app.router.add_get("/xrpc/app.bsky.video.getJobStatus", self._status)

    async def _upload(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        data = await request.read()
        left = await asyncio.to_thread(say, self._real, "com.atproto.repo.uploadBlob", token=token, data=data, media_type="video/mp4")
        if "blob" not in left.body:
            return web.json_response(left.body, status=left.status)
        self._blobs.append(left.body["blob"])
        return web.json_response({"did": request.query["did"], "jobId": "1", "state": "JOB_STATE_CREATED"})

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"jobStatus": {"jobId": "1", "did": "", "state": "JOB_STATE_COMPLETED", "blob": self._blobs[-1]}})


class TestRealServer(PublisherContract):
    """What every publisher promises, with a real server at the other end."""

    connector = BlueskyPublisher
    path = "com.atproto.repo.putRecord"

    async def start(self) -> Simulator:
        return await Account(os.environ[WHERE]).start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, Account)
        return BlueskyPublisher.Options(handle=simulator.handle, app_password=Secret(simulator.app_password), pds=simulator.url)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, Account)
        return [record["value"]["text"] for record in simulator.records()]

    def kill_credential(self, simulator: Simulator) -> None:
        """An access token outlives the app password by two hours there: the account itself is switched off."""
        assert isinstance(simulator, Account)
        say(simulator.real, "com.atproto.server.deactivateAccount", {}, token=simulator.token)

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, Account)
        (record,) = (one for one in simulator.records() if one["uri"] == receipt.remote_id)
        return str(record["value"]["reply"]["parent"]["uri"])

    def text_of_length(self, limits: Limits, length: int) -> str:
        """A family is one character there too."""
        return "👩‍👩‍👧‍👦" + "é" * (length - 1)

    async def test_all_that_a_post_can_hold(self, simulator: Simulator, publisher: Publisher) -> None:
        """Facets, language, label, pictures, a card, a thread: taken by the real server, and found again with their root."""
        assert isinstance(simulator, Account)
        async with Pictures() as pictures:
            shown = tuple(Attachment(url=f"{pictures.url}/{number}.png", description="Deux vélos") for number in range(4))
            text = "Fête 👩‍👩‍👧‍👦 https://asso.example/fête #Vélorution"
            first = await publisher.publish(make_rendition(text=text, attachments=shown, sensitive=True, parts=3), "key-1")
            card = Card(url="https://été.example/", title="Été", description="Le programme", image=shown[0])
            words = Span(start=0, end=2, url="https://été.example/")
            rendition = make_rendition(text="Le", spans=(words,), card=card, part=1, parts=3)
            second = await publisher.publish(rendition, "key-2", parent=first)
        rendition = make_rendition(text="Fin", language="zh-Hant-TW", part=2, parts=3)
        third = await publisher.publish(rendition, "key-3", parent=second)

        values = [record["value"] for record in sorted(simulator.records(), key=lambda one: one["value"]["createdAt"])]
        assert [len(values[0][name]) for name in ("facets", "langs", "labels")] == [2, 1, 2]
        assert [one["alt"] for one in values[0]["embed"]["images"]] == ["Deux vélos"] * 4
        external = values[1]["embed"]["external"]
        assert (external["uri"], external["title"], external["thumb"]["mimeType"]) == ("https://été.example/", "Été", "image/jpeg")
        assert values[1]["facets"][0]["features"][0]["uri"] == "https://été.example/"
        assert values[2]["reply"]["root"]["uri"] == first.remote_id
        assert isinstance(publisher, CanFind)
        assert await publisher.find("key-3", rendition) == third

    async def test_a_video_left_by_a_service_with_our_pass(self, simulator: Simulator, tmp_path: Path) -> None:
        """The real server signs the pass, takes the upload of whoever has it, and holds a post with the video."""
        assert isinstance(simulator, Account)
        async with Pictures() as pictures, Videos(simulator.real) as videos:
            options = replace(self.options(simulator), video=videos.url)
            # A pass is good until a time that the real server's clock is asked about.
            sessions = Sessions()
            publisher = BlueskyPublisher(options, make_context(tmp_path, sessions, now=lambda: datetime.now(UTC)))
            await publisher.open()
            film = Attachment(url=f"{pictures.url}/1.mp4", type="gifv", description="Une balade", width=16, height=9)
            rendition = make_rendition(attachments=(film,))
            await publisher.publish(rendition, "key-1", prepared=await publisher.prepare(rendition, "key-1"))
            await sessions.close()
        (record,) = simulator.records()
        assert record["value"]["embed"] | {"video": None} == {
            "$type": "app.bsky.embed.video", "alt": "Une balade", "aspectRatio": {"width": 16, "height": 9}, "presentation": "gif",
            "video": None,
        }  # fmt: skip
        assert record["value"]["embed"]["video"]["mimeType"] == "video/mp4"

    async def test_an_upload_that_is_gone_is_made_again(self, simulator: Simulator, publisher: Publisher) -> None:
        """The real server drops what no post uses any more; a prepared upload may be one of those."""
        async with Pictures() as pictures:
            rendition = make_rendition(attachments=(Attachment(url=f"{pictures.url}/1.png"),))
            assert isinstance(publisher, CanPrepare)
            assert isinstance(publisher, CanDelete)
            prepared = await publisher.prepare(rendition, "key-1")
            await publisher.delete(await publisher.publish(rendition, "key-1", prepared=prepared))
            again = await publisher.publish(rendition, "key-2", prepared=prepared)
        assert again.remote_id


async def play(report: Report, folder: Path) -> None:
    """Boot, the suite, the likeness, stop."""
    report.title("An account on Bluesky's PDS")
    url, running = await _boot(report, folder)
    try:
        # Nothing is edited there; the dialect is played by the relay, and says nothing of the real server.
        await contract(report, __file__, folder, {WHERE: url}, without=["update", "dialect"])
        await of_pds(report, url)
    finally:
        await running.end()


async def of_pds(report: Report, url: str) -> None:
    """The simulator against the real server: the same status, the same name, the same words."""
    report.title("Does our Bluesky simulator answer as this PDS does?")
    theirs = await asyncio.to_thread(_questions, url, Account(url))
    async with BlueskySimulator(now=lambda: datetime.now(UTC)) as simulator:
        account = simulator.add_account("asso.test", password=PASSWORD)
        account.app_passwords["syndicator"] = "abcd-efgh-ijkl-mnop"
        ours = await asyncio.to_thread(_questions, simulator.url, account)
    for question, expected in theirs.items():
        report.same(f"{question}: {expected[0]} {expected[1]}", ours[question], expected)


def _questions(url: str, account: Any) -> dict[str, tuple[int, str, str, bool]]:
    """Status, error, message and whether there is a commit, for each question."""
    password = getattr(account, "app_password", "abcd-efgh-ijkl-mnop")
    session = say(url, "com.atproto.server.createSession", {"identifier": account.handle, "password": password}).body
    token, refresh, did = session["accessJwt"], session["refreshJwt"], session["did"]
    found: dict[str, tuple[int, str, str, bool]] = {}

    def ask(question: str, name: str, body: Any = None, **rest: Any) -> Said:
        said = say(url, f"com.atproto.{name}", body, **{"token": token, **rest})
        message = str(said.body.get("message", "")).replace(did, "DID")
        # What is wrong with JSON, and which blob differs from which, each program says in its own words.
        shown = message.split(". Expected")[0].rstrip(".") if said.body.get("error") != "SyntaxError" else ""
        found[question] = (said.status, str(said.body.get("error", "")), shown, "commit" in said.body)
        return said

    post = {"$type": COLLECTION, "text": "Bonjour", "createdAt": "2026-11-21T12:00:00.000Z"}
    name = {"repo": did, "collection": COLLECTION, "rkey": "3mp3kvgzq7c2a"}

    def put(question: str, changes: dict[str, Any] | None = None, **outside: Any) -> Said:
        return ask(question, "repo.putRecord", {**name, "record": {**post, **(changes or {})}, **outside})

    ask("login without a name", "server.createSession", {"password": "x"}, token="")
    ask("login with a wrong password", "server.createSession", {"identifier": account.handle, "password": "x"}, token="")
    ask("login of nobody", "server.createSession", {"identifier": "nobody.test", "password": "x"}, token="")
    ask("a write without a token", "repo.putRecord", {**name, "record": post}, token="")
    ask("a write with nonsense for a token", "repo.putRecord", {**name, "record": post}, token="nonsense")
    ask("a write with a refresh token", "repo.putRecord", {**name, "record": post}, token=refresh)
    ask("a renewal with an access token", "server.refreshSession")
    ask("a renewal with a body", "server.refreshSession", {"a": 1}, token=refresh)
    ask("a renewal", "server.refreshSession", token=refresh)
    ask("the same renewal again", "server.refreshSession", token=refresh)
    put("a record")
    put("the same again")
    put("another under its name", {"text": "Bonsoir"})
    put("another where there must be none", {"text": "Bonne nuit"}, swapRecord=None)
    put("the same where there must be none", {"text": "Bonsoir"}, swapRecord=None)
    put(
        "one that must replace another than it does",
        {"text": "Hum"},
        swapRecord="bafyreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454",
    )
    ask("created where there is one", "repo.createRecord", {**name, "record": post})
    put("a name that is no TID", rkey="atelier")
    put("a name with a space", rkey="a b")
    put("no record", record=None)
    put("301 characters", {"text": "é" * 301})
    put("300 families", {"text": "👩‍👩‍👧‍👦" * 120})
    put("3001 bytes", {"text": "a" + "\u0316" * 1500})
    put("no date", {"createdAt": "hier"})
    put("a date without a zone", {"createdAt": "2026-11-21T12:00:00"})
    put("a date in the first year", {"createdAt": "0001-01-01T00:00:00.000Z"})
    put("four languages", {"langs": ["fr", "en", "de", "br"]})
    put("a language that is none", {"langs": ["français"]})
    put("a record of another kind", {"$type": "app.bsky.feed.like"})
    put("an unknown embed", {"embed": {"$type": "app.example.thing"}})
    put(
        "a card", {"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://a.example/", "title": "", "description": ""}}}
    )
    put(
        "a card without a title",
        {"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://a.example/", "description": ""}}},
    )
    put("labels", {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "graphic-media"}]}})
    for said, kind, value in (
        ("a link without a scheme", "link", "asso.example"), ("a link with a space", "link", "https://a.example/b c"),
        ("a link with accents", "link", "https://été.example/é"), ("a hashtag of 64 letters", "tag", "é" * 64),
        ("a hashtag of 65 letters", "tag", "é" * 65), ("a hashtag of 641 bytes", "tag", "a" + "\u0316" * 320),
    ):  # fmt: skip
        feature = {"$type": f"app.bsky.richtext.facet#{kind}", "uri" if kind == "link" else "tag": value}
        put(said, {"facets": [{"index": {"byteStart": 0, "byteEnd": 3}, "features": [feature]}]})
    _pictures(ask, put)
    _passes(ask, did)
    ask("a record that is there", "repo.getRecord", tuple(name.items()), token="")
    ask("a record that is not", "repo.getRecord", tuple({**name, "rkey": "3mp3kvgzq7c2b"}.items()), token="")
    ask("a write for another account", "repo.putRecord", {**name, "repo": "did:plc:" + "z" * 24, "record": post})
    ask("a deletion", "repo.deleteRecord", name)
    ask("the same deletion again", "repo.deleteRecord", name)
    return found


def _passes(ask: Any, did: str) -> None:
    now, one = int(datetime.now(UTC).timestamp()), ("lxm", "com.atproto.repo.uploadBlob")
    to = ("aud", did)
    ask("a pass", "server.getServiceAuth", (to, one, ("exp", str(now + 1800))))
    ask("a pass for a moment", "server.getServiceAuth", (to, one))
    ask("a pass for nobody", "server.getServiceAuth", (one,))
    ask("a pass without a token", "server.getServiceAuth", (to, one), token="")
    ask("a pass of yesterday", "server.getServiceAuth", (to, one, ("exp", str(now - 86_400))))
    ask("a pass for two hours", "server.getServiceAuth", (to, one, ("exp", str(now + 7200))))
    ask("a pass for everything, for long", "server.getServiceAuth", (to, ("exp", str(now + 1800))))
    ask("a pass until some time", "server.getServiceAuth", (to, one, ("exp", "soon")))
    ask("a description", "server.describeServer", (("a", "b"),), token="")


def _pictures(ask: Any, put: Any) -> None:
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(200)

    def images(*blobs: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"embed": {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "", **more} for blob in blobs]}}

    def upload(question: str, data: bytes, media_type: str) -> dict[str, Any]:
        said = ask(question, "repo.uploadBlob", data=data, media_type=media_type)
        return dict(said.body.get("blob") or {})

    small = upload("a picture", jpeg, "image/jpeg")
    named = upload("the same under another type", jpeg, "application/octet-stream")
    text = upload("a text", b"Bonjour", "text/plain")
    large = upload("a picture of 1,000,001 bytes", jpeg + bytes(1_000_001 - len(jpeg)), "image/jpeg")
    limit = upload("a picture of 1,000,000 bytes", jpeg + bytes(1_000_000 - len(jpeg)), "image/jpeg")
    fresh = upload("another picture", jpeg + b"1", "image/jpeg")
    put("its type is what it is", images(named, aspectRatio={"width": 4, "height": 3}))
    put("a picture at the limit", images(limit))
    put("a picture above it", images(large))
    put("five pictures", images(*[fresh] * 5))
    put("a picture without an alt text", {"embed": {"$type": "app.bsky.embed.images", "images": [{"image": fresh}]}})
    put("a picture without height", images(fresh, aspectRatio={"width": 4, "height": 0}))
    put("a text as a picture", images(text))
    put("a picture that is said to be a PNG", images({**fresh, "mimeType": "image/png"}))
    put("a picture of another size", images({**fresh, "size": 3}))
    put("a picture never uploaded", images({**fresh, "ref": {"$link": "bafkreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454"}}))
    put("a picture that an edit has dropped", images(small))


async def _boot(report: Report, folder: Path) -> tuple[str, Running]:
    home = await npm_package("atproto", *DEV_ENV)
    pds = json.loads((home / "node_modules" / "@atproto" / "pds" / "package.json").read_text(encoding="utf-8"))
    report.played_with(f"@atproto/pds {pds['version']} ({' '.join(DEV_ENV)})")
    (home / "boot.js").write_text(BOOT, encoding="utf-8")
    port = free_port()
    env = {"NODE_ENV": "development", "LOG_ENABLED": "false", "PDS_PORT": str(port), "PLC_PORT": str(free_port())}
    running = await start("node", home / "boot.js", log=folder / "pds.log", env=env, cwd=home)
    url = f"http://127.0.0.1:{port}"
    try:
        await answers(f"{url}/xrpc/_health", running)
    except BaseException:
        await running.end()
        raise
    return url, running
