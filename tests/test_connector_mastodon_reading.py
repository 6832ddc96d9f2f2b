"""Which account is read, page by page: nothing skipped, nothing read twice; threads and boosts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syndicator.errors import AuthExpired, RateLimited, Rejected
from syndicator.model import Post
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW
from tests.mastodon_source_scene import Build, asso, given_build, given_clock, given_context, given_opened, given_sessions, post, texts, uid  # noqa: F401 - fixtures


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
