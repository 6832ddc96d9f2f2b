"""The customs of each site generator: where things go, and what it makes of text that is not its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Generator:
    """One of them; paths are below the site's folder."""

    name: str
    """As people write it."""
    events: str | None
    """Pages of events; None where there are none."""
    data: str
    media: str
    served_from: str = ""
    """The part of a path that addresses do not have."""
    settings: tuple[str, ...] = ()
    """Files or folders of which one is there in every site of its kind."""
    escapes: bool = True
    """Whether its templates turn markup in a value into text by themselves."""


GENERATORS = {
    "jekyll": Generator(
        name="Jekyll", events="_events", data="_data", media="assets/agenda", settings=("_config.yml", "_config.yaml", "_config.toml"),
        # https://jekyllrb.com/docs/liquid/: {{ value }} is written as it is.
        escapes=False,
    ),
    "hugo": Generator(
        name="Hugo", events="content/events", data="data", media="static/agenda", served_from="static/",
        settings=("hugo.toml", "hugo.yaml", "hugo.json", "config.toml", "config.yaml", "config.yml", "config.json", "config"),
    ),
    "eleventy": Generator(
        name="Eleventy", events="events", data="_data", media="assets/agenda",
        settings=("eleventy.config.js", "eleventy.config.mjs", "eleventy.config.cjs", ".eleventy.js", "package.json"),
        # Nunjucks does; Liquid, which Eleventy speaks as well, does not.
        escapes=False,
    ),
    "json": Generator(name="JSON", events=None, data="", media="agenda"),
}  # fmt: skip
