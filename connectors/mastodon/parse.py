"""A status in Mastodon's JSON (https://docs.joinmastodon.org/entities/Status/) → a ``Post``. Pure.

Takes raw JSON and what Mastodon.py makes of it alike: instants may be text or ``datetime``, and every field that is not needed may be
missing or null.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any, cast

from selectolax.lexbor import LexborHTMLParser

from connectors.mastodon.capabilities import Capabilities
from syndicator.model import Actor, Attachment, AttachmentType, Mention, Poll, Post, PostKind, Quote, Visibility
from syndicator.text.html import HTML_MAX, from_text, parse, to_text
from syndicator.text.urls import web_url

_TYPES = frozenset({"image", "video", "gifv", "audio"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SHARED = frozenset({"public", "unlisted"})


class Unreadable(ValueError):
    """A status lacks what every status has; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Whose statuses are read, and where."""

    account_id: str
    domain: str
    """What handles without a host end with."""
    capabilities: Capabilities
    uids: Mapping[str, str] = field(default_factory=dict)
    """uids of own statuses by id, where they are known."""


def is_shown(status: Mapping[str, Any], *, unlisted: bool) -> bool:
    """Whether it may leave the source: public, or unlisted when that is wanted; never one that stays on its own server."""
    wanted = _SHARED if unlisted else frozenset({"public"})
    reblog = status.get("reblog")
    if status.get("visibility") not in wanted or status.get("local_only") is True:
        return False
    return not isinstance(reblog, Mapping) or is_shown(reblog, unlisted=unlisted)


def post_from_status(status: Mapping[str, Any], reading: Reading) -> Post:
    """The post that a status is; a boost carries what it shares. Raises Unreadable."""
    reblog = status.get("reblog")
    if not isinstance(reblog, Mapping):
        return _post(status, reading)
    inner = _post(reblog, reading)
    return replace(
        inner,
        uid=_needed(status, "uri"),
        visibility=_visibility(status),
        published_at=_instant(status.get("created_at")),
        in_reply_to=None,
        reply_to_other=False,
        boost_of=inner.uid,
        boost_of_other=_account_id(reblog) != reading.account_id,
        application=_application(status),
    )


def _post(status: Mapping[str, Any], reading: Reading) -> Post:
    capabilities = reading.capabilities
    uid = _needed(status, "uri")
    html, quoted_href = _body(str(status.get("content") or ""))
    spoiler = str(status.get("spoiler_text") or "").strip()
    created, edited = _instant(status.get("created_at")), _instant(status.get("edited_at"))
    attachments = tuple(_attachments(_mappings(status, "media_attachments")))
    language = str(status.get("language") or "")
    return Post(
        uid=uid,
        url=web_url(str(status.get("url") or "")) or uid,
        kind=_kind(capabilities, attachments, titled=bool(capabilities.titled and spoiler)),
        title=spoiler if capabilities.titled else "",
        html=html,
        content_warning="" if capabilities.titled else spoiler,
        sensitive=bool(status.get("sensitive")),
        visibility=_visibility(status),
        published_at=created,
        # Friendica repeats the date of creation where nothing was edited.
        updated_at=edited if edited and created and edited > created else None,
        language=language if capabilities.tells_language and _LANGUAGE.fullmatch(language) else None,
        author=actor_from(status.get("account"), reading.domain),
        tags=_tags(status, html),
        attachments=attachments,
        poll=_poll(status.get("poll")),
        quote=_quote(status.get("quote"), quoted_href, reading.domain),
        mentions=tuple(
            Mention(handle=_handle(str(m["acct"]), reading.domain), url=web_url(str(m.get("url") or "")))
            for m in _mappings(status, "mentions")
            if m.get("acct")
        ),
        emojis=tuple(code for code in _shortcodes(status) if f":{code}:" in html or f":{code}:" in spoiler),
        in_reply_to=_parent(status, uid, reading),
        reply_to_other=bool(status.get("in_reply_to_id")) and str(status.get("in_reply_to_account_id")) != _account_id(status),
        application=_application(status),
    )


def id_of(status: Mapping[str, Any]) -> str:
    """Its id on its own server. Raises Unreadable."""
    return _needed(status, "id")


def _needed(status: Mapping[str, Any], name: str) -> str:
    value = status.get(name)
    if value is None or str(value) == "":
        raise Unreadable(f"status {status.get('id') or status.get('url') or '?'} has no {name}")
    return str(value)


def _mappings(status: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = status.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _account_id(status: Mapping[str, Any]) -> str:
    account = status.get("account")
    return str(account.get("id")) if isinstance(account, Mapping) else ""


def _instant(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _visibility(status: Mapping[str, Any]) -> Visibility:
    value = status.get("visibility")
    # Akkoma's ``local`` and ``list:…`` and whatever may come are for a few, too.
    return cast("Visibility", value) if value in ("public", "unlisted", "direct") else "private"


def _application(status: Mapping[str, Any]) -> str | None:
    application = status.get("application")
    name = application.get("name") if isinstance(application, Mapping) else None
    return str(name) if name else None


def _kind(capabilities: Capabilities, attachments: Sequence[Attachment], *, titled: bool) -> PostKind:
    if titled:
        return "article"
    if not capabilities.pictures or not attachments:
        return "note"
    return "image" if any(attachment.type == "image" for attachment in attachments) else "video"


def _body(content: str) -> tuple[str, str | None]:
    """The HTML without Mastodon's "RE: link" stand-in for a quote, and where that led.

    https://codeberg.org/fediverse/fep/src/branch/main/fep/044f/fep-044f.md: what shows the quote itself hides ``.quote-inline``.
    """
    if "<" not in content:
        return (from_text(unescape(content)) if "\n" in content else content), None
    if "quote-inline" not in content:
        return content, None
    body = LexborHTMLParser(content[:HTML_MAX]).body
    if body is None:
        return content, None
    href = None
    for node in body.css(".quote-inline"):
        link = node.css_first("a")
        href = href or (web_url(link.attributes.get("href") or "") if link is not None else None)
        node.decompose()
    return body.inner_html or "", href


def _attachments(media: Iterable[Mapping[str, Any]]) -> Iterable[Attachment]:
    for one in media:
        # No address yet: the server is still working on it; the next look at the status has it.
        url = web_url(str(one.get("url") or one.get("remote_url") or ""))
        if url is None:
            continue
        meta = _mapping(one.get("meta"))
        original = _mapping(meta.get("original"))
        kind = str(one.get("type"))
        yield Attachment(
            url=url,
            type=cast("AttachmentType", kind if kind in _TYPES else "unknown"),
            description=str(one.get("description") or "").strip(),
            media_type=str(one["mime"]) if one.get("mime") else None,
            width=_whole(original.get("width")),
            height=_whole(original.get("height")),
            duration_s=_number(original.get("duration")),
            preview_url=web_url(str(one.get("preview_url") or "")),
            focus=_focus(_mapping(meta.get("focus"))),
            blurhash=str(one["blurhash"]) if one.get("blurhash") else None,
        )


def is_unfinished(status: Mapping[str, Any]) -> bool:
    """Whether the server is still working on its media."""
    status = status["reblog"] if isinstance(status.get("reblog"), Mapping) else status
    return any(not (one.get("url") or one.get("remote_url")) for one in _mappings(status, "media_attachments"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _focus(focus: Mapping[str, Any]) -> tuple[float, float] | None:
    x, y = _number(focus.get("x")), _number(focus.get("y"))
    if x is None or y is None:
        return None
    return (min(max(x, -1.0), 1.0), min(max(y, -1.0), 1.0))


def _poll(poll: Any) -> Poll | None:
    if not isinstance(poll, Mapping):
        return None
    options = tuple(str(option.get("title") or "") for option in _mappings(poll, "options"))
    return Poll(options=options, multiple=bool(poll.get("multiple")), closes_at=_instant(poll.get("expires_at"))) if options else None


def _quote(quote: Any, href: str | None, domain: str) -> Quote | None:
    """Its words only where the quoted author accepted (``state``) and shows them to all; else a link to it, where it is known."""
    if not isinstance(quote, Mapping):
        return Quote(url=href) if href else None
    # Friendica and Akkoma give the quoted status itself, without anybody's consent.
    quoted = quote if quote.get("uri") else _mapping(quote.get("quoted_status"))
    url = web_url(str(quoted.get("url") or quoted.get("uri") or "")) or href
    if url is None:
        return None
    if quoted and quoted.get("visibility") not in _SHARED:
        return Quote(url=url)
    accepted = bool(quoted) and quote.get("state") == "accepted"
    text = to_text(str(quoted.get("content") or ""), quote_inline=False) if accepted else ""
    return Quote(url=url, author=actor_from(quoted.get("account"), domain), text=text, accepted=accepted)


def actor_from(account: Any, domain: str) -> Actor | None:
    """Who an account is; its custom emoji, pictures elsewhere, are left out of the name."""
    if not isinstance(account, Mapping) or not account.get("acct"):
        return None
    acct = str(account["acct"])
    name = str(account.get("display_name") or "")
    for code in _shortcodes(account):
        name = name.replace(f":{code}:", "")
    return Actor(
        name=" ".join(name.split()) or acct.split("@")[0],
        url=web_url(str(account.get("url") or "")),
        handle=_handle(acct, domain),
        avatar_url=web_url(str(account.get("avatar") or "")),
    )


def _handle(acct: str, domain: str) -> str:
    return acct if "@" in acct else f"{acct}@{domain}"


def _shortcodes(owner: Mapping[str, Any]) -> list[str]:
    return [str(emoji["shortcode"]) for emoji in _mappings(owner, "emojis") if emoji.get("shortcode")]


def _tags(status: Mapping[str, Any], html: str) -> tuple[str, ...]:
    """The names of ``tags``, which servers fold, in the spelling of the text."""
    names = [str(tag["name"]) for tag in _mappings(status, "tags") if tag.get("name")]
    written: dict[str, str] = {}
    for span in parse(html).spans if names else ():
        if span.kind == "hashtag":
            written.setdefault(_folded(span.value), unicodedata.normalize("NFC", span.value))
    return tuple(dict.fromkeys(written.get(_folded(name), name) for name in names))


def _folded(name: str) -> str:
    """As Mastodon's HashtagNormalizer folds: width, case and accents."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _parent(status: Mapping[str, Any], uid: str, reading: Reading) -> str | None:
    """The parent's uid: known, or shaped like this one's where ids end with the number; else the parent's id."""
    parent = status.get("in_reply_to_id")
    if not parent:
        return None
    parent, own = str(parent), str(status.get("id"))
    if parent in reading.uids:
        return reading.uids[parent]
    by_itself = str(status.get("in_reply_to_account_id")) == _account_id(status)
    if by_itself and uid.endswith(f"/{own}"):
        return uid.removesuffix(own) + parent
    return parent
