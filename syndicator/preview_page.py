"""What each network would show, as one page to look at: text, pictures as they would arrive, length, cuts, cost.

The page is a single file that asks nobody for anything: pictures are fetched, shaped as for their network, and kept inside it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syndicator.contract import Association, Limits, MediaLimits
from syndicator.errors import ConnectorError
from syndicator.estimate import Estimate, Outlay
from syndicator.http import Http
from syndicator.model import Attachment, Rendition
from syndicator.showing import Shown, most, price_of, seen, stage_of, together
from syndicator.text.count import length
from syndicator.text.links import entities
from syndicator.text.notes import describe
from syndicator.words import say

PAGES = Path(__file__).parent / "pages"
SMALL = MediaLimits(images_max=1, image_types=("image/jpeg",), image_max_bytes=150_000, image_max_width=640, image_max_pixels=640 * 900)
"""What a picture is brought down to: it is looked at beside a dozen others."""
PICTURES_MAX = 60
NNBSP = "\u202f"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A picture, as one network would shape it."""

    url: str
    ratio: tuple[float, float] | None


async def pictures(http: Http, shown: Sequence[Shown], cache_dir: Path) -> dict[Wanted, str]:
    """The pictures that the page needs, as data URLs; what cannot be had is left out."""
    from syndicator import media

    found: dict[Wanted, str] = {}
    for wanted in list(dict.fromkeys(_wanted(shown)))[:PICTURES_MAX]:
        try:
            file = await media.fetch(http, Attachment(url=wanted.url), replace(SMALL, image_ratio=wanted.ratio), cache_dir=cache_dir)
        except ConnectorError:
            continue
        found[wanted] = f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}"
    return found


def _wanted(shown: Sequence[Shown]) -> list[Wanted]:
    return [
        wanted
        for one in shown
        for part in one.renditions
        for attachment in (*part.attachments, *([part.card.image] if part.card and part.card.image else []))
        if (wanted := _want(attachment, one.limits)) is not None
    ]


def _want(attachment: Attachment, limits: Limits) -> Wanted | None:
    url = attachment.url if attachment.type == "image" else attachment.preview_url
    return Wanted(url=url, ratio=limits.media.image_ratio) if url else None


def page(
    shown: Sequence[Shown],
    association: Association,
    images: Mapping[Wanted, str],
    language: str,
    costs: Sequence[Estimate] = (),
    outlays: Sequence[Outlay] = (),
) -> str:
    """The whole page, as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    by_item: dict[str, list[Shown]] = {}
    for one in shown:
        by_item.setdefault(one.thing, []).append(one)
    keys = ("title", "intro", "contents", "empty", "nothing", "no_alt", "no_alt_there", "costs")
    return environment.get_template("preview.html.j2").render(
        language=language,
        association=association.name,
        style=(PAGES / "preview.css").read_text(encoding="utf-8"),
        words={key: say(language, f"preview.page.{key}") for key in keys},
        items=[_item(places, images, language) for places in by_item.values()],
        costs=[
            *({"text": cost.says(language), "fits": cost.fits} for cost in costs),
            *({"text": outlay.says(language), "fits": True} for outlay in outlays),
        ],
    )


def _item(places: Sequence[Shown], images: Mapping[Wanted, str], language: str) -> dict[str, Any]:
    first = places[0]
    stages: dict[str, list[Shown]] = {}
    for one in places:
        stages.setdefault(stage_of(one, language), []).append(one)
    several = len(stages) > 1
    return {
        "kind": say(language, f"preview.kind.{first.kind}"),
        "title": first.title,
        "stages": [
            {
                # Of a thing that is said once, its heading says enough; but not what is done to what is out already.
                "title": title or (say(language, "preview.stage.create") if several else ""),
                "looks": [_look(look, images, language) for look in together(told)],
            }
            for title, told in stages.items()
        ],
    }


def _look(places: Sequence[Shown], images: Mapping[Wanted, str], language: str) -> dict[str, Any]:
    first = places[0]
    return {
        "places": [{"name": one.destination, "type": one.type} for one in places],
        "parts": [_part(part, number, places, images, language) for number, part in enumerate(first.renditions)],
    }


def _part(part: Rendition, number: int, places: Sequence[Shown], images: Mapping[Wanted, str], language: str) -> dict[str, Any]:
    limits = places[0].limits
    card = part.card
    return {
        "turn": f"{part.part + 1}/{part.parts}" if part.parts > 1 else "",
        "warning": part.content_warning,
        "title": part.title,
        "language": part.language,
        "link": part.link,
        "segments": segments(part, limits),
        "pictures": [_picture(attachment, limits, images) for attachment in part.attachments],
        "card": {
            "title": card.title,
            "description": card.description,
            "host": urlsplit(card.url).hostname or card.url,
            "data": images.get(_want(card.image, limits) or Wanted(url="", ratio=None)) if card.image else None,
        }
        if card
        else None,
        "measures": [_measure(one, one.renditions[number]) for one in places],
        "notes": [describe(note, language) for note in part.notes],
    }


def _picture(attachment: Attachment, limits: Limits, images: Mapping[Wanted, str]) -> dict[str, Any]:
    wanted = _want(attachment, limits)
    return {
        "alt": attachment.description,
        "describable": limits.media.alt_max != 0,
        "data": images.get(wanted) if wanted else None,
        "video": attachment.type in ("video", "gifv"),
        "sign": "🎞" if attachment.type in ("video", "gifv") else "🔊" if attachment.type == "audio" else "🖼",
    }


def _measure(one: Shown, part: Rendition) -> dict[str, Any]:
    used, room = length(part.text, one.limits), most(part, one.limits)
    return {
        "name": one.destination,
        "used": f"{number(used, one.language)} / {number(room, one.language)}" if room else number(used, one.language),
        "percent": min(100, round(100 * used / room)) if room else 0,
        "cost": price_of(part, one),
    }


def number(value: int, language: str) -> str:
    """With its thousands apart, as the language writes them."""
    apart = NNBSP if language.split("-")[0].lower() == "fr" else ","
    return f"{value:,}".replace(",", apart)


def segments(part: Rendition, limits: Limits) -> list[tuple[str, str]]:
    """The text as people will see it, in pieces: links and hashtags by their name, the rest under an empty one."""
    text, labels = seen(part.text, limits.markup)
    marks = [*((span.start, span.end, "link") for span in part.spans), *((start, end, "link") for start, end in labels)]
    for entity in entities(text):
        kind = {"url": "link", "address": "link", "hashtag": "hashtag"}.get(entity.kind)
        if kind and all(entity.end <= start or entity.start >= end for start, end, _ in marks):
            marks.append((entity.start, entity.end, kind))
    found, position = [], 0
    for start, end, kind in sorted(marks):
        found += [("", text[position:start])] if start > position else []
        found.append((kind, text[start:end]))
        position = end
    return [*found, ("", text[position:])] if text[position:] else found
