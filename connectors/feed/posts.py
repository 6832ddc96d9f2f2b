"""A parsed feed → Posts. Pure. The plain data is what ``parser.py`` and ``jsonfeed.py`` give; it lives only in here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from connectors.feed.markup import (
    Picture,
    absolute,
    html_from_text,
    is_noise,
    joined,
    normal_link,
    pictures,
    text_from,
    with_characters,
    without_credits,
)
from syndicator.model import Actor, Attachment, AttachmentType, Post, PostKind

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[a-zA-Z]{2,10});")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_PATH_END: Mapping[str, AttachmentType] = {
    "jpg": "image", "jpeg": "image", "png": "image", "gif": "image", "webp": "image", "avif": "image",
    "mp4": "video", "webm": "video", "mov": "video", "m4v": "video",
    "mp3": "audio", "m4a": "audio", "ogg": "audio", "oga": "audio", "opus": "audio", "wav": "audio", "flac": "audio",
}  # fmt: skip
_PASSWORD_FORM = re.compile(r"<form\b[^<>]{0,500}(?:\baction=postpass\b|\bpost-password-form\b)")
"""``get_the_password_form`` of WordPress (wp-includes/post-template.php); plugins move its wp-login.php elsewhere."""
_NO_EXCERPT = {
    "There is no excerpt because this is a protected post.",
    "Il n'y a pas d'extrait, car cette publication est protégée.",
    "Il n'y a pas d'extrait car cette publication est protégée.",
}
"""What a feed of summaries says of a protected post, in the two languages we speak."""
_NO_TAG = {"uncategorized", "non classé", "non classe", "sans catégorie"}
"""WordPress's names for having no category."""


def posts_from(feed: Mapping[str, Any], *, url: str, kind: PostKind, full_text: bool, author: str | None) -> tuple[Post, ...]:
    """Every item once, in the feed's order; ``url`` is the configured address, which makes bare ids global."""
    posts: dict[str, Post] = {}
    for entry, uid in _named_entries(feed, url):
        if uid not in posts and not _is_locked(entry):
            posts[uid] = _post(entry, feed, uid=uid, url=url, kind=kind, full_text=full_text, author=author)
    return tuple(posts.values())


def locked_in(feed: Mapping[str, Any], *, url: str) -> tuple[str, ...]:
    """The uids of items that the site shows to those alone who know a password: WordPress lists them, with a form as their text."""
    return tuple(dict.fromkeys(uid for entry, uid in _named_entries(feed, url) if _is_locked(entry)))


def _named_entries(feed: Mapping[str, Any], url: str) -> list[tuple[Mapping[str, Any], str]]:
    entries = [entry for entry in feed["entries"] if any(entry[name] for name in ("id", "link", "title", "content", "summary"))]
    return list(zip(entries, _uids(entries, url), strict=True))


def _is_locked(entry: Mapping[str, Any]) -> bool:
    """By the form's address, else by the sentence that stands for the excerpt."""
    return bool(_PASSWORD_FORM.search(entry["content"])) or text_from(_text(entry["summary"])).replace("’", "'") in _NO_EXCERPT


def _uids(entries: Sequence[Mapping[str, Any]], url: str) -> Iterator[str]:
    """The id, unless several items with different pages share it; else the page; else a hash of what there is."""
    links: dict[str, set[str]] = {}
    for entry in entries:
        links.setdefault(entry["id"], set()).add(normal_link(entry["link"]))
    for entry in entries:
        link = normal_link(joined(url, entry["link"])) if entry["link"] else ""
        if entry["id"] and len(links[entry["id"]]) == 1:
            yield _global(_text(entry["id"]), url)
        elif link:
            yield _text(link)
        else:
            media = [one["url"] for one in entry["media"]]
            parts = [entry["title"], *media] if entry["title"] or media else [entry["content"], entry["summary"]]
            yield _global(hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32], url)


def _global(identity: str, url: str) -> str:
    """``identity`` where it is a URI already, else made unique by the feed's own address."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]{1,15}:\S", identity):
        return identity
    return f"feed:{url.partition('://')[2]}#{identity}"


def _post(
    entry: Mapping[str, Any], feed: Mapping[str, Any], *, uid: str, url: str, kind: PostKind, full_text: bool, author: str | None
) -> Post:
    link = _link(entry, feed, url)
    html, summary = _body(entry, link, full_text=full_text)
    shown = list(pictures(entry["content"] or entry["summary"], entry["base"] or link))
    published_at, updated_at = _instant(entry["published_at"]), _instant(entry["updated_at"])
    return Post(
        uid=uid,
        url=link,
        kind=kind,
        title=_title(entry, html, kind),
        html=html,
        summary=summary,
        sensitive=bool(entry["sensitive"]),
        published_at=published_at,
        updated_at=updated_at if updated_at != published_at else None,
        language=_language(entry["language"]) or _language(feed["language"]),
        author=Actor(name=author) if author else _actor(entry["author"] or feed["author"], link),
        tags=tuple(dict.fromkeys(tag for tag in map(_tag, entry["tags"]) if tag)),
        attachments=tuple(_attachments(entry, shown, link, kind)),
    )


def _body(entry: Mapping[str, Any], link: str, *, full_text: bool) -> tuple[str, str]:
    """The HTML to carry, and a short plain text where the feed has one apart from it."""
    raw = with_characters(_text(entry["summary"], lines=True))
    short = without_credits(absolute(raw, link), link) if entry["summary_is_html"] else html_from_text(raw)
    long = without_credits(absolute(with_characters(_text(entry["content"], lines=True)), entry["base"] or link), link)
    if not long:
        return short, ""
    excerpt = re.sub(r"\s*\[(?:…|\.\.\.)\]$", "…", text_from(short))
    if not full_text and excerpt:
        return short, ""
    return long, excerpt if excerpt != text_from(long) else ""


def _title(entry: Mapping[str, Any], html: str, kind: PostKind) -> str:
    """Plain text. Notes and photos have none of their own: what a feed puts there is the beginning of their text."""
    raw = _text(entry["title"])
    title = text_from(raw) if entry["title_is_html"] else " ".join((unescape(raw) if _ENTITY.search(raw) else raw).split())
    if kind not in ("note", "image"):
        return title
    text = text_from(html)
    is_excerpt = text.startswith(title.rstrip("….").rstrip()) or (title == "No caption" and not text)
    return "" if is_excerpt else title


def _link(entry: Mapping[str, Any], feed: Mapping[str, Any], url: str) -> str:
    """The item's page; what it attaches, its id or the site's page where the feed names none."""
    media = (one["url"] for one in entry["media"])
    for candidate in (entry["link"], entry["id"] if str(entry["id"]).startswith("http") else "", *media, feed["link"]):
        whole = joined(url, _text(candidate)) if candidate else ""
        if whole.startswith(("http://", "https://")):
            return whole
    return url


def _attachments(entry: Mapping[str, Any], shown: Sequence[Picture], link: str, kind: PostKind) -> Iterator[Attachment]:
    """What the item attaches. Without a picture among it: its still, else the first picture in its text. Articles have one picture."""
    alts = {picture.url: picture.alt for picture in shown}
    named = list(_named(entry, alts, link, stills=False))
    images = [one for one in named if one.type == "image"] or list(_named(entry, alts, link, stills=True))[:1]
    if not images:
        images = [Attachment(url=one.url, description=_text(one.alt), width=one.width, height=one.height) for one in shown[:1]]
    yield from images[:1] if kind == "article" else images
    yield from (one for one in named if one.type != "image")


def _named(entry: Mapping[str, Any], alts: Mapping[str, str], link: str, *, stills: bool) -> Iterator[Attachment]:
    seen: set[str] = set()
    for one in entry["media"]:
        url = joined(link, _text(one["url"]))
        media_type = str(one.get("type") or "").split(";")[0].strip().lower()
        type_ = _type(str(one.get("medium") or ""), media_type, url)
        if bool(one.get("still")) != stills or not type_ or url in seen or is_noise(url) or not url.startswith(("http://", "https://")):
            continue
        seen.add(url)
        yield Attachment(
            url=url,
            type=type_,
            description=_text(one.get("alt") or alts.get(url) or ""),
            media_type=media_type or None,
            width=_whole(one.get("width")),
            height=_whole(one.get("height")),
            size_bytes=_whole(one.get("size")),
            duration_s=float(_whole(one.get("duration")) or 0) or None,
        )


def _type(medium: str, media_type: str, url: str) -> AttachmentType | None:
    known: AttachmentType
    for known in ("image", "video", "audio"):
        if medium == known or media_type.startswith(f"{known}/"):
            return known
    if media_type and media_type != "application/octet-stream":
        return None
    return _PATH_END.get(urlsplit(url).path.rpartition(".")[2].lower())


def _actor(raw: Mapping[str, str] | None, link: str) -> Actor | None:
    if not raw:
        return None
    page = joined(link, raw["url"]) if raw["url"] else ""
    return Actor(name=_text(raw["name"]), url=page if page.startswith("http") else None)


def _tag(raw: Any) -> str:
    tag = " ".join(unescape(_text(raw)).split()).lstrip("#")
    return "" if tag.lower() in _NO_TAG or len(tag) > 100 else tag


def _language(raw: str) -> str | None:
    tag = raw.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def _instant(raw: str | None) -> datetime | None:
    return datetime.fromisoformat(raw) if raw else None


def _whole(raw: Any) -> int | None:
    text = str(raw or "").strip().partition(".")[0]
    return int(text) or None if text.isdecimal() and len(text) < 16 else None


def _text(raw: Any, *, lines: bool = False) -> str:
    """Without the characters that no XML, database or network takes; one line unless ``lines``."""
    text = _CONTROL.sub("", str(raw or ""))
    return text.strip() if lines else " ".join(text.split())
