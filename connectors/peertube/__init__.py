"""Videos and lives of a PeerTube channel or account.

What it does: reads the newest hundred public videos of one channel or one account, without any account of ours. A video comes with its
title, full description (Markdown made into HTML), tags, thumbnail, language, length, and a player page that carries PeerTube's privacy
options. A live that is scheduled is announced with its date; when it starts, ends and becomes a replay it stays the same item, because
PeerTube keeps its id (a *permanent* live publishes each replay as a video of its own). For several channels, make several sources: a
route takes as many as you like.

Credential: none. Nothing private can leak: only what any visitor of the instance sees is read, and it is checked again here.

Cost: one small request per poll (the list, answered "304 not modified" when nothing moved), and one more for each video that is new or
changed. PeerTube allows 50 requests in 10 seconds by default; the first poll therefore reads the details of the newest 40 videos, the
following polls the rest.

The video itself: where its owner allows downloads, a destination that takes videos may fetch the file, the best one up to 1080 lines; all
others show the thumbnail, the link and the player. Nothing is fetched before.

What it cannot do: it sees an edit of the title, thumbnail, category or first 250 characters at once, and one that touches only tags or
the end of a long description within six hours, and only of the ten newest videos; an instance that shows nothing to visitors cannot be
read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from connectors.peertube.videos import Listed, is_public, is_ready, listed_from, post_from_video
from syndicator.contract import Context, Page
from syndicator.errors import AuthExpired, ConnectorError, Gone, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for
from syndicator.model import Batch, Post, Tombstone

RECHECK_EVERY = timedelta(hours=6)
RECHECKED = 10
"""How many of the newest videos are looked at again for edits that the listing does not show."""
COUNT_MAX = 100
"""PeerTube's own limit of one page."""
DETAILS_MAX = 40
"""Detail calls in one fetch: below PeerTube's default limit of 50 requests in 10 seconds."""

_PATHS = {"c": "channel", "video-channels": "channel", "a": "account", "accounts": "account"}
_HANDLE = re.compile(r"@?(?P<name>[^@/\s]+)@(?P<host>[^@/\s]+)")

NOT_PEERTUBE = words(
    fr="Cette adresse ne mène pas à une chaîne ou à un compte PeerTube : copiez celle que montre votre navigateur.",
    en="This address does not lead to a PeerTube channel or account: copy the one your browser shows.",
)
CLOSED = words(
    fr="Cette instance PeerTube ne montre pas ses vidéos aux visiteurs : demandez aux personnes qui l'administrent.",
    en="This PeerTube instance shows nothing to visitors: ask the people who run it.",
)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The channel or account that is read."""

    base: str
    """Where the instance is, without a trailing slash."""
    kind: str
    """``channel`` or ``account``."""
    name: str
    """As the instance names it: ``name``, or ``name@host`` when it lives elsewhere."""

    @property
    def path(self) -> str:
        """Of the API."""
        return ("/api/v1/video-channels/" if self.kind == "channel" else "/api/v1/accounts/") + quote(self.name, safe="@")


def actor_from(kind: str, value: str) -> Actor:
    """Whom ``name@host`` or the URL of a page means; raises ValueError with words for the person."""
    handle = _HANDLE.fullmatch(value.strip())
    if handle:
        return Actor(base=f"https://{handle['host']}", kind=kind, name=handle["name"])
    url = urlsplit(value.strip())
    parts = [unquote(part) for part in url.path.split("/") if part]
    if url.scheme not in ("http", "https") or not parts:
        raise ValueError(words(
            fr=f"« {value} » n'est ni l'adresse d'une page PeerTube ni un nom de la forme nom@instance.",
            en=f"“{value}” is neither the address of a PeerTube page nor a name of the form name@instance.",
        ))  # fmt: skip
    base = f"{url.scheme}://{url.netloc}"
    if parts[0].startswith("@"):
        return Actor(base=base, kind=kind, name=parts[0][1:])
    if len(parts) < 2 or _PATHS.get(parts[0]) != kind:
        example = "c" if kind == "channel" else "a"
        raise ValueError(words(
            fr=f"« {value} » n'est pas l'adresse attendue, de la forme https://instance/{example}/nom.",
            en=f"“{value}” is not the address expected here, such as https://instance/{example}/name.",
        ))  # fmt: skip
    return Actor(base=base, kind=kind, name=parts[1])


@dataclass(frozen=True, kw_only=True)
class PeertubeOptions:
    """What the configuration says."""

    channel: str | None = None
    """The channel to read: the address of its page (``https://instance/c/nom``) or ``nom@instance``. Give a channel or an account."""
    account: str | None = None
    """The account to read, with all of its channels: ``https://instance/a/nom`` or ``nom@instance``. Give a channel or an account."""
    nsfw: bool = False
    """Also read videos marked as sensitive; they keep that mark."""
    lives: bool = True
    """Also read lives: announced when scheduled, and while they are on air. Replays are always read."""
    embed_p2p: bool = False
    """Let the embedded player share the video between visitors, which shows their IP addresses to each other."""

    def __post_init__(self) -> None:
        if (self.channel is None) == (self.account is None):
            raise ValueError(words(
                fr="Indiquez soit channel, soit account ; pour en lire plusieurs, faites plusieurs sources.",
                en="Give either channel or account; to read several, make several sources.",
            ))  # fmt: skip
        self.actor()

    def actor(self) -> Actor:
        """Whom the options mean."""
        return actor_from("account", self.account) if self.account else actor_from("channel", self.channel or "")


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the last listing left behind: at most one page."""

    options: str = ""
    etag: str = ""
    since: str | None = None
    """The oldest publication listed, when there are older ones."""
    seen: Mapping[str, str] = field(default_factory=dict)
    """uid → digest of what the listing showed."""

    def all_present(self) -> Batch:
        """Nothing new: what was listed still is, and nothing else."""
        since = datetime.fromisoformat(self.since) if self.since else None
        return Batch(present=frozenset(self.seen), complete=True, complete_since=since)


class PeertubeSource:
    """Reads one channel or account."""

    Options: ClassVar[type[Any]] = PeertubeOptions

    def __init__(self, options: PeertubeOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._actor = options.actor()
        # With other options the same videos may look different: they are read anew.
        self._shape = hashlib.sha256(repr(options).encode()).hexdigest()[:12]
        self._etag: tuple[str, str] | None = None
        self._rechecked_at = context.now()
        self.account: str | None = None

    async def open(self) -> None:
        """Check that the channel or account exists; raises Rejected when it does not."""
        response = await self._get(self._actor.path)
        if "json" not in response.content_type:
            raise Rejected(f"{response.url} is not PeerTube's API", hint=NOT_PEERTUBE)
        raw = response.json()
        if not isinstance(raw, dict) or not raw.get("name"):
            raise Rejected(f"{response.url} is not a PeerTube {self._actor.kind}", hint=NOT_PEERTUBE)
        self.account = f"{raw['name']}@{raw.get('host') or urlsplit(self._actor.base).netloc}"

    async def close(self) -> None:
        """Nothing is held."""

    async def fetch(self, cursor: str | None) -> Batch:
        """The newest hundred, of which only new and changed ones are read in full."""
        known = _known(cursor, self._shape)
        etag = self._etag[1] if self._etag and self._etag[0] == cursor else known.etag
        response = await self._get(self._actor.path + "/videos", params=self._query(), etag=etag)
        if response.status == 304:
            return await self._unchanged(known)
        listed = self._listed(response)
        new_etag = response.headers.get("ETag", "")
        if cursor is not None and {video.uid: video.digest for video in listed} == known.seen:
            # Views move the ETag without any news: it is kept in memory, so that nothing needs to be stored.
            self._etag = (cursor, new_etag)
            return await self._unchanged(known)
        return await self._batch(listed, known, new_etag)

    async def _unchanged(self, known: _Known) -> Batch:
        """What the listing has no word of (tags, the end of a description) is looked up now and then, for the newest videos."""
        now = self._context.now()
        if now - self._rechecked_at < RECHECK_EVERY:
            return known.all_present()
        self._rechecked_at = now
        again = await self.read(list(known.seen)[:RECHECKED])
        return replace(known.all_present(), changed=again.changed)

    async def read(self, ids: Sequence[str]) -> Batch:
        """The videos as they are now. 404, or 401/403 in PeerTube's own words, means gone from the public's eyes, not for certain."""
        changed: list[Post] = []
        present: set[str] = set()
        gone: list[Tombstone] = []
        failure: ConnectorError | None = None
        for uid in ids:
            try:
                found = await self._look_at(uid)
            except RateLimited as error:
                failure = error
                break
            except ConnectorError as error:
                failure = error
                continue
            if isinstance(found, Post):
                changed.append(found)
            elif isinstance(found, Tombstone):
                gone.append(found)
            else:
                present.add(uid)
        if failure and not (changed or present or gone):
            raise failure
        return Batch(changed=tuple(changed), present=frozenset(present), gone=tuple(gone))

    @classmethod
    def recognise(cls, page: Page) -> Mapping[str, Any] | None:
        """A channel's or account's page of a PeerTube instance."""
        if page.software != "peertube":
            return None
        canonical = [href for rel, _, href in page.links if rel == "canonical"]
        for url in (page.url, page.asked_url, *canonical):
            parts = [part for part in urlsplit(url).path.split("/") if part]
            kind = _PATHS.get(parts[0]) if len(parts) >= 2 else None
            if kind:
                return {kind: _origin(url) + f"/{'c' if kind == 'channel' else 'a'}/{parts[1]}"}
        return _recognise_at(page)

    async def _look_at(self, uid: str) -> Post | Tombstone | None:
        """One video as it is now; None when it is there with nothing to show yet."""
        raw = await self._detail(urlsplit(uid).path.rstrip("/").rpartition("/")[2])
        if raw is None or not is_public(raw) or (raw.get("nsfw") and not self._options.nsfw):
            return Tombstone(uid=uid)
        # A replay that still waits for transcoding, a video being cut or moved to another disk will be back: it stays as it is.
        return self._post(raw) if is_ready(raw) else None

    def _query(self) -> dict[str, str]:
        query = {
            "start": "0",
            "count": str(COUNT_MAX),
            "sort": "-publishedAt",
            "skipCount": "true",
            # Always said: otherwise the instance's own preference decides what is left out.
            "nsfw": "both" if self._options.nsfw else "false",
        }
        return query | ({"includeScheduledLive": "true"} if self._options.lives else {"isLive": "false"})

    def _listed(self, response: Response) -> list[Listed]:
        raw = response.json()
        if not isinstance(raw, dict) or not isinstance(raw.get("data"), list):
            raise Transient(f"{response.url} answered without a list of videos")
        listed: list[Listed] = []
        for video in raw["data"]:
            try:
                listed.append(listed_from(video))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                self._context.log.warning("a video in the list is left out: %s", error)
        return listed

    async def _batch(self, listed: list[Listed], known: _Known, etag: str) -> Batch:
        fresh = [video for video in listed if known.seen.get(video.uid) != video.digest]
        posts, done, missing = await self._details(fresh[:DETAILS_MAX])
        unread = {video.uid for video in fresh} - done
        since = min(video.published_at for video in listed) if len(listed) >= COUNT_MAX else None
        # Unread ones stay out of the cursor and the ETag is forgotten, so that the next fetch comes back for them.
        now_known = _Known(
            options=self._shape,
            etag="" if unread else etag,
            since=since.isoformat() if since else None,
            seen={video.uid: video.digest for video in listed if video.uid not in unread},
        )
        changed = {post.uid for post in posts}
        return Batch(
            changed=tuple(posts),
            present=frozenset(video.uid for video in listed) - changed - missing,
            cursor=json.dumps(vars(now_known)),
            complete=True,
            complete_since=since,
        )

    async def _details(self, fresh: Sequence[Listed]) -> tuple[list[Post], set[str], set[str]]:
        """Posts, the uids that were read, the uids that vanished since the listing. One bad video does not stop the others."""
        posts: list[Post] = []
        done: set[str] = set()
        missing: set[str] = set()
        failure: ConnectorError | None = None
        for video in fresh:
            try:
                raw = await self._detail(video.uuid)
                if raw is None:
                    missing.add(video.uid)
                    continue
                if is_public(raw) and is_ready(raw):
                    posts.append(self._post(raw))
                done.add(video.uid)
            except RateLimited as error:
                failure = error
                break
            except ConnectorError as error:
                failure = error
        if failure and not done:
            raise failure
        if failure:
            self._context.log.info("%d videos are left for the next poll: %s", len(fresh) - len(done) - len(missing), failure)
        return posts, done, missing

    async def _detail(self, uuid: str) -> dict[str, Any] | None:
        """One video; None when PeerTube itself (and not a proxy before it) says that it is not there for the public."""
        response = await self._context.http.get(f"{self._actor.base}/api/v1/videos/{quote(uuid, safe='')}")
        if response.status in (401, 403, 404) and _is_refusal(response):
            return None
        self._check(response)
        raw = response.json()
        if not isinstance(raw, dict):
            raise Transient(f"{response.url} answered without a video")
        return raw

    def _post(self, raw: Mapping[str, Any]) -> Post:
        try:
            return post_from_video(raw, base=self._actor.base, p2p=self._options.embed_p2p, now=self._context.now())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Transient(f"{self._actor.base}: a video is not as PeerTube describes them: {error}") from error

    async def _get(self, path: str, *, params: Mapping[str, str] | None = None, etag: str = "") -> Response:
        headers = {"If-None-Match": etag} if etag else {}
        response = await self._context.http.get(self._actor.base + path, params=params, headers=headers)
        self._check(response)
        return response

    def _check(self, response: Response) -> None:
        error = error_for(response, self._context.now())
        if isinstance(error, RateLimited):
            raise RateLimited(error.detail, at=error.at or _reset(response))
        if isinstance(error, AuthExpired):
            raise AuthExpired(error.detail, hint=CLOSED)
        if isinstance(error, Rejected | Gone):
            raise Rejected(error.detail, hint=NOT_PEERTUBE)
        if error:
            raise error


def _known(cursor: str | None, shape: str) -> _Known:
    """What a cursor says; nothing when it is not of these options, which only means reading everything once more."""
    try:
        known = _Known(**json.loads(cursor or "{}"))
    except (ValueError, TypeError):
        known = _Known()
    return known if known.options == shape else _Known()


def _is_refusal(response: Response) -> bool:
    """Whether this is one of PeerTube's RFC 7807 answers about the video, rather than about who may ask this instance."""
    try:
        raw = json.loads(response.body)
    except ValueError:
        return False
    known = isinstance(raw, dict) and raw.get("status") == response.status
    return known and raw.get("code") != "does_not_respect_follow_constraints"


def _reset(response: Response) -> datetime | None:
    """``X-RateLimit-Reset``: epoch seconds (https://docs.joinpeertube.org/api-rest-reference.html#section/Rate-limits)."""
    value = response.headers.get("X-RateLimit-Reset", "")
    return datetime.fromtimestamp(int(value), UTC) if value.isdigit() and len(value) <= 11 else None


def _origin(url: str) -> str:
    return f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"


def _recognise_at(page: Page) -> Mapping[str, Any] | None:
    """``/@name`` may be either; the feed that the page announces tells (``accountId`` or ``videoChannelId``)."""
    parts = [part for part in urlsplit(page.url).path.split("/") if part]
    if not parts or not parts[0].startswith("@"):
        return None
    announced = {name for rel, _, href in page.links if rel == "alternate" for name, _ in parse_qsl(urlsplit(href).query)}
    name = parts[0][1:]
    if announced & {"videoChannelId", "videoChannelName"}:
        return {"channel": _origin(page.url) + f"/c/{name}"}
    return {"account": _origin(page.url) + f"/a/{name}"}
