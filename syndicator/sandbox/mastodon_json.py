"""Accounts, statuses and servers in the shapes of Mastodon's REST API (https://docs.joinmastodon.org/entities/) and of ActivityPub."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any

from syndicator.sandbox.mastodon_flavours import Flavour
from syndicator.sandbox.mastodon_world import Account, Media, Status, World

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "audio/mpeg": "mp3",
}
_HASHTAG = re.compile(r"#(?:<span>)?([^\W_][\w]*)")


def stamp(at: datetime) -> str:
    """As Rails writes an instant."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Shapes:
    """Turns one server's world into what it sends; ``url`` is where it listens now."""

    def __init__(self, flavour: Flavour, world: World, url: str) -> None:
        self.flavour = flavour
        self.world = world
        self.url = url

    def actor_url(self, account: Account) -> str:
        """The ActivityPub id of an account."""
        if account.domain:
            return f"https://{account.domain}/users/{account.username}"
        return self.url + self.flavour.actor_path.format(name=account.username)

    def profile_url(self, account: Account) -> str:
        """The page of an account."""
        if account.domain:
            return f"https://{account.domain}/@{account.username}"
        return self.url + self.flavour.profile_path.format(name=account.username)

    def uri(self, status: Status) -> str:
        """The ActivityPub id of a status, or of the Announce that a boost is."""
        if status.account.domain:
            return f"https://{status.account.domain}/users/{status.account.username}/statuses/{status.id}"
        uri = self.url + self._path(self.flavour.status_path, status)
        return f"{uri}/activity" if status.reblog_of and self.flavour.name == "mastodon" else uri

    def page_url(self, status: Status) -> str:
        """The page of a status."""
        if status.account.domain:
            return f"https://{status.account.domain}/@{status.account.username}/{status.id}"
        if status.reblog_of and self.flavour.name == "mastodon":
            return self.uri(status)
        return self.url + self._path(self.flavour.page_path, status)

    def _path(self, pattern: str, status: Status) -> str:
        return pattern.format(name=status.account.username, id=status.id, uuid=uuid.uuid5(uuid.NAMESPACE_URL, status.id))

    def account(self, account: Account) -> dict[str, Any]:
        """https://docs.joinmastodon.org/entities/Account/"""
        return {
            "id": account.id,
            "username": account.username,
            "acct": f"{account.username}@{account.domain}" if account.domain else account.username,
            "display_name": account.display_name,
            "locked": False,
            "bot": account.bot,
            "discoverable": True,
            "group": False,
            "created_at": stamp(self.world.now()),
            "note": "",
            "url": self.profile_url(account),
            "uri": self.actor_url(account),
            "avatar": f"{self.url}/avatars/original/missing.png",
            "avatar_static": f"{self.url}/avatars/original/missing.png",
            "header": f"{self.url}/headers/original/missing.png",
            "header_static": f"{self.url}/headers/original/missing.png",
            "followers_count": 0,
            "following_count": 0,
            "statuses_count": len(self.world.of_account(account.id)),
            "last_status_at": None,
            "emojis": [],
            "fields": [],
        }

    def status(self, status: Status, viewer: Account | None) -> dict[str, Any]:
        """https://docs.joinmastodon.org/entities/Status/"""
        own = viewer is not None and viewer.id == status.account.id
        edited = status.edited_at or (status.created_at if self.flavour.name == "friendica" else None)
        answer = {
            "id": status.id,
            "created_at": stamp(status.created_at),
            "in_reply_to_id": status.in_reply_to_id,
            "in_reply_to_account_id": status.in_reply_to_account_id,
            "sensitive": status.sensitive,
            "spoiler_text": status.spoiler_text,
            "visibility": status.visibility,
            "language": "en" if self.flavour.name == "pixelfed" else status.language,
            "uri": self.uri(status),
            "url": self.page_url(status),
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            "edited_at": stamp(edited) if edited else None,
            "content": status.content,
            "reblog": self.status(status.reblog_of, viewer) if status.reblog_of else None,
            "account": self.account(status.account),
            "media_attachments": [self.media(self.world.media[media_id]) for media_id in status.media_ids],
            "mentions": [],
            "tags": self._tags(status.content),
            "emojis": [],
            "card": None,
            "poll": None,
        }
        if own and status.application:
            answer["application"] = {"name": status.application, "website": None}
        if viewer is not None:
            answer |= {"favourited": False, "reblogged": False, "muted": False, "bookmarked": False, "filtered": []}
        if self.flavour.name == "akkoma":
            answer["pleroma"] = {"local": True, "content": {"text/plain": re.sub(r"<[^>]+>", "", status.content)}}
        if self.flavour.name == "gotosocial":
            answer["local_only"] = False
        return answer | status.extra

    def _tags(self, content: str) -> list[dict[str, str]]:
        # Mastodon folds the names; the author's spelling stands in the content alone.
        names = dict.fromkeys(name.casefold() for name in _HASHTAG.findall(unescape(content)))
        return [{"name": name, "url": f"{self.url}/tags/{name}"} for name in names]

    def media(self, media: Media) -> dict[str, Any]:
        """https://docs.joinmastodon.org/entities/MediaAttachment/; without addresses while it is being worked on."""
        url = None if media.polls_left else f"{self.url}/media/{media.id}.{EXTENSIONS.get(media.media_type, 'bin')}"
        return {
            "id": media.id,
            "type": media.type,
            "url": url,
            "preview_url": url,
            "remote_url": None,
            "preview_remote_url": None,
            "text_url": None,
            "meta": {"original": {"width": 1200, "height": 800, "size": "1200x800", "aspect": 1.5}} if url else None,
            "description": media.description or None,
            "blurhash": "UBL_:rOpGG-;~qRjWBay00Rj%MRj" if media.type == "image" and url else None,
        }

    def note(self, status: Status) -> dict[str, Any]:
        """The status as an ActivityPub object, or the Announce that a boost is."""
        followers = f"{self.actor_url(status.account)}/followers"
        public = status.visibility == "public"
        document: dict[str, Any] = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": self.uri(status),
            "type": "Announce" if status.reblog_of else "Image" if self.flavour.name == "pixelfed" else "Note",
            "published": stamp(status.created_at),
            "to": [PUBLIC if public else followers],
            "cc": [followers if public else PUBLIC],
        }
        if status.reblog_of:
            return document | {"actor": self.actor_url(status.account), "object": self.uri(status.reblog_of)}
        return document | {
            "attributedTo": self.actor_url(status.account),
            "content": status.content,
            "url": self.page_url(status),
            "summary": status.spoiler_text or None,
            "sensitive": status.sensitive,
        }

    def nodeinfo(self) -> dict[str, Any]:
        """https://github.com/jhass/nodeinfo 2.0"""
        return {
            "version": "2.0",
            "software": {"name": self.flavour.name, "version": self.flavour.version},
            "protocols": ["activitypub"],
            "services": {"outbound": [], "inbound": []},
            "usage": {"users": {"total": len(self.world.accounts)}, "localPosts": len(self.world.statuses)},
            "openRegistrations": False,
            "metadata": {},
        }

    def webfinger(self, account: Account, subject_host: str) -> dict[str, Any]:
        """https://docs.joinmastodon.org/spec/webfinger/"""
        profile, actor = self.profile_url(account), self.actor_url(account)
        return {
            "subject": f"acct:{account.username}@{subject_host}",
            "aliases": [profile, actor],
            "links": [
                {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": profile},
                {"rel": "self", "type": "application/activity+json", "href": actor},
            ],
        }

    def instance(self, host: str) -> Mapping[str, Any]:
        """https://docs.joinmastodon.org/entities/Instance/, version 2."""
        return {
            "domain": host,
            "title": f"Bac à sable {self.flavour.name}",
            "version": self.flavour.api_version,
            "source_url": "https://github.com/mastodon/mastodon",
            "description": "",
            "languages": ["fr"],
            "configuration": CONFIGURATION | {"urls": {"streaming": "ws" + self.url.removeprefix("http")}},
            "registrations": {"enabled": False, "approval_required": False, "message": None},
            "api_versions": {"mastodon": 7} if self.flavour.name == "mastodon" else {},
            "contact": {"email": "", "account": None},
            "rules": [],
        }

    def instance_v1(self, host: str) -> Mapping[str, Any]:
        """https://docs.joinmastodon.org/entities/V1_Instance/"""
        return {
            "uri": host,
            "title": f"Bac à sable {self.flavour.name}",
            "version": self.flavour.api_version,
            "urls": {"streaming_api": "ws" + self.url.removeprefix("http")},
            "languages": ["fr"],
            "max_toot_chars": CONFIGURATION["statuses"]["max_characters"],
            "configuration": CONFIGURATION,
        }


CONFIGURATION: dict[str, Any] = {
    "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
    "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
    "media_attachments": {
        "description_limit": 1500,
        "supported_mime_types": [
            "image/jpeg",
            "image/png",
            "image/gif",
            "image/webp",
            "video/webm",
            "video/mp4",
            "video/quicktime",
            "audio/mpeg",
        ],
        "image_size_limit": 16777216,
        "image_matrix_limit": 33177600,
        "video_size_limit": 103809024,
        "video_frame_rate_limit": 120,
        "video_matrix_limit": 8294400,
    },
    "polls": {"max_options": 4, "max_characters_per_option": 50, "min_expiration": 300, "max_expiration": 2629746},
    "translation": {"enabled": False},
}
