"""What such a server shows outside its API: NodeInfo, WebFinger, ActivityPub objects, profile pages, feeds, media files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from syndicator.sandbox.mastodon_json import stamp
from syndicator.sandbox.mastodon_world import Account, Media, Status

if TYPE_CHECKING:
    from syndicator.sandbox.mastodon import MastodonSimulator

RSS_NAMESPACES = 'xmlns:webfeeds="http://webfeeds.org/rss/1.0" xmlns:media="http://search.yahoo.com/mrss/"'


def add_routes(simulator: MastodonSimulator) -> None:
    """Serve everything but the API."""
    pages = _Pages(simulator)
    router, flavour = simulator.app.router, simulator.flavour
    router.add_get("/.well-known/nodeinfo", pages.nodeinfo_links)
    router.add_get("/nodeinfo/2.0", pages.nodeinfo)
    router.add_get("/.well-known/webfinger", pages.webfinger)
    router.add_get("/media/{name}", pages.media)
    router.add_get(flavour.feed_path.replace("{name}", "{name:[^/.]+}"), pages.feed)
    objects = {flavour.status_path, f"{flavour.status_path}/activity", flavour.page_path}
    for path in sorted(objects):
        router.add_get(path.replace("{name}", "{name:[^/.]+}"), pages.object)
    for path in sorted({flavour.actor_path, flavour.profile_path}):
        router.add_get(path.replace("{name}", "{name:[^/.]+}"), pages.profile)


class _Pages:
    def __init__(self, simulator: MastodonSimulator) -> None:
        self.simulator = simulator

    async def nodeinfo_links(self, _: web.Request) -> web.Response:
        rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        return web.json_response({"links": [{"rel": rel, "href": f"{self.simulator.url}/nodeinfo/2.0"}]})

    async def nodeinfo(self, _: web.Request) -> web.Response:
        return web.json_response(self.simulator.shapes.nodeinfo())

    async def webfinger(self, request: web.Request) -> web.Response:
        simulator = self.simulator
        resource = request.query.get("resource", "")
        if resource.startswith("acct:"):
            name, _, host = resource.removeprefix("acct:").partition("@")
            account = simulator.account_named(name) if host.lower() in (simulator.host, simulator.domain) else None
        else:
            local = [a for a in simulator.world.accounts.values() if not a.domain]
            pages = {url: a for a in local for url in (simulator.shapes.profile_url(a), simulator.shapes.actor_url(a))}
            account = pages.get(resource)
        if account is None:
            raise web.HTTPNotFound
        document = simulator.shapes.webfinger(account, simulator.domain or simulator.host)
        return web.json_response(document, content_type="application/jrd+json")

    async def media(self, request: web.Request) -> web.Response:
        media = self.simulator.world.media.get(request.match_info["name"].split(".")[0])
        if media is None or media.polls_left:
            raise web.HTTPNotFound
        return web.Response(body=media.data, content_type=media.media_type)

    async def object(self, request: web.Request) -> web.StreamResponse:
        """A status by its ActivityPub id or its page: JSON for servers, a page for people."""
        simulator = self.simulator
        url = f"{simulator.url}{request.path}"
        status = next((s for s in simulator.world.statuses.values() if not s.account.domain and self._is_at(s, url)), None)
        as_json = "json" in request.headers.get("Accept", "")
        if as_json and simulator.secure:
            return web.json_response({"error": "Request not signed"}, status=401)
        if status is None and url in simulator.deleted and simulator.flavour.tombstone:
            return web.json_response({"id": url, "type": "Tombstone"}, status=410, content_type="application/activity+json")
        if status is None or not simulator.visible(status, None):
            raise web.HTTPNotFound
        if as_json:
            return web.json_response(simulator.shapes.note(status), content_type="application/activity+json")
        page = f"<!DOCTYPE html><html lang=fr><head><title>{escape(status.account.display_name)}</title></head><body>{status.content}"
        return web.Response(text=page, content_type="text/html")

    def _is_at(self, status: Status, url: str) -> bool:
        return url in (self.simulator.shapes.uri(status), self.simulator.shapes.page_url(status))

    async def profile(self, request: web.Request) -> web.Response:
        simulator, shapes = self.simulator, self.simulator.shapes
        account = self._account(request)
        actor = shapes.actor_url(account)
        if "json" in request.headers.get("Accept", ""):
            if simulator.secure:
                return web.json_response({"error": "Request not signed"}, status=401)
            document = {"@context": "https://www.w3.org/ns/activitystreams", "id": actor, "type": "Person"}
            document |= {"preferredUsername": account.username, "name": account.display_name, "url": shapes.profile_url(account)}
            return web.json_response(document, content_type="application/activity+json")
        feed = simulator.url + simulator.flavour.feed_path.format(name=account.username)
        kind = "application/atom+xml" if feed.endswith(".atom") else "application/rss+xml"
        page = f"""<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{escape(account.display_name)}</title>
<link href="{feed}" rel="alternate" type="{kind}">
<link href="{actor}" rel="alternate" type="application/activity+json">
<meta content="profile" property="og:type"></head><body><div id="mastodon"></div></body></html>"""
        return web.Response(text=page, content_type="text/html")

    def _account(self, request: web.Request) -> Account:
        account = self.simulator.account_named(request.match_info["name"])
        if account is None:
            raise web.HTTPNotFound
        return account

    async def feed(self, request: web.Request) -> web.Response:
        """The account's feed: newest 20, no boosts, no replies to others; Mastodon's holds the unlisted ones too."""
        account = self._account(request)
        allowed = ("public", "unlisted") if self.simulator.flavour.name == "mastodon" else ("public",)
        statuses = [s for s in reversed(self.simulator.world.of_account(account.id)) if s.visibility in allowed and not s.reblog_of]
        statuses = [s for s in statuses if s.in_reply_to_account_id in (None, account.id) and self.simulator.visible(s, None)][:20]
        if self.simulator.flavour.name == "pixelfed":
            body, kind = self._atom(account, [s for s in statuses if s.media_ids][:10]), "application/atom+xml"
        else:
            body, kind = self._rss(account, statuses), "application/rss+xml"
        etag = f'W/"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(text=body, content_type=kind, headers={"ETag": etag, "Cache-Control": "max-age=60, public"})

    def _rss(self, account: Account, statuses: Iterable[Status]) -> str:
        shapes = self.simulator.shapes
        link = shapes.profile_url(account)
        items = "".join(self._rss_item(status) for status in statuses)
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {RSS_NAMESPACES}><channel>'
            f"<title>{escape(account.display_name)}</title><description>Public posts from @{account.username}</description>"
            f"<link>{link}</link><generator>Mastodon v{self.simulator.flavour.version}</generator>{items}</channel></rss>"
        )

    def _rss_item(self, status: Status) -> str:
        """app/views/accounts/show.rss.ruby: no title; the content warning opens the description."""
        shapes, world = self.simulator.shapes, self.simulator.world
        url = shapes.uri(status) if self.simulator.flavour.name in ("akkoma", "friendica") else shapes.page_url(status)
        html = status.content
        if status.spoiler_text:
            html = f"<p><strong>Avertissement :</strong> {escape(status.spoiler_text)}</p><hr />{html}"
        media = "".join(self._rss_media(status, world.media[media_id]) for media_id in status.media_ids)
        tags = "".join(f"<category>{escape(tag['name'])}</category>" for tag in shapes.status(status, None)["tags"])
        return (
            f'<item><guid isPermaLink="true">{url}</guid><link>{shapes.page_url(status)}</link>'
            f"<pubDate>{format_datetime(status.created_at)}</pubDate><description>{escape(html)}</description>{media}{tags}</item>"
        )

    def _rss_media(self, status: Status, media: Media) -> str:
        shape = self.simulator.shapes.media(media)
        rating = "adult" if status.sensitive else "nonadult"
        alt = f'<media:description type="plain">{escape(media.description)}</media:description>' if media.description else ""
        return (
            f'<media:content url="{shape["url"]}" type="{media.media_type}" fileSize="{len(media.data)}" medium="{media.type}">'
            f'<media:rating scheme="urn:simple">{rating}</media:rating>{alt}'
            f'<media:thumbnail url="{shape["preview_url"]}" /></media:content>'
        )

    def _atom(self, account: Account, statuses: Iterable[Status]) -> str:
        shapes = self.simulator.shapes
        entries = "".join(self._atom_entry(status) for status in statuses)
        return (
            '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">'
            f"<id>{shapes.profile_url(account)}</id><title>{escape(account.username)} on {self.simulator.host}</title>"
            f"<updated>{stamp(self.simulator.now())}</updated>{entries}</feed>"
        )

    def _atom_entry(self, status: Status) -> str:
        """Pixelfed's: the first image only, and ``updated`` is when it was created."""
        shapes, world = self.simulator.shapes, self.simulator.world
        media = world.media[status.media_ids[0]]
        url = shapes.media(media)["url"]
        content = f'<img id="rss_item_{status.id}" src="{url}" alt="{escape(media.description)}"><p>{status.content}</p>'
        return (
            f"<entry><id>{shapes.uri(status)}</id><title>{escape(status.source_text or 'No caption')}</title>"
            f"<updated>{stamp(status.created_at)}</updated><author><name>{status.account.username}</name></author>"
            f'<content type="html">{escape(content)}</content><link rel="alternate" href="{shapes.page_url(status)}" />'
            f'<media:content url="{url}" type="{media.media_type}" medium="image" /></entry>'
        )
