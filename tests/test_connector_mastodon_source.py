"""The mastodon source against every flavour of server, and its quirks. Timings and ports are never asserted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mastodon.return_types import Status as TypedStatus
from mastodon.types_base import try_cast_recurse

from connectors.mastodon.address import Identity, address_of
from connectors.mastodon.capabilities import Capabilities, capabilities_of
from connectors.mastodon.cursor import RECENT_MAX, Position, Recent
from connectors.mastodon.parse import Reading, Unreadable, is_shown, is_unfinished, post_from_status
from connectors.mastodon.rss import posts_from_feed
from connectors.mastodon.source import MastodonSource
from connectors.mastodon.stream import EventStream
from syndicator.codec import decode
from syndicator.contract import Context, Page, Secret
from syndicator.errors import AuthExpired, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Batch, Post, Tombstone
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Account, Media, Status
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, SourceContract, make_context

DATA = Path(__file__).parent / "data" / "mastodon"
PICTURE = b"\xff\xd8\xff\xe0 a picture"


def picture(simulator: MastodonSimulator, account: Account, description: str = "Trois vélos contre un mur", **fields: Any) -> Media:
    """Put a picture on the server."""
    world = simulator.world
    media = Media(id=world.next_id(), account_id=account.id, type="image", data=PICTURE, media_type="image/jpeg", description=description)
    world.media[media.id] = media
    for name, value in fields.items():
        setattr(media, name, value)
    return media


def post(simulator: MastodonSimulator, content: str, **fields: Any) -> Status:
    """Let the association write; on Pixelfed a picture comes with it."""
    account = asso(simulator)
    media = [picture(simulator, account).id] if simulator.flavour.name == "pixelfed" else []
    return simulator.world.post(account, content, **{"media_ids": media, **fields})


def asso(simulator: MastodonSimulator) -> Account:
    """The association's account."""
    account = simulator.account_named("asso")
    assert account is not None
    return account


def uid(simulator: MastodonSimulator, status: Status) -> str:
    """The ActivityPub id."""
    return simulator.shapes.uri(status)


class _MastodonContract(SourceContract):
    connector = MastodonSource
    flavour: Any = "mastodon"
    path = "/statuses"
    sees_edits_by = "read"
    token = False

    async def start(self) -> MastodonSimulator:
        simulator = MastodonSimulator(now=lambda: NOW, flavour=self.flavour)
        account = simulator.world.add_account("asso", "Les Amis du Vélo")
        simulator.world.add_account("voisine", "La voisine")
        for number in range(4):
            simulator.world.post(
                account,
                f"<p>Message {number}</p>",
                media_ids=[picture(simulator, account).id],
                created_at=NOW - timedelta(hours=4 - number),
            )
        return await simulator.start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, MastodonSimulator)
        token = Secret(simulator.world.add_token(asso(simulator), "read:statuses", "read:accounts")) if self.token else None
        return MastodonSource.Options(account=simulator.shapes.profile_url(asso(simulator)), token=token)

    async def add(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        return uid(simulator, post(simulator, "<p>Un de plus</p>"))

    async def edit(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        status = simulator.world.of_account(asso(simulator).id)[1]
        simulator.world.edit(status, content="<p>Corrigé</p>")
        return uid(simulator, status)

    async def remove(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        status = simulator.world.of_account(asso(simulator).id)[1]
        simulator.world.delete(status)
        return uid(simulator, status)

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        for visibility in ("unlisted", "private", "direct", "local"):
            post(simulator, "<p>secret-4711</p>", visibility=visibility)
        post(simulator, "<p>secret-4711</p>", extra={"local_only": True})
        return "secret-4711"


class TestMastodon(_MastodonContract):
    """Mastodon, read anonymously."""


class TestMastodonWithToken(_MastodonContract):
    """Mastodon, with the author's own token: the server shows private and direct posts, the source does not."""

    token = True


class TestGotosocial(_MastodonContract):
    """GoToSocial: ULIDs, a token needed, no batches."""

    flavour = "gotosocial"
    token = True


class TestPixelfed(_MastodonContract):
    """Pixelfed: a token needed, min_id that skips, no Link header, no batches."""

    flavour = "pixelfed"
    token = True


class TestAkkoma(_MastodonContract):
    """Akkoma: flakes, uids without the id in them, batches by another name; older posts are there, or not, by ActivityPub."""

    flavour = "akkoma"


class TestFriendica(_MastodonContract):
    """Friendica: numbers of its own, titles, dates of edits that are none."""

    flavour = "friendica"


class TestMastodonFeed(_MastodonContract):
    """A Mastodon closed to strangers, read by its feed; unlisted posts in it are told apart by their ActivityPub objects."""

    path = ".rss"
    sees_edits_by = "fetch"

    async def start(self) -> MastodonSimulator:
        simulator = await super().start()
        simulator.closed = True
        return simulator


class TestPixelfedFeed(_MastodonContract):
    """Pixelfed without a token, by its Atom feed."""

    flavour = "pixelfed"
    path = ".atom"
    sees_edits_by = "fetch"


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


@pytest.fixture
def clock() -> list[datetime]:
    """The present, as its only element."""
    return [NOW]


@pytest.fixture
def context(tmp_path: Path, sessions: Sessions, clock: list[datetime]) -> Context:
    return make_context(tmp_path, sessions, now=lambda: clock[0])


Build = Callable[..., Any]


@pytest.fixture
async def build(clock: list[datetime]) -> AsyncIterator[Build]:
    """Make a started simulator with the association's account."""
    made: list[MastodonSimulator] = []

    async def build(**options: Any) -> MastodonSimulator:
        simulator = MastodonSimulator(now=lambda: clock[0], **options)
        simulator.world.add_account("asso", "Les Amis du Vélo")
        made.append(simulator)
        return await simulator.start()

    yield build
    for simulator in made:
        await simulator.stop()


@pytest.fixture
async def opened(context: Context) -> AsyncIterator[Build]:
    """Make an open source for a simulator's association."""
    made: list[MastodonSource] = []

    async def opened(simulator: MastodonSimulator, *, token: bool = False, **options: Any) -> MastodonSource:
        secret = Secret(simulator.world.add_token(asso(simulator), "read:statuses", "read:accounts")) if token else None
        account = options.pop("account", simulator.shapes.profile_url(asso(simulator)))
        source = MastodonSource(MastodonSource.Options(account=account, token=secret, **options), context)
        made.append(source)
        await source.open()
        return source

    yield opened
    for source in made:
        await source.close()


def texts(batch: Batch) -> list[str]:
    """The bodies, in order."""
    return [item.html for item in batch.changed if isinstance(item, Post)]


# What a status says


def pairs() -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted(DATA.glob("*.json"))]


@pytest.mark.parametrize("typed", [False, True], ids=["json", "mastodon.py"])
@pytest.mark.parametrize("path", pairs())
def test_a_status_is_the_expected_post(path: Path, typed: bool) -> None:
    """Every known shape of a status becomes exactly this post, from raw JSON and from Mastodon.py's types alike."""
    pair = json.loads(path.read_text())
    status = try_cast_recurse(TypedStatus, pair["status"]) if typed else pair["status"]
    reading = Reading(account_id=pair["account_id"], domain="asso.example", capabilities=capabilities_of(*pair["server"]))

    assert post_from_status(status, reading) == decode(Post, pair["post"])


@pytest.mark.parametrize("name", ["uri"])
def test_a_status_without_what_identifies_it_is_named(name: str) -> None:
    """What cannot be read says which field is missing, and of which status."""
    with pytest.raises(Unreadable, match=f"status 7 has no {name}"):
        post_from_status({"id": "7", "visibility": "public"}, Reading(account_id="1", domain="x", capabilities=Capabilities()))


@pytest.mark.parametrize(("status", "unlisted", "shown"), [
    ({"visibility": "public"}, False, True),
    ({"visibility": "unlisted"}, False, False),
    ({"visibility": "unlisted"}, True, True),
    ({"visibility": "private"}, True, False),
    ({"visibility": "direct"}, True, False),
    ({"visibility": "local"}, True, False),
    ({"visibility": "list:3"}, True, False),
    ({}, True, False),
    ({"visibility": "public", "local_only": True}, True, False),
    ({"visibility": "public", "local_only": False}, False, True),
    ({"visibility": "public", "reblog": {"visibility": "private"}}, True, False),
    ({"visibility": "public", "reblog": {"visibility": "public"}}, False, True),
])  # fmt: skip
def test_only_what_is_public_is_shown(status: dict[str, Any], unlisted: bool, shown: bool) -> None:
    """Visibility is read in code, and whatever is not known to be public is not."""
    assert is_shown(status, unlisted=unlisted) is shown


def test_media_without_an_address_are_unfinished() -> None:
    """A video that the server still converts is left out for now, and known to come."""
    status = {"id": "1", "uri": "https://a.example/1", "media_attachments": [{"id": "2", "type": "video", "url": None, "meta": None}]}

    assert is_unfinished(status)
    assert post_from_status(status, Reading(account_id="1", domain="x", capabilities=Capabilities())).attachments == ()


# Which account


@pytest.mark.parametrize(("account", "expected"), [
    ("@asso@social.example", ("asso", "https://social.example")),
    ("asso@Social.Example", ("asso", "https://social.example")),
    ("https://social.example/@asso", ("asso", "https://social.example")),
    ("https://social.example/@asso/112233", ("asso", "https://social.example")),
    ("https://social.example/@asso.rss", ("asso", "https://social.example")),
    ("https://social.example/users/asso", ("asso", "https://social.example")),
    ("https://pixels.example/asso", ("asso", "https://pixels.example")),
    ("https://pixels.example/users/asso.atom", ("asso", "https://pixels.example")),
    ("https://friends.example/profile/asso", ("asso", "https://friends.example")),
    ("https://social.example/@asso@home.example", ("asso", "https://home.example")),
])  # fmt: skip
def test_an_account_is_written_in_many_ways(account: str, expected: tuple[str, str]) -> None:
    """Handle, profile page, post, feed: all name the same account."""
    address = address_of(account)
    assert (address.user, address.base_url) == expected


@pytest.mark.parametrize("account", ["asso", "https://social.example/", "https://social.example/about", "mailto:asso@x.example", "@a b@c"])
def test_what_is_no_account_is_refused_in_words(account: str) -> None:
    """A mistyped account is refused when the configuration is read, in both languages."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are the argument
        MastodonSource.Options(account=account)
    assert set(caught.value.args[0]) == {"fr", "en"}


def page(url: str, software: str | None) -> Page:
    return Page(url=url, asked_url=url, content_type="text/html", body=b"", software=software)


@pytest.mark.parametrize(("url", "software", "expected"), [
    ("https://social.example/@asso", "mastodon", {"account": "https://social.example/@asso"}),
    ("https://social.example/@asso/1122", "gotosocial", {"account": "https://social.example/@asso"}),
    ("https://pixels.example/asso", "pixelfed", {"account": "https://pixels.example/asso"}),
    ("https://friends.example/profile/asso", "friendica", {"account": "https://friends.example/profile/asso"}),
    ("https://social.example/about", "mastodon", None),
    ("https://social.example/", "mastodon", None),
    ("https://events.example/@asso", "mobilizon", None),
    ("https://blog.example/@asso", None, None),
])  # fmt: skip
def test_recognises_its_own_pages(url: str, software: str | None, expected: dict[str, str] | None) -> None:
    """A public page of a server of the family names its account; pages of other software and of nobody do not."""
    assert MastodonSource.recognise(page(url, software)) == expected


async def test_the_handle_is_the_one_of_the_domain(build: Build, opened: Build) -> None:
    """Where handles end with another host than the server's (LOCAL_DOMAIN), WebFinger says so, and mentions follow."""
    simulator = await build(domain="asso.example")
    post(simulator, "<p>Merci</p>", extra={"mentions": [{"id": "9", "acct": "voisine", "username": "voisine", "url": None}]})
    source = await opened(simulator)
    batch = await source.fetch(None)

    assert source.account == "asso@asso.example"
    assert [mention.handle for mention in batch.changed[0].mentions] == ["voisine@asso.example"]


async def test_an_unknown_account_is_refused_with_advice(build: Build, opened: Build) -> None:
    """The account does not exist: that is for a person, not to be tried again."""
    simulator = await build()
    with pytest.raises(Rejected) as caught:
        await opened(simulator, account=f"{simulator.url}/@personne")
    assert caught.value.hint is not None


async def test_a_closed_server_without_feed_asks_for_a_token(build: Build, opened: Build) -> None:
    """GoToSocial shows nothing without a token, and has feeds off by default: the advice says what to do."""
    simulator = await build(flavour="gotosocial")
    simulator.fault(Fault(action="answer", status=404, path="/feed.rss", times=9))
    with pytest.raises(AuthExpired) as caught:
        await opened(simulator)
    assert caught.value.hint is not None
    assert "read:statuses" in caught.value.hint["fr"]


async def test_a_closed_and_secure_server_asks_for_a_token(build: Build, opened: Build) -> None:
    """Where nobody says which posts of the feed are public, none is taken for public."""
    simulator = await build(closed=True, secure=True)
    post(simulator, "<p>Public</p>")
    with pytest.raises(AuthExpired):
        await opened(simulator)
    batch = await (await opened(simulator, unlisted=True)).fetch(None)
    assert [(item.html, item.visibility) for item in batch.changed] == [("<p>Public</p>", "unlisted")]


async def test_a_revoked_token_asks_for_a_person(build: Build, opened: Build) -> None:
    """A token that stopped working is not replaced by the feed: less would be mirrored, unnoticed."""
    simulator = await build()
    source = await opened(simulator, token=True)
    simulator.world.tokens.clear()
    with pytest.raises(AuthExpired):
        await source.fetch(None)


# Paging


@pytest.mark.parametrize(("flavour", "token"), [
    ("mastodon", False), ("gotosocial", True), ("pixelfed", True), ("akkoma", False), ("friendica", False),
])  # fmt: skip
async def test_no_news_is_skipped_however_much_there_is(build: Build, opened: Build, flavour: str, token: bool) -> None:
    """Seventy posts between two polls all arrive, once, oldest first, whatever min_id means on that server."""
    simulator = await build(flavour=flavour)
    post(simulator, "<p>Avant</p>")
    source = await opened(simulator, token=token)
    first = await source.fetch(None)
    for number in range(70):
        post(simulator, f"<p>{number}</p>")
    batch = await source.fetch(first.cursor)

    assert texts(batch) == [f"<p>{number}</p>" for number in range(70)]
    assert (await source.fetch(batch.cursor)).changed == ()


async def test_the_first_fetch_is_bounded(build: Build, opened: Build) -> None:
    """An old account gives its newest forty, by two requests."""
    simulator = await build()
    for number in range(90):
        post(simulator, f"<p>{number}</p>")
    source = await opened(simulator)
    simulator.requests.clear()

    assert texts(await source.fetch(None)) == [f"<p>{number}</p>" for number in range(50, 90)]
    assert len(simulator.requests) == 2


async def test_an_account_that_begins_empty_is_read_from_its_first_post(build: Build, opened: Build) -> None:
    """Without any post there is no last id; the first post is seen all the same."""
    simulator = await build()
    source = await opened(simulator)
    empty = await source.fetch(None)
    post(simulator, "<p>Enfin</p>")

    assert empty.changed == ()
    assert texts(await source.fetch(empty.cursor)) == ["<p>Enfin</p>"]


async def test_hidden_posts_move_the_cursor(build: Build, opened: Build) -> None:
    """With the author's token, a hundred direct messages are walked past once, not at every poll."""
    simulator = await build()
    source = await opened(simulator, token=True)
    post(simulator, "<p>Avant</p>")
    first = await source.fetch(None)
    for _ in range(30):
        post(simulator, "<p>secret</p>", visibility="direct")
    batch = await source.fetch(first.cursor)
    simulator.requests.clear()
    again = await source.fetch(batch.cursor)

    assert (batch.changed, again.changed) == ((), ())
    assert len(simulator.requests) == 1


async def test_the_paged_rate_limit_says_until_when(build: Build, opened: Build) -> None:
    """The limit of paged requests ends when X-RateLimit-Reset says, and not later than its quarter of an hour."""
    simulator = await build()
    post(simulator, "<p>Un</p>")
    source = await opened(simulator)
    first = await source.fetch(None)
    simulator.paged_limit = 0
    with pytest.raises(RateLimited) as caught:
        await source.fetch(first.cursor)
    assert caught.value.at == NOW + timedelta(minutes=15)


async def test_another_account_starts_afresh(build: Build, opened: Build) -> None:
    """A cursor of another account, or of another version, is no place to go on from."""
    simulator, other = await build(), await build()
    post(simulator, "<p>Ici</p>")
    post(other, "<p>Ailleurs</p>")
    cursor = (await (await opened(other)).fetch(None)).cursor
    source = await opened(simulator)

    for strange in (cursor, "{}", "nonsense", "[]", '{"last":"1"}'):
        assert texts(await source.fetch(strange)) == ["<p>Ici</p>"]


# Edits and deletions


RECHECK = [("mastodon", False), ("gotosocial", True), ("pixelfed", True), ("akkoma", False), ("friendica", False)]


@pytest.mark.parametrize(("flavour", "token"), RECHECK)
async def test_an_edit_is_found_by_looking_again(build: Build, opened: Build, clock: list[datetime], flavour: str, token: bool) -> None:
    """An edit, invisible above the cursor, arrives with the next look at the recent posts, and only then."""
    simulator = await build(flavour=flavour)
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(3)]
    source = await opened(simulator, token=token)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=5)
    simulator.world.edit(statuses[1], content="<p>Corrigé</p>")
    early = await source.fetch(first.cursor)
    clock[0] += timedelta(minutes=5)
    late = await source.fetch(early.cursor)

    assert early == Batch(cursor=first.cursor)
    assert texts(late) == ["<p>0</p>", "<p>Corrigé</p>", "<p>2</p>"]
    assert late.changed[1].updated_at == NOW + timedelta(minutes=5)
    assert (late.gone, late.cursor) == ((), first.cursor)


@pytest.mark.parametrize(("flavour", "token"), RECHECK)
async def test_a_deletion_is_found_by_looking_again(build: Build, opened: Build, clock: list[datetime], flavour: str, token: bool) -> None:
    """A post that is missing, and unknown when asked for alone, is reported once; asked for by name later, it is gone still."""
    simulator = await build(flavour=flavour, secure=True)
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(3)]
    source = await opened(simulator, token=token)
    first = await source.fetch(None)
    gone = uid(simulator, statuses[1])
    simulator.world.delete(statuses[1])
    clock[0] += timedelta(minutes=10)
    batch = await source.fetch(first.cursor)
    clock[0] += timedelta(minutes=10)

    assert batch.gone == (Tombstone(uid=gone),)
    assert texts(batch) == ["<p>0</p>", "<p>2</p>"]
    assert (await source.fetch(batch.cursor)).gone == ()
    assert await source.read([gone]) == Batch(gone=(Tombstone(uid=gone),))


async def test_an_edit_made_while_the_daemon_was_off_is_found(build: Build, opened: Build, clock: list[datetime]) -> None:
    """After a restart the recent posts are looked at at once; the cursor remembers which they are."""
    simulator = await build()
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(3)]
    cursor = (await (await opened(simulator)).fetch(None)).cursor
    gone = uid(simulator, statuses[0])
    simulator.world.delete(statuses[0])
    simulator.world.edit(statuses[1], content="<p>Corrigé</p>")
    batch = await (await opened(simulator)).fetch(cursor)

    assert batch.gone == (Tombstone(uid=gone),)
    assert texts(batch) == ["<p>Corrigé</p>", "<p>2</p>"]


async def test_an_empty_batch_is_no_deletion(build: Build, opened: Build, clock: list[datetime]) -> None:
    """A server that forgets its list for a moment deletes nothing: each post is asked for alone."""
    simulator = await build()
    for number in range(3):
        post(simulator, f"<p>{number}</p>")
    source = await opened(simulator)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=10)
    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "application/json"}, body=b"[]", path="/statuses", skip=1))
    batch = await source.fetch(first.cursor)

    assert batch.gone == ()
    assert len(batch.changed) == 3


async def test_a_failed_look_keeps_the_news(build: Build, opened: Build, clock: list[datetime]) -> None:
    """When the recent posts cannot be read again, what is new arrives all the same, and they are tried at the next poll."""
    simulator = await build()
    status = post(simulator, "<p>Avant</p>")
    source = await opened(simulator)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=10)
    simulator.world.edit(status, content="<p>Corrigé</p>")
    post(simulator, "<p>Après</p>")
    simulator.fault(Fault(action="answer", status=503, path="/statuses", skip=2, times=9))
    batch = await source.fetch(first.cursor)
    simulator.faults.clear()

    assert (texts(batch), batch.gone) == (["<p>Après</p>"], ())
    assert texts(await source.fetch(batch.cursor)) == ["<p>Corrigé</p>", "<p>Après</p>"]


async def test_a_server_without_batches_is_listed_again(build: Build, opened: Build, clock: list[datetime]) -> None:
    """Where several posts cannot be asked for at once after all, the newest are listed again."""
    simulator = await build()
    status, *_ = [post(simulator, f"<p>{number}</p>") for number in range(30)]
    source = await opened(simulator)
    first = await source.fetch(None)
    clock[0] += timedelta(minutes=10)
    simulator.world.edit(status, content="<p>Corrigé</p>")
    simulator.flavour = replace(simulator.flavour, batch_max=0)
    batch = await source.fetch(first.cursor)

    assert texts(batch)[0] == "<p>Corrigé</p>"
    assert (len(batch.changed), batch.gone) == (30, ())


async def test_a_video_that_is_not_ready_is_looked_at_soon(build: Build, opened: Build) -> None:
    """A picture without an address is left out, and read again at the next poll instead of in ten minutes."""
    simulator = await build()
    media = picture(simulator, asso(simulator), polls_left=1)
    post(simulator, "<p>Film</p>", media_ids=[media.id])
    source = await opened(simulator)
    first = await source.fetch(None)
    media.polls_left = 0
    second = await source.fetch(first.cursor)

    assert [item.attachments for item in first.changed] == [()]
    assert [item.attachments[0].url for item in second.changed] == [f"{simulator.url}/media/{media.id}.jpg"]


async def test_a_410_is_certain(build: Build, opened: Build, clock: list[datetime]) -> None:
    """An older Friendica post, unknown by number, is asked for by its ActivityPub id; 410 and a Tombstone are the last word."""
    simulator = await build(flavour="friendica")
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(2)]
    uids = [uid(simulator, status) for status in statuses]
    source = await opened(simulator)
    simulator.world.delete(statuses[0])

    assert await source.read(uids) == Batch(gone=(Tombstone(uid=uids[0], certain=True),), present=frozenset({uids[1]}))


async def test_a_secure_server_keeps_quiet_about_it(build: Build, opened: Build) -> None:
    """With AUTHORIZED_FETCH an ActivityPub id answers 401, whatever became of the post: unknown, never gone."""
    simulator = await build(flavour="friendica", secure=True)
    status = post(simulator, "<p>Un</p>")
    source = await opened(simulator)
    gone = uid(simulator, status)
    simulator.world.delete(status)

    assert await source.read([gone]) == Batch()


async def test_strangers_ids_are_not_asked_for(build: Build, opened: Build) -> None:
    """A uid of another server is unknown here, and never gone."""
    simulator = await build()
    source = await opened(simulator)
    simulator.requests.clear()

    assert await source.read(["urn:uuid:1"]) == Batch()
    assert simulator.requests == []


async def test_the_cursor_stays_small(build: Build, opened: Build) -> None:
    """However much was posted, the cursor is a few kilobytes, and round-trips."""
    actor = "https://social.example#1"
    recent = tuple(
        Recent(id=str(117651485491200002 + n), uid=f"https://social.example/users/asso/statuses/{117651485491200002 + n}", at=1795262400)
        for n in range(500)
    )
    position = Position(actor=actor).advanced([one.id for one in recent], recent, NOW, timedelta(days=9000))

    assert position.recent == recent[-RECENT_MAX:]
    assert len(position.encode()) < 4096
    assert Position.decode(position.encode(), actor) == position
    assert Position.decode(position.encode(), "https://social.example#2") is None


# Threads and boosts


async def test_own_threads_are_kept_and_named(build: Build, opened: Build) -> None:
    """A thread's parts name their parents by uid; an answer to somebody else is marked as such, all the way down its own chain."""
    simulator = await build()
    own, other = asso(simulator), simulator.world.add_account("voisine")
    strange = simulator.world.post(other, "<p>Question ?</p>")
    one = post(simulator, "<p>1/2</p>")
    two = post(simulator, "<p>2/2</p>", in_reply_to_id=one.id, in_reply_to_account_id=own.id)
    answer = post(simulator, "<p>Réponse</p>", in_reply_to_id=strange.id, in_reply_to_account_id=other.id)
    # Mastodon hands the owner of the thread down, not the author of the parent.
    post(simulator, "<p>Suite</p>", in_reply_to_id=answer.id, in_reply_to_account_id=other.id)
    batch = await (await opened(simulator)).fetch(None)

    assert [(item.html, item.in_reply_to, item.reply_to_other) for item in batch.changed] == [
        ("<p>1/2</p>", None, False),
        ("<p>2/2</p>", uid(simulator, one), False),
        ("<p>Réponse</p>", strange.id, True),
        ("<p>Suite</p>", uid(simulator, answer), True),
    ]
    assert two.id


@pytest.mark.parametrize(("flavour", "token"), [("gotosocial", True), ("akkoma", False), ("friendica", False)])
async def test_a_chain_below_a_stranger_is_found_out(build: Build, opened: Build, flavour: str, token: bool) -> None:
    """Where the server names only the parent's author, own parents are climbed, also those older than what is listed."""
    simulator = await build(flavour=flavour)
    own, other = asso(simulator), simulator.world.add_account("voisine")
    strange = simulator.world.post(other, "<p>Question ?</p>")
    answer = post(simulator, "<p>Réponse</p>", in_reply_to_id=strange.id, in_reply_to_account_id=other.id)
    root = post(simulator, "<p>1/2</p>")
    for number in range(40):
        post(simulator, f"<p>{number}</p>")
    source = await opened(simulator, token=token)
    first = await source.fetch(None)
    post(simulator, "<p>Suite</p>", in_reply_to_id=answer.id, in_reply_to_account_id=own.id)
    post(simulator, "<p>2/2</p>", in_reply_to_id=root.id, in_reply_to_account_id=own.id)
    batch = await source.fetch(first.cursor)

    assert [(item.html, item.in_reply_to, item.reply_to_other) for item in batch.changed] == [
        ("<p>Suite</p>", uid(simulator, answer), True),
        ("<p>2/2</p>", uid(simulator, root), False),
    ]


async def test_boosts_carry_what_they_share(build: Build, opened: Build) -> None:
    """A boost has its own uid, the other's words and page, and says whose they are; an option leaves boosts out."""
    simulator = await build()
    stranger = simulator.world.add_account("voisine", "La voisine", domain="ailleurs.example")
    shared = simulator.world.post(stranger, "<p>Concert !</p>", created_at=NOW - timedelta(days=1))
    boost = simulator.world.boost(asso(simulator), shared)
    batch = await (await opened(simulator)).fetch(None)

    original = f"https://ailleurs.example/users/voisine/statuses/{shared.id}"
    assert batch.changed == (
        Post(
            uid=uid(simulator, boost),
            url=f"https://ailleurs.example/@voisine/{shared.id}",
            html="<p>Concert !</p>",
            language="fr",
            published_at=NOW,
            author=batch.changed[0].author,
            boost_of=original,
            boost_of_other=True,
        ),
    )
    assert batch.changed[0].author.handle == "voisine@ailleurs.example"
    assert (await (await opened(simulator, boosts=False)).fetch(None)).changed == ()


async def test_a_boost_of_oneself_is_no_strangers(build: Build, opened: Build) -> None:
    """To share one's own post again is not to share somebody else's; a private one is never shown by it."""
    simulator = await build()
    own = asso(simulator)
    shared = post(simulator, "<p>Rappel</p>")
    simulator.world.boost(own, shared)
    simulator.world.boost(own, post(simulator, "<p>secret</p>", visibility="private"), visibility="public")
    batch = await (await opened(simulator, token=True)).fetch(None)

    assert [(item.boost_of, item.boost_of_other) for item in batch.changed] == [(None, False), (uid(simulator, shared), False)]


async def test_one_unreadable_status_costs_no_other(build: Build, opened: Build) -> None:
    """A status without uri is left out; the others, and those after it, arrive."""
    simulator = await build()
    post(simulator, "<p>Un</p>")
    post(simulator, "<p>Deux</p>", extra={"uri": None})
    post(simulator, "<p>Trois</p>")
    source = await opened(simulator)

    assert texts(await source.fetch(None)) == ["<p>Un</p>", "<p>Trois</p>"]


# The feed


async def test_the_feed_gives_what_the_api_would(build: Build, opened: Build) -> None:
    """Same uid, page, text, warning, alt text and date by the feed as by the API; what only the API knows is missing."""
    simulator = await build()
    alts = [picture(simulator, asso(simulator), "Première image").id, picture(simulator, asso(simulator), "Seconde & dernière").id]
    html = '<p>Atelier <a href="/tags/velo" class="mention hashtag" rel="tag">#<span>vélo</span></a></p>'
    post(simulator, html, spoiler_text="Mécanique <fine>", sensitive=True, media_ids=alts)
    by_api = await (await opened(simulator)).fetch(None)
    simulator.closed = True
    by_feed = await (await opened(simulator)).fetch(None)

    [api], [feed] = by_api.changed, by_feed.changed
    known = [replace(one, width=None, height=None, blurhash=None) for one in api.attachments]
    assert feed == replace(
        api,
        language=None,
        author=replace(api.author, avatar_url=None),
        attachments=tuple(replace(one, media_type="image/jpeg", size_bytes=len(PICTURE)) for one in known),
    )
    assert (by_feed.complete, by_feed.complete_since) == (True, NOW)


async def test_unlisted_posts_of_the_feed_are_told_apart_once(build: Build, opened: Build) -> None:
    """Mastodon's feed holds unlisted posts too: each new one is asked for by its ActivityPub id, once."""
    simulator = await build(closed=True)
    post(simulator, "<p>Public</p>")
    post(simulator, "<p>discret</p>", visibility="unlisted")
    source = await opened(simulator)
    first = await source.fetch(None)
    simulator.requests.clear()
    fresh = await source.fetch(None)

    assert (texts(first), texts(fresh)) == (["<p>Public</p>"], ["<p>Public</p>"])
    assert [seen.path for seen in simulator.requests] == ["/@asso.rss"]
    both = await (await opened(simulator, unlisted=True)).fetch(None)
    assert [item.visibility for item in both.changed] == ["unlisted", "public"]


async def test_a_feed_is_asked_for_only_if_changed(build: Build, opened: Build) -> None:
    """The feed's ETag is kept with its quotes, so that a poll without news is answered 304."""
    simulator = await build(flavour="pixelfed")
    post(simulator, "<p>Photo</p>")
    source = await opened(simulator)
    first = await source.fetch(None)

    assert await source.fetch(first.cursor) == Batch(cursor=first.cursor)
    assert simulator.requests[-1].headers["If-None-Match"].startswith('W/"')


async def test_pixelfed_pictures_keep_their_alt_text(build: Build, opened: Build) -> None:
    """Pixelfed's feed puts the picture into the text: it becomes an attachment with its alt text, and leaves the text."""
    simulator = await build(flavour="pixelfed")
    media = picture(simulator, asso(simulator), 'Un "beau" vélo')
    status = post(simulator, "Balade", media_ids=[media.id])
    batch = await (await opened(simulator)).fetch(None)

    url = f"{simulator.url}/media/{media.id}.jpg"
    assert [(item.uid, item.kind, item.html, item.attachments) for item in batch.changed] == [
        (uid(simulator, status), "image", "<p>Balade</p>", (Attachment(url=url, media_type="image/jpeg", description='Un "beau" vélo'),))
    ]


IDENTITY = Identity(user="asso", domain="social.example", base_url="https://social.example", actor_url="https://social.example/users/asso")


@pytest.mark.parametrize(
    "body", [b"/etc/passwd", b"http://127.0.0.1/", b"", b"{}", b"<html><p>Bienvenue", b"<rss><channel><item>", b"<a/>"]
)
def test_what_is_no_feed_is_never_taken_for_an_address(body: bytes) -> None:
    """A body that looks like a file's name or an address is refused as a feed, not opened."""
    with pytest.raises(Transient):
        posts_from_feed(body, "application/rss+xml", IDENTITY)


def test_a_nested_bomb_is_refused() -> None:
    """600 kB of nested elements are refused before the slow parser sees them."""
    bomb = b'<rss version="2.0"><channel>' + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</channel></rss>"
    with pytest.raises(Rejected):
        posts_from_feed(bomb, "application/rss+xml", IDENTITY)


# Listening


async def listen(source: MastodonSource) -> None:
    """Wait for news, but not for ever: a test that hangs is a failed one."""
    await asyncio.wait_for(source.wait(), 20)


async def test_news_of_the_account_wake_and_those_of_others_do_not(build: Build, opened: Build) -> None:
    """A new connection is worth one look; then only the account's own updates are, whoever else is followed."""
    simulator = await build()
    other = simulator.world.add_account("voisine")
    source = await opened(simulator, token=True)
    first = await source.fetch(None)
    await listen(source)
    simulator.world.post(other, "<p>Bruit</p>")
    post(simulator, "<p>Nouveau</p>")
    await listen(source)

    assert texts(await source.fetch(first.cursor)) == ["<p>Nouveau</p>"]


async def test_edits_and_deletions_heard_of_are_looked_at_at_once(build: Build, opened: Build) -> None:
    """``status.update`` and ``delete`` bring the next look forward; what they carry is not used."""
    simulator = await build()
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(2)]
    source = await opened(simulator, token=True)
    first = await source.fetch(None)
    await listen(source)
    settled = await source.fetch(first.cursor)
    simulator.world.edit(statuses[0], content="<p>Corrigé</p>")
    await listen(source)
    edited = await source.fetch(settled.cursor)
    gone = uid(simulator, statuses[1])
    simulator.world.delete(statuses[1])
    await listen(source)
    deleted = await source.fetch(edited.cursor)

    assert texts(edited) == ["<p>Corrigé</p>", "<p>1</p>"]
    assert deleted.gone == (Tombstone(uid=gone),)


async def test_a_lost_connection_is_worth_a_look(build: Build, opened: Build, clock: list[datetime]) -> None:
    """A stream that ends after a while returns as possible news; one that ends at once is a fault to wait out."""
    simulator = await build()
    source = await opened(simulator, token=True)
    simulator.stream_ends = True
    await listen(source)
    with pytest.raises(Transient):
        await listen(source)
    await listen(source)
    clock[0] += timedelta(hours=1)
    await listen(source)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_stream_never_will(build: Build, opened: Build, status: int) -> None:
    """Refused, streaming is given up and the core polls; the account itself goes on."""
    simulator = await build()
    source = await opened(simulator, token=True)
    simulator.fault(Fault(action="answer", status=status, path="/streaming", times=9))
    with pytest.raises(Rejected):
        await listen(source)
    assert (await source.fetch(None)).changed == ()


async def test_a_stream_that_fails_is_tried_later(build: Build, opened: Build) -> None:
    """A gateway's error, or no answer, is no refusal."""
    simulator = await build()
    source = await opened(simulator, token=True)
    for fault in (Fault(action="answer", status=502, path="/streaming"), Fault(action="drop", path="/streaming", times=2)):
        simulator.fault(fault)
        with pytest.raises(Transient):
            await listen(source)


@pytest.mark.parametrize(("flavour", "token", "options"), [
    ("mastodon", False, {}), ("mastodon", True, {"stream": False}),
    ("gotosocial", True, {}), ("pixelfed", True, {}), ("friendica", True, {}),
])  # fmt: skip
async def test_who_cannot_be_listened_to_is_polled(build: Build, opened: Build, flavour: str, token: bool, options: dict[str, Any]) -> None:
    """Without a token, without the wish, or where the server streams by WebSocket or not at all."""
    simulator = await build(flavour=flavour)
    post(simulator, "<p>Un</p>")
    with pytest.raises(Rejected):
        await listen(await opened(simulator, token=token, **options))


async def test_silence_is_a_lost_connection(build: Build) -> None:
    """Nothing heard, not even a heartbeat, for as long as agreed: the connection is taken for dead."""
    simulator = await build()
    token = Secret(simulator.world.add_token(asso(simulator), "read"))
    stream = EventStream(f"{simulator.url}/api/v1/streaming/user", token, private=True, user_agent="test", silence_s=0.2)
    await stream.open()
    try:
        assert await asyncio.wait_for(stream.next(), 20) is None
    finally:
        await stream.close()
