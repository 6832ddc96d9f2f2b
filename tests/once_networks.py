"""What the public sees on each network, read from its simulator: texts, pictures with their descriptions, what answers what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syndicator.sandbox.commerce import NETWORKS, Network, Now
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.wordpress_world import plain
from syndicator.text.html import to_text


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One object as visitors see it."""

    text: str
    pictures: tuple[str, ...] = ()
    """Their descriptions; ``?`` where the network has none."""
    answers: str = ""
    """The text of what it answers."""
    more: str = ""
    """Whatever else it shows: a title, the address of a card."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One object, before it is known what it answers."""

    id: str
    text: str
    pictures: Iterable[str] = field(default=())
    answers: str = ""
    """The id of what it answers."""
    more: str = ""


View = Callable[[Any], Iterable[Seen]]


def shown(view: View, simulator: Any) -> tuple[list[Shown], set[str]]:
    """What is there, oldest first, and its ids."""
    seen = list(view(simulator))
    texts = {one.id: one.text for one in seen}
    found = [
        Shown(
            text=one.text,
            pictures=tuple(one.pictures),
            answers=texts.get(one.answers, "(gone)") if one.answers else "",
            more=one.more,
        )
        for one in seen
    ]
    assert len(texts) == len(seen), "two objects of one id"
    return found, set(texts)


def _apprise(simulator: Any) -> Iterable[Seen]:
    return (Seen(id=str(number), text=one.text, more=one.title) for number, one in enumerate(simulator.messages))


def _bluesky(simulator: Any) -> Iterable[Seen]:
    (account,) = simulator.accounts
    for post in simulator.posts(account):
        uri, embed = f"at://{account.did}/app.bsky.feed.post/{post['rkey']}", post.get("embed") or {}
        yield Seen(
            id=uri,
            text=post["text"],
            pictures=[image["alt"] for image in embed.get("images", ())],
            answers=(post.get("reply") or {}).get("parent", {}).get("uri", ""),
            more=str((embed.get("external") or {}).get("uri", "")),
        )


def _discord(simulator: Any) -> Iterable[Seen]:
    for one in simulator.webhook.shown:
        yield Seen(id=one.id, text=one.shown, pictures=[file.description or "" for file in one.files])


def _discourse(simulator: Any) -> Iterable[Seen]:
    forum = simulator.forum
    assert not forum.queue
    for one in forum.listed:
        there = all(url in forum.uploads for _, url in one.images)
        assert there, "a picture that is not there"
        yield Seen(id=str(one.id), text=one.shown, pictures=[alt for alt, _ in one.images], more=one.title)


def _facebook(simulator: Any) -> Iterable[Seen]:
    for one in simulator.shown:
        yield Seen(id=one.id, text=one.message, pictures=[photo.alt for photo in one.photos], more=one.link or "")


def _instagram(simulator: Any) -> Iterable[Seen]:
    return (Seen(id=one.id, text=one.text, pictures=one.alts) for one in simulator.shown)


def _threads(simulator: Any) -> Iterable[Seen]:
    for one in simulator.shown:
        yield Seen(id=one.id, text=one.text, pictures=one.alts, answers=simulator.parent_of(one) or "")


def _linkedin(simulator: Any) -> Iterable[Seen]:
    for one in simulator.shown:
        content = one.content
        images = content.get("multiImage", {}).get("images") or ([content["media"]] if "media" in content else [])
        more = str(content.get("article", {}).get("source", ""))
        yield Seen(id=one.urn, text=one.shown, pictures=[image.get("altText", "") for image in images], more=more)


def _mastodon(simulator: MastodonSimulator) -> Iterable[Seen]:
    world = simulator.world
    (account,) = world.accounts.values()
    for one in world.of_account(account.id):
        alts = [world.media[number].description for number in one.media_ids]
        yield Seen(id=one.id, text=to_text(one.content), pictures=alts, answers=one.in_reply_to_id or "")


def _matrix(simulator: Any) -> Iterable[Seen]:
    room = simulator.room
    for event in room.messages:
        content = room.shown(event)
        relation = event.relation
        answers = relation.get("event_id") or relation.get("m.in_reply_to", {}).get("event_id") or ""
        picture = content["msgtype"] == "m.image"
        yield Seen(
            id=event.event_id,
            text="" if picture else content["body"],
            pictures=[content["body"]] if picture else [],
            answers=answers,
        )


def _mattermost(simulator: Any) -> Iterable[Seen]:
    for one in simulator.shown:
        yield Seen(id=one.id, text=one.shown, pictures=[simulator.files[number].name for number in one.file_ids], answers=one.root_id)


def _rocketchat(simulator: Any) -> Iterable[Seen]:
    for one in simulator.room.shown:
        yield Seen(id=one.id, text=one.shown, pictures=[one.description] if one.file else [], answers=one.tmid)


def _telegram(simulator: Any) -> Iterable[Seen]:
    for one in simulator.channel.shown:
        yield Seen(id=str(one.id), text=one.shown, pictures=["?"] if one.kind else [], answers=str(one.answers or ""))


def _wordpress(simulator: Any) -> Iterable[Seen]:
    blog = simulator.blog
    for one in blog.shown():
        assert "<img" not in one.content or all(
            picture.name in one.content for picture in blog.library.values() if picture.id != one.featured
        )
        pictures = [blog.library[one.featured].alt] if one.featured else []
        yield Seen(id=str(one.id), text=plain(one.content), pictures=pictures, more=one.title)


def _x(simulator: Any) -> Iterable[Seen]:
    return (Seen(id=one.id, text=one.text, pictures=[file.alt for file in one.media]) for one in simulator.posts)


def _youtube(simulator: Any) -> Iterable[Seen]:
    for one in simulator.channel.shown:
        yield Seen(id=one.id, text=one.snippet["description"], pictures=[f"{len(one.data)} bytes"], more=one.snippet["title"])


VIEWS: Mapping[str, View] = {
    "apprise": _apprise, "bluesky": _bluesky, "discord": _discord, "discourse": _discourse, "facebook": _facebook,
    "instagram": _instagram, "linkedin": _linkedin, "mastodon": _mastodon, "matrix": _matrix, "mattermost": _mattermost,
    "rocketchat": _rocketchat, "telegram": _telegram, "threads": _threads, "wordpress": _wordpress, "x": _x, "youtube": _youtube,
}  # fmt: skip
"""By ``type``: every network that deliveries go to."""

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")


def network(name: str, now: Now) -> Network:
    """A network of that type, not started yet, and what reaches it."""
    if name != "mastodon":
        return NETWORKS[name](now)
    simulator = MastodonSimulator(now=now)
    token = simulator.world.add_token(simulator.world.add_account("asso", "Les Amis du Vélo"), *SCOPES)
    return Network(
        simulator=simulator,
        creation=("POST", "/api/v1/statuses"),
        options=lambda: {"url": simulator.url, "token": token},
        plant=lambda _: None,
    )
