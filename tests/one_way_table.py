"""What our destinations may be asked, request by request: by method, path, parameters and, where one path does two things, the body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from urllib.parse import parse_qsl

from syndicator.sandbox.server import Seen

Purpose = Literal["login", "upload", "publish", "edit", "delete", "find"]


@dataclass(frozen=True)
class Row:
    """One kind of request; ``{…}`` in its path is anything without a slash; the parameters that it names have those values."""

    purpose: Purpose
    request: str
    has: str = ""
    """What its body holds."""
    lacks: str = ""
    """What its body does not."""

    @cached_property
    def _parts(self) -> tuple[str, re.Pattern[str], Mapping[str, str]]:
        method, _, address = self.request.partition(" ")
        path, _, query = address.partition("?")
        pattern = "[^/]+".join(re.escape(piece) for piece in re.split(r"\{[^}]*\}", path))
        return method, re.compile(pattern), dict(parse_qsl(query, keep_blank_values=True))

    def fits(self, seen: Seen) -> bool:
        """Whether this is one of them."""
        method, pattern, query = self._parts
        if method != seen.method or not pattern.fullmatch(seen.path):
            return False
        if any(seen.query.get(name) != value for name, value in query.items()):
            return False
        return self.has.encode() in seen.body and not (self.lacks and self.lacks.encode() in seen.body)


BLUESKY = "/xrpc/com.atproto"
HOOK = "/api/v10/webhooks/{webhook}/{secret}"
ROOM = "/_matrix/client/v3/rooms/{room}"
GRAPH = "/{version}"
ROWS: Mapping[str, tuple[Row, ...]] = {
    "apprise": (Row("publish", "POST /"),),
    "bluesky": (
        Row("login", f"POST {BLUESKY}.server.createSession"),
        Row("login", f"POST {BLUESKY}.server.refreshSession"),
        Row("upload", f"POST {BLUESKY}.repo.uploadBlob"),
        Row("publish", f"POST {BLUESKY}.repo.putRecord", has='"app.bsky.feed.post"'),
        Row("delete", f"POST {BLUESKY}.repo.deleteRecord", has='"app.bsky.feed.post"'),
        Row("find", f"GET {BLUESKY}.repo.getRecord?collection=app.bsky.feed.post"),
    ),
    "discord": (
        Row("login", f"GET {HOOK}"),
        Row("publish", f"POST {HOOK}?wait=true"),
        Row("edit", f"PATCH {HOOK}/messages/{{message}}"),
        Row("delete", f"DELETE {HOOK}/messages/{{message}}"),
    ),
    "discourse": (
        Row("login", "GET /site.json"),
        Row("upload", "POST /uploads.json"),
        Row("publish", "POST /posts.json"),
        Row("edit", "PUT /posts/{post}.json"),
        Row("edit", "PUT /t/-/{topic}.json"),
        Row("delete", "DELETE /t/{topic}.json"),
        Row("delete", "GET /t/{topic}.json"),
        Row("find", "GET /t/external_id/{number}.json"),
        Row("find", "GET /t/{title}/{topic}.json"),
    ),
    "facebook": (
        Row("login", f"GET {GRAPH}/me?fields=id,name"),
        Row("login", f"GET {GRAPH}/debug_token"),
        Row("upload", f"POST {GRAPH}/{{page}}/photos"),
        Row("upload", f"POST {GRAPH}/{{page}}/videos", lacks="finish"),
        Row("publish", f"POST {GRAPH}/{{page}}/videos", has="finish"),
        Row("publish", f"POST {GRAPH}/{{page}}/feed"),
        Row("edit", f"POST {GRAPH}/{{post}}"),
        Row("delete", f"DELETE {GRAPH}/{{post}}"),
        Row("find", f"GET {GRAPH}/{{page}}/published_posts"),
    ),
    "instagram": (
        Row("login", f"GET {GRAPH}/me?fields=user_id,username,account_type"),
        Row("login", f"GET {GRAPH}/{{account}}/content_publishing_limit"),
        Row("login", "GET /refresh_access_token"),
        Row("upload", f"POST {GRAPH}/{{account}}/media"),
        Row("upload", f"GET {GRAPH}/{{container}}?fields=status_code,status"),
        Row("publish", f"POST {GRAPH}/{{account}}/media_publish"),
        Row("find", f"GET {GRAPH}/{{post}}?fields=permalink"),
        Row("find", f"GET {GRAPH}/{{account}}/media?fields=id,caption,permalink,timestamp"),
    ),
    "linkedin": (
        Row("login", "GET /rest/posts?q=author&count=1"),
        Row("upload", "POST /rest/images?action=initializeUpload"),
        Row("upload", "PUT /dms-uploads/{image}"),
        Row("upload", "GET /rest/images/{image}"),
        Row("publish", "POST /rest/posts"),
        Row("edit", "POST /rest/posts/{post}"),
        Row("delete", "DELETE /rest/posts/{post}"),
        Row("find", "GET /rest/posts?q=author&count=50"),
    ),
    "mastodon": (
        Row("login", "GET /api/v1/accounts/verify_credentials"),
        Row("login", "GET /api/v1/apps/verify_credentials"),
        Row("login", "GET /api/v2/instance"),
        Row("login", "GET /.well-known/nodeinfo"),
        Row("login", "GET /nodeinfo/2.0"),
        Row("login", "GET /.well-known/webfinger"),
        Row("upload", "POST /api/v2/media"),
        Row("upload", "GET /api/v1/media/{media}"),
        Row("publish", "POST /api/v1/statuses"),
        Row("edit", "PUT /api/v1/statuses/{status}"),
        Row("delete", "DELETE /api/v1/statuses/{status}"),
        Row("find", "GET /api/v1/accounts/{account}/statuses?exclude_reblogs=1"),
    ),
    "matrix": (
        Row("login", "GET /_matrix/client/versions"),
        Row("login", "POST /_matrix/client/v3/login"),
        Row("login", "GET /_matrix/client/v3/account/whoami"),
        Row("login", "GET /_matrix/client/v3/directory/room/{room}"),
        Row("login", "GET /_matrix/client/v3/joined_rooms"),
        Row("login", f"GET {ROOM}/state/m.room.encryption/"),
        Row("login", f"GET {ROOM}/state/m.room.power_levels/"),
        Row("login", "GET /_matrix/client/v1/media/config"),
        Row("upload", "POST /_matrix/media/v3/upload"),
        Row("publish", f"PUT {ROOM}/send/m.room.message/{{number}}", lacks='"m.replace"'),
        Row("edit", f"GET {ROOM}/event/{{message}}"),
        Row("edit", f"PUT {ROOM}/send/m.room.message/{{number}}", has='"m.replace"'),
        Row("delete", "GET /_matrix/client/v1/rooms/{room}/relations/{message}/m.replace"),
        Row("delete", f"PUT {ROOM}/redact/{{message}}/{{number}}"),
        Row("find", f"GET {ROOM}/messages?dir=b"),
    ),
    "mattermost": (
        Row("login", "GET /api/v4/users/me"),
        Row("login", "GET /api/v4/teams/name/{team}/channels/name/{channel}"),
        Row("login", "GET /api/v4/channels/{channel}/members/me"),
        Row("login", "GET /api/v4/config/client"),
        Row("upload", "POST /api/v4/files"),
        Row("publish", "POST /api/v4/posts"),
        Row("edit", "PUT /api/v4/posts/{post}/patch"),
        Row("delete", "DELETE /api/v4/posts/{post}"),
        Row("find", "GET /api/v4/channels/{channel}/posts"),
    ),
    "rocketchat": (
        Row("login", "GET /api/v1/me"),
        Row("login", "GET /api/v1/rooms.info"),
        Row("login", "GET /api/v1/settings.public"),
        Row("upload", "POST /api/v1/rooms.media/{room}"),
        Row("publish", "POST /api/v1/chat.sendMessage"),
        Row("publish", "POST /api/v1/rooms.mediaConfirm/{room}/{file}"),
        Row("edit", "POST /api/v1/chat.update"),
        Row("delete", "POST /api/v1/chat.delete"),
        Row("find", "GET /api/v1/chat.getMessage"),
        Row("find", "GET /api/v1/chat.syncMessages"),
    ),
    "telegram": (
        Row("login", "GET /bot{token}/getMe"),
        Row("login", "GET /bot{token}/getChat"),
        Row("login", "GET /bot{token}/getChatMember"),
        Row("publish", "POST /bot{token}/sendMessage"),
        Row("publish", "POST /bot{token}/sendPhoto"),
        Row("publish", "POST /bot{token}/sendMediaGroup"),
        Row("publish", "POST /bot{token}/sendVideo"),
        Row("edit", "POST /bot{token}/editMessageText"),
        Row("edit", "POST /bot{token}/editMessageCaption"),
        Row("delete", "POST /bot{token}/deleteMessage"),
        Row("delete", "POST /bot{token}/deleteMessages"),
    ),
    "threads": (
        Row("login", f"GET {GRAPH}/me?fields=id,username"),
        Row("login", f"GET {GRAPH}/{{account}}/threads_publishing_limit"),
        Row("login", "GET /refresh_access_token"),
        Row("upload", f"POST {GRAPH}/{{account}}/threads"),
        Row("upload", f"GET {GRAPH}/{{container}}?fields=status,error_message"),
        Row("publish", f"POST {GRAPH}/{{account}}/threads_publish"),
        Row("delete", f"DELETE {GRAPH}/{{post}}"),
        Row("find", f"GET {GRAPH}/{{post}}?fields=permalink"),
        Row("find", f"GET {GRAPH}/{{account}}/threads?fields=id,text,permalink,timestamp"),
    ),
    "wordpress": (
        Row("login", "GET /wp-json/"),
        Row("login", "GET /wp-json/wp/v2/users/me?context=edit"),
        Row("upload", "GET /wp-json/wp/v2/media?per_page=100"),
        Row("upload", "POST /wp-json/wp/v2/media?_fields=id,slug,source_url,alt_text,media_details"),
        Row("upload", "GET /wp-json/wp/v2/posts?context=edit&status=any,trash"),
        Row("upload", "POST /wp-json/wp/v2/posts"),
        Row("publish", "POST /wp-json/wp/v2/posts/{post}", has='"status"'),
        Row("edit", "POST /wp-json/wp/v2/posts/{post}", lacks='"status"'),
        Row("edit", "POST /wp-json/wp/v2/media/{picture}"),
        Row("delete", "DELETE /wp-json/wp/v2/posts/{post}"),
        Row("delete", "DELETE /wp-json/wp/v2/media/{picture}?force=true"),
        Row("find", "GET /wp-json/wp/v2/posts/{post}?context=edit"),
    ),
    "x": (
        Row("login", "GET /2/users/me"),
        Row("upload", "POST /2/media/upload"),
        Row("upload", "POST /2/media/upload/initialize"),
        Row("upload", "POST /2/media/upload/{media}/append"),
        Row("upload", "POST /2/media/upload/{media}/finalize"),
        Row("upload", "GET /2/media/upload"),
        Row("upload", "POST /2/media/metadata"),
        Row("publish", "POST /2/tweets"),
        Row("delete", "DELETE /2/tweets/{post}"),
        Row("find", "GET /2/users/{account}/tweets"),
    ),
    "youtube": (
        Row("login", "POST /token"),
        Row("login", "GET /youtube/v3/channels?mine=true"),
        Row("upload", "POST /upload/youtube/v3/videos?uploadType=resumable"),
        Row("publish", "PUT /upload/youtube/v3/videos?uploadType=resumable"),
        Row("edit", "PUT /youtube/v3/videos"),
        Row("delete", "DELETE /youtube/v3/videos"),
        Row("find", "GET /youtube/v3/playlistItems"),
    ),
}  # fmt: skip


def rows_of(name: str, seen: Seen) -> list[Row]:
    """What a request to that network is for: one of its rows, the most precise of those that fit, or none."""
    found = [row for row in ROWS.get(name, ()) if row.fits(seen)]
    least = min((row.request.count("{") for row in found), default=0)
    return [row for row in found if row.request.count("{") == least]


NAMES = {
    "apprise": "Apprise (ici : ntfy)",
    "bluesky": "Bluesky",
    "discord": "Discord",
    "discourse": "Discourse",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "mastodon": "Mastodon",
    "matrix": "Matrix",
    "mattermost": "Mattermost",
    "rocketchat": "Rocket.Chat",
    "telegram": "Telegram",
    "threads": "Threads",
    "wordpress": "WordPress",
    "x": "X",
    "youtube": "YouTube",
}
HEADS = {
    "se connecter, connaître ses droits et ses limites": ("login",),
    "déposer et publier": ("upload", "publish"),
    "corriger et effacer": ("edit", "delete"),
    "« est-ce parti, et à quelle adresse ? »": ("find",),
}


def table(names: Iterable[str]) -> str:
    """All of it, in Markdown."""
    lines = [f"| destination | {' | '.join(HEADS)} |", "|---|" + "---|" * len(HEADS)]
    for name in names:
        cells = [_cell(row.request for row in ROWS[name] if row.purpose in purposes) for purposes in HEADS.values()]
        lines.append(f"| {NAMES.get(name, name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(requests: Iterable[str]) -> str:
    return "<br>".join(f"`{request}`" for request in dict.fromkeys(requests)) or "–"
