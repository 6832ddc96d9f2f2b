"""The commercial networks and the chats, on loopback: all that can only be written to, with the configuration that reaches them.

``town.py`` is where an association lives; this is where it only speaks. A network more is one function here, and its line in ``NETWORKS``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from syndicator.sandbox import apprise_target, facebook, linkedin, matrix, mattermost, rocketchat, youtube
from syndicator.sandbox.apprise_target import AppriseTarget
from syndicator.sandbox.bluesky import POST, BlueskySimulator
from syndicator.sandbox.bluesky_repo import tid
from syndicator.sandbox.containers import ContainerSimulator, Published
from syndicator.sandbox.discord import DiscordSimulator
from syndicator.sandbox.discourse import DiscourseSimulator
from syndicator.sandbox.facebook import FacebookSimulator
from syndicator.sandbox.graph import TOKEN
from syndicator.sandbox.instagram import InstagramSimulator
from syndicator.sandbox.linkedin import LinkedinSimulator
from syndicator.sandbox.matrix import MatrixSimulator
from syndicator.sandbox.mattermost import MattermostSimulator
from syndicator.sandbox.rocketchat import RocketchatSimulator
from syndicator.sandbox.server import Simulator
from syndicator.sandbox.telegram import BOT_TOKEN, TelegramSimulator
from syndicator.sandbox.threads import PERMISSIONS, ThreadsSimulator
from syndicator.sandbox.wordpress import WordpressSimulator
from syndicator.sandbox.wordpress_world import Entry
from syndicator.sandbox.x import KEYS, XSimulator
from syndicator.sandbox.youtube import YoutubeSimulator

Now = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Network:
    """One of them."""

    simulator: Simulator
    creation: tuple[str, str]
    """The request that makes a post, of text where there are such: its method, and a part of its path that no other has."""
    asked_first: int = 0
    """How many requests with that method and path come before it: questions."""
    options: Callable[[], Mapping[str, Any]]
    """The keys of its ``[destinations.NAME]``, once it is started."""
    plant: Callable[[str], None]
    """Put words there that are none of ours, wherever an answer may hold such: somebody's post, a name. May be repeated."""


def _bluesky(now: Now) -> Network:
    simulator = BlueskySimulator(now=now)
    account = simulator.add_account("asso.bsky.social")

    def plant(words: str) -> None:
        at = now().astimezone(UTC)
        record = {"$type": POST, "text": words, "createdAt": at.isoformat().replace("+00:00", "Z")}
        account.repository.write((POST, tid(at, 7)), record, at)

    return Network(
        simulator=simulator,
        creation=("POST", "com.atproto.repo.putRecord"),
        options=lambda: {"handle": account.handle, "app_password": account.app_passwords["syndicator"], "pds": simulator.url},
        plant=plant,
    )


def _x(now: Now) -> Network:
    simulator = XSimulator(now=now)

    def plant(words: str) -> None:
        simulator.write(words)

    return Network(
        simulator=simulator,
        creation=("POST", "/2/tweets"),
        options=lambda: {
            "api": simulator.url,
            "api_key": KEYS.consumer_key,
            "api_key_secret": KEYS.consumer_secret,
            "access_token": KEYS.token,
            "access_token_secret": KEYS.token_secret,
        },
        plant=plant,
    )


def _facebook(now: Now) -> Network:
    simulator = FacebookSimulator(now=now)

    def plant(words: str) -> None:
        simulator.world.name += f" {words}"
        post = facebook.Post(id=f"{facebook.PAGE}_1", at=now(), message=words)
        simulator.world.posts[post.id] = post

    return Network(
        simulator=simulator,
        creation=("POST", f"/{facebook.PAGE}/feed"),
        options=lambda: {"page": facebook.PAGE, "token": TOKEN, "api": simulator.url},
        plant=plant,
    )


def _instagram(now: Now) -> Network:
    simulator = InstagramSimulator(now=now)
    return Network(
        simulator=simulator,
        creation=("POST", "/media_publish"),
        options=lambda: {"token": simulator.grant("asso"), "api": simulator.url},
        plant=lambda words: _publish_by_hand(simulator, words),
    )


def _threads(now: Now) -> Network:
    simulator = ThreadsSimulator(now=now)
    return Network(
        simulator=simulator,
        creation=("POST", "/threads_publish"),
        options=lambda: {"token": simulator.grant("asso", permissions=PERMISSIONS), "api": simulator.url},
        plant=lambda words: _publish_by_hand(simulator, words),
    )


def _publish_by_hand(simulator: ContainerSimulator, words: str) -> None:
    """A post that somebody makes in the app."""
    post = Published(id=simulator.new_id(), at=simulator.now(), text=words, media=(), alts=(), given={})
    simulator.posts[post.id] = post


def _linkedin(now: Now) -> Network:
    simulator = LinkedinSimulator(now=now)

    def plant(words: str) -> None:
        post = linkedin.Post(urn="urn:li:share:7", at=now(), changed_at=now(), commentary=words, content={})
        simulator.posts[post.urn] = post

    return Network(
        simulator=simulator,
        creation=("POST", "/rest/posts"),
        options=lambda: {
            "organization": linkedin.ORGANIZATION,
            "token": linkedin.TOKEN,
            "version": f"{now():%Y%m}",
            "api": simulator.url,
        },
        plant=plant,
    )


def _telegram(now: Now) -> Network:
    simulator = TelegramSimulator(now=now)

    def plant(words: str) -> None:
        simulator.channel.title += f" {words}"
        simulator.bot["first_name"] = words

    return Network(
        simulator=simulator,
        creation=("POST", "/sendMessage"),
        options=lambda: {"token": BOT_TOKEN, "chat": f"@{simulator.channel.username}", "api": simulator.url},
        plant=plant,
    )


def _discord(now: Now) -> Network:
    simulator = DiscordSimulator(now=now)

    def plant(words: str) -> None:
        simulator.webhook.name += f" {words}"

    return Network(
        simulator=simulator,
        creation=("POST", f"/{simulator.webhook.token}"),
        options=lambda: {"webhook": simulator.address},
        plant=plant,
    )


def _matrix(now: Now) -> Network:
    simulator = MatrixSimulator(now=now)
    password = "correct horse battery staple"  # noqa: S105
    user = simulator.add_account("agenda", password)
    simulator.room.members.add(user)

    def plant(words: str) -> None:
        events = simulator.room.events
        for sender in (f"@passante:{matrix.SERVER}", user):
            content = {"msgtype": "m.text", "body": words}
            events.append(matrix.Event(event_id=f"$by-hand-{len(events)}", sender=sender, at=now(), content=content))

    return Network(
        simulator=simulator,
        creation=("PUT", "/send/m.room.message/"),
        options=lambda: {"homeserver": simulator.url, "room": simulator.room.alias, "user": user, "password": password},
        plant=plant,
    )


def _mattermost(now: Now) -> Network:
    simulator = MattermostSimulator(now=now)

    def plant(words: str) -> None:
        post = mattermost.Post(id=f"p{'7' * 25}", user_id="s" * 26, created_at=now(), message=words)
        simulator.posts[post.id] = post

    return Network(
        simulator=simulator,
        creation=("POST", "/api/v4/posts"),
        options=lambda: {"url": simulator.url, "token": simulator.token, "channel": "asso/annonces"},
        plant=plant,
    )


def _rocketchat(now: Now) -> Network:
    simulator = RocketchatSimulator(now=now)

    def plant(words: str) -> None:
        messages = simulator.room.messages
        message = rocketchat.Message(id=f"byHand{len(messages)}", user_id="someBodyElse", at=now(), msg=words)
        messages[message.id] = message

    return Network(
        simulator=simulator,
        creation=("POST", "/chat.sendMessage"),
        options=lambda: {"url": simulator.url, "user_id": simulator.user_id, "token": simulator.token, "room": simulator.room.name},
        plant=plant,
    )


def _discourse(now: Now) -> Network:
    simulator = DiscourseSimulator(now=now)
    forum = simulator.forum

    def plant(words: str) -> None:
        forum.categories[7] = (f"Salon {words}", 1)

    return Network(
        simulator=simulator,
        creation=("POST", "/posts.json"),
        options=lambda: {"url": simulator.url, "key": forum.key, "username": forum.account.username, "category": 5},
        plant=plant,
    )


def _apprise(now: Now) -> Network:
    simulator = AppriseTarget(now=now)

    def plant(words: str) -> None:
        simulator.messages.append(apprise_target.Message(title=words, text=words, topic="agenda"))

    return Network(simulator=simulator, creation=("POST", "/"), options=lambda: {"url": simulator.topic}, plant=plant)


def _wordpress(now: Now) -> Network:
    simulator = WordpressSimulator(now=now)
    blog = simulator.blog

    def plant(words: str) -> None:
        blog.name += f" {words}"
        simulator.add(Entry(id=0, type="post", author=1, at=now(), title=words, content=f"<p>{words}</p>", status="private"))

    return Network(
        simulator=simulator,
        creation=("POST", "/wp-json/wp/v2/posts/"),
        options=lambda: {"url": simulator.site, "username": blog.account.login, "app_password": blog.password},
        plant=plant,
    )


def _youtube(now: Now) -> Network:
    simulator = YoutubeSimulator(now=now)
    videos = simulator.channel.videos

    def plant(words: str) -> None:
        video = youtube.Video(id=f"byHand{len(videos):05d}", snippet={"title": words, "description": words}, status={}, data=b"", at=now())
        videos[video.id] = video

    return Network(
        simulator=simulator,
        creation=("PUT", "/upload/youtube/v3/videos"),
        asked_first=1,
        options=lambda: {
            "client_id": youtube.CLIENT_ID,
            "client_secret": youtube.CLIENT_SECRET,
            "refresh_token": youtube.REFRESH_TOKEN,
            "api": simulator.url,
            "oauth": simulator.url,
        },
        plant=plant,
    )


NETWORKS: Mapping[str, Callable[[Now], Network]] = {
    "apprise": _apprise,
    "bluesky": _bluesky,
    "discord": _discord,
    "discourse": _discourse,
    "facebook": _facebook,
    "instagram": _instagram,
    "linkedin": _linkedin,
    "matrix": _matrix,
    "mattermost": _mattermost,
    "rocketchat": _rocketchat,
    "telegram": _telegram,
    "threads": _threads,
    "wordpress": _wordpress,
    "x": _x,
    "youtube": _youtube,
}
"""By the ``type`` that a configuration says."""


@dataclass(kw_only=True)
class Commerce:
    """Some or all of them, started together."""

    names: Iterable[str] = tuple(NETWORKS)
    now: Now = field(default=lambda: datetime.now(UTC), repr=False)
    networks: dict[str, Network] = field(init=False)

    def __post_init__(self) -> None:
        self.networks = {name: NETWORKS[name](self.now) for name in self.names}

    async def start(self) -> Self:
        """Open every one."""
        for network in self.networks.values():
            await network.simulator.start()
        return self

    async def stop(self) -> None:
        """Close every one."""
        for network in self.networks.values():
            await network.simulator.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def toml(self, **more: Mapping[str, Any]) -> str:
        """A ``[destinations.NAME]`` for each, named as its type, with ``more`` keys by name."""
        return "\n".join(_block(name, {**network.options(), **more.get(name, {})}) for name, network in self.networks.items())

    def plant(self, words: str) -> None:
        """Put ``words`` everywhere, as somebody else's."""
        for network in self.networks.values():
            network.plant(words)


def _block(name: str, options: Mapping[str, Any]) -> str:
    # A string of JSON is one of TOML, and so are numbers, truth values and arrays of them.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in options.items()]
    return "\n".join([f"[destinations.{name}]", f'type = "{name}"', *lines, ""])
