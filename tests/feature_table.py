"""The tables of docs/destinations.md, made from the connectors' own limits and abilities.

``python -m tests.feature_table`` writes them into the page; ``tests/test_docs.py`` fails when they differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syndicator import registry
from syndicator.contract import CanDelete, CanFind, CanPrepare, CanUpdate, Expiring, Limits, Prices

PAGE = Path(__file__).parents[1] / "docs" / "destinations.md"
BEGIN, END = "<!-- Tableaux écrits par « python -m tests.feature_table » -->", "<!-- Fin des tableaux -->"
VIEW = "sans objet"
UNITS = {
    "characters": "caractères",
    "graphemes": "graphèmes",
    "utf16": "unités UTF-16",
    "weighted": "caractères pondérés",
    "threads": "caractères, un émoji ses octets",
    "bytes": "octets",
}


def said(value: object) -> str:
    """A fact as the French tables write it."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    return "sans limite" if value is None else str(value)


def bytes_said(size: int | None) -> str | None:
    """A size as its service says it: in thousands where it is round so, else in powers of 1024."""
    if size is None:
        return None
    for unit, name in ((10**9, "Go"), (10**6, "Mo"), (1024**2, "Mio"), (1024, "Kio")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} octets"


def row(*cells: object) -> str:
    """One line of a table."""
    return "| " + " | ".join(said(cell) for cell in cells) + " |"


def can(connector: type[Any], ability: type[Any]) -> bool:
    """Whether a class has an ability's methods, or names its attributes."""
    wanted = [name for name in vars(ability) if not name.startswith("_")] + list(vars(ability).get("__annotations__", ()))
    return all(hasattr(connector, name) or name in getattr(connector, "__annotations__", ()) for name in wanted)


def tables(names: tuple[str, ...]) -> str:
    """Everything between the two marks of the page."""
    found = {name: registry.find("destinations", name) for name in names}
    parts = (_abilities(found), _texts(found), _media(found))
    return "\n\n".join("\n".join(part) for part in parts)


def _head(*titles: str) -> list[str]:
    return [row(*titles), "|" + "---|" * len(titles)]


def _abilities(found: dict[str, type[Any]]) -> Iterator[str]:
    yield from _head("`type`", "sorte", "corrige", "efface", "« est-ce parti ? »", "même clé", "prépare", "fils", "coûte", "jeton")
    for name, cls in found.items():
        if not hasattr(cls, "publish"):
            yield row(f"`{name}`", "vue", "oui", "oui", *[VIEW] * 4, "rien", VIEW)
            continue
        limits: Limits = cls.limits
        knows = [can(cls, ability) for ability in (CanUpdate, CanDelete, CanFind)]
        credential = "expire, renouvelé ou annoncé" if can(cls, Expiring) else "sans échéance"
        yield row(
            f"`{name}`",
            "compte",
            *knows,
            _window(limits.key_window_s),
            can(cls, CanPrepare),
            limits.threads,
            _price(limits.prices),
            credential,
        )


def _texts(found: dict[str, type[Any]]) -> Iterator[str]:
    yield from _head(
        "compte", "texte", "avec des médias", "un lien compte", "titre", "mots-liens", "carte à nous", "mots-dièse", "avertissement à part"
    )
    for name, limits in _limits(found):
        text = "sans limite" if limits.text_max is None else f"{limits.text_max} {UNITS[limits.text_unit]}"
        text += f", {limits.bytes_max} octets" if limits.bytes_max else ""
        yield row(
            f"`{name}`",
            text,
            limits.caption_max or "autant",
            limits.url_length or "sa longueur",
            limits.title_max or "non",
            limits.spans,
            limits.card,
            limits.hashtags_max if limits.hashtags_max is not None else "autant qu’on veut",
            limits.content_warning,
        )


def _media(found: dict[str, type[Any]]) -> Iterator[str]:
    yield from _head(
        "compte",
        "images",
        "vidéos",
        "les deux ensemble",
        "une image au plus",
        "une vidéo au plus",
        "description",
        "masque ce qui est sensible",
        "sans image",
    )
    for name, limits in _limits(found):
        media = limits.media
        yield row(
            f"`{name}`",
            media.images_max,
            media.videos_max,
            media.mixed,
            bytes_said(media.image_max_bytes) if media.images_max else VIEW,
            bytes_said(media.video_max_bytes) if media.videos_max else VIEW,
            "aucune" if media.alt_max == 0 else media.alt_max,
            limits.sensitive_media or limits.content_warning,
            "une image fabriquée" if media.image_required else "le texte seul",
        )


def _limits(found: dict[str, type[Any]]) -> Iterator[tuple[str, Limits]]:
    return ((name, cls.limits) for name, cls in found.items() if hasattr(cls, "publish"))


def _window(seconds: int) -> str:
    if not seconds:
        return "non"
    if seconds >= 365 * 86_400:
        return "toujours"
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds} s"


def _price(prices: Prices | None) -> str:
    if prices is None:
        return "rien"
    amounts = [f"{mills / 1000:.3f}".replace(".", ",") for mills in (prices.create, prices.create_with_link)]
    return f"{amounts[0]} {prices.currency}, avec un lien {amounts[1]}"


def ours() -> tuple[str, ...]:
    """The destinations of this repository, by name."""
    return tuple(
        name for name in registry.names("destinations") if registry.find("destinations", name).__module__.startswith("connectors.")
    )


def written(page: str, names: tuple[str, ...]) -> str:
    """The page with its tables as they should be."""
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return between.sub(lambda _: f"{BEGIN}\n\n{tables(names)}\n\n{END}", page)


def main() -> None:
    """Write them."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), ours()), encoding="utf-8")


if __name__ == "__main__":
    main()
