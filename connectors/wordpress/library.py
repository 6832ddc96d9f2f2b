"""The site's library of pictures, and its categories and tags: what a post refers to by number."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from connectors.wordpress.site import Json, Refused, Site
from connectors.wordpress.writing import Picture, file_address, plain
from syndicator import media
from syndicator.contract import Context, MediaLimits
from syndicator.errors import Gone, Rejected
from syndicator.model import Attachment

PICTURE_FIELDS = "id,slug,source_url,alt_text,media_details"
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}

Taxonomy = Literal["categories", "tags"]


class Library:
    """Pictures."""

    def __init__(self, site: Site, context: Context, limits: MediaLimits) -> None:
        self._site = site
        self._context = context
        self._limits = limits

    async def take(self, attachments: Iterable[Attachment], seed: str) -> dict[str, Picture]:
        """Where each picture is from → the picture in the library; without those that will never do. ``seed`` tells posts apart."""
        wanted = {one.url: one for one in list(attachments)[: self._limits.images_max]}
        found = await self._uploaded_before(list(wanted), seed)
        for url, attachment in wanted.items():
            if url in found:
                continue
            try:
                found[url] = await self._upload(attachment, file_address(seed, url))
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", url, error.detail)
        return {url: found[url] for url in wanted if url in found}

    async def describe(self, picture: Picture, description: str) -> None:
        """Correct its description in the library, where a featured image has its own from."""
        try:
            await self._site.make(f"/wp/v2/media/{picture.id}", {"alt_text": plain(description)}, {"_fields": "id"})
        except (Rejected, Gone) as error:
            self._context.log.warning("description not corrected id=%s: %s", picture.id, error.detail)

    async def drop(self, pictures: Iterable[Picture]) -> None:
        """Remove those that no post of ours shows any more: the library has no trash. Repeating it is harmless."""
        for picture in pictures:
            try:
                await self._site.delete(f"/wp/v2/media/{picture.id}", {"force": "true"})
            except Gone:
                continue
            except Rejected as error:
                self._context.log.warning("picture not removed id=%s: %s", picture.id, error.detail)

    async def _uploaded_before(self, urls: Sequence[str], seed: str) -> dict[str, Picture]:
        """Those whose upload was made and whose answer was lost."""
        if not urls:
            return {}
        slugs = {file_address(seed, url): url for url in urls}
        query = {"slug": ",".join(slugs), "per_page": "100", "_fields": PICTURE_FIELDS}
        answer = await self._site.read("/wp/v2/media", query)
        listed = answer if isinstance(answer, list) else []
        return {slugs[one["slug"]]: _picture(one) for one in listed if one.get("slug") in slugs and one.get("source_url")}

    async def _upload(self, attachment: Attachment, address: str) -> Picture:
        cache_dir = self._context.state_dir / "media"
        file = await media.fetch(self._context.http, attachment, self._limits, cache_dir=cache_dir)
        name = f"{address}.{_ENDINGS.get(file.media_type, 'jpg')}"
        headers = {"Content-Type": file.media_type, "Content-Disposition": f'attachment; filename="{name}"'}
        described = plain(file.description)
        query = {"slug": address, "title": described or self._context.association.name, "alt_text": described, "_fields": PICTURE_FIELDS}
        answer = await self._site.upload(query, headers, file.data)
        if not isinstance(answer.get("id"), int) or not answer.get("source_url"):
            raise Rejected("the site does not name the upload")
        return _picture(answer)


def _picture(found: Json) -> Picture:
    details = found.get("media_details")
    size: Mapping[str, Any] = details if isinstance(details, Mapping) else {}
    return Picture(
        id=int(found["id"]),
        url=str(found["source_url"]),
        width=size.get("width"),
        height=size.get("height"),
        description=html.unescape(str(found.get("alt_text") or "")),
    )


class Terms:
    """Categories and tags, by name."""

    def __init__(self, site: Site, context: Context) -> None:
        self._site = site
        self._context = context
        self._known: dict[tuple[Taxonomy, str], int] = {}
        self.makes: dict[Taxonomy, bool] = {"categories": True, "tags": True}
        """Whether the account may make new ones."""

    async def numbers(self, taxonomy: Taxonomy, names: Iterable[str]) -> list[int]:
        """Theirs, each once, in order; those that are missing are made, or left out where the account may not."""
        found: dict[int, None] = {}
        for name in names:
            number = await self.find(taxonomy, name) or await self._make(taxonomy, name)
            if number is not None:
                found[number] = None
        return list(found)

    async def find(self, taxonomy: Taxonomy, name: str) -> int | None:
        """The number of that name, without regard to case and accents."""
        wanted = taxonomy, folded(name)
        if wanted in self._known:
            return self._known[wanted]
        # A name is kept with its entities (&amp;), so that the whole of it is not always found.
        word = max(re.findall(r"\w+", name) or [name], key=len)
        answer = await self._site.read(f"/wp/v2/{taxonomy}", {"search": word, "per_page": "100", "_fields": "id,name"})
        for one in answer if isinstance(answer, list) else []:
            self._known.setdefault((taxonomy, folded(html.unescape(str(one.get("name"))))), int(one["id"]))
        return self._known.get(wanted)

    async def _make(self, taxonomy: Taxonomy, name: str) -> int | None:
        if not self.makes[taxonomy]:
            self._context.log.warning("no such name in %s, left out: %s", taxonomy, name)
            return None
        try:
            number = (await self._site.make(f"/wp/v2/{taxonomy}", {"name": html.escape(name, quote=False)}, {"_fields": "id"})).get("id")
        except Refused as error:
            if error.code != "term_exists":
                raise
            number = error.data.get("term_id")
        if isinstance(number, int):
            self._known[taxonomy, folded(name)] = number
            return number
        return None


def folded(name: str) -> str:
    """Without case, accents and surplus blanks, as WordPress tells names apart."""
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
