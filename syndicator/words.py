"""What the program says to people: catalogues by language, French first.

A catalogue is ``locales/<language>.toml``; a key is dotted (``check.ok`` is ``ok`` in the table ``[check]``), a value is one sentence
with ``{name}`` placeholders (``str.format``). A sentence that depends on a number is a table with ``one`` and ``other``, chosen by the
value ``count``. Every catalogue has the same keys and placeholders (``tests/test_words.py``); adding a language is adding a file.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from syndicator.errors import Words

FALLBACK = "en"
FIRST = "fr"
"""The language of a machine that names none."""


def say(language: str, key: str, /, **values: Any) -> str:
    """The sentence ``key`` in ``language``, else in its base language, else in English."""
    for tag in chain(language):
        found = _catalogue(tag)
        text = found.get(key) or found.get(f"{key}.{_plural(tag, values.get('count'))}")
        if text is not None:
            return text.format_map(values)
    raise KeyError(f"no catalogue has {key}")


def pick(words: Words, language: str) -> str:
    """The one of ``words`` that somebody who reads ``language`` understands best."""
    for tag in chain(language):
        if tag in words:
            return words[tag]
    return next(iter(words.values()))


def chain(language: str, *, otherwise: str = FALLBACK) -> tuple[str, ...]:
    """Where to look for a text in ``language``: itself, its base language, English."""
    return tuple(dict.fromkeys((language, re.split("[-_]", language)[0].lower(), otherwise)))


@functools.cache
def languages() -> frozenset[str]:
    """The languages there are catalogues in."""
    folder = files("syndicator") / "locales"
    return frozenset(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))


def language_of(environ: Mapping[str, str]) -> str:
    """The language of the person at this machine, before any configuration is known.

    ``SYNDICATOR_LANGUAGE``, else the first of LC_ALL, LC_MESSAGES and LANG that is set, if we have it; else French.
    """
    for name in ("SYNDICATOR_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "")
        base = re.split("[-_.@]", value)[0].lower()
        if base in languages():
            return base
        if value:
            return FIRST
    return FIRST


@functools.cache
def _catalogue(language: str) -> Mapping[str, str]:
    if language not in languages():
        return {}
    text = (files("syndicator") / "locales" / f"{language}.toml").read_text(encoding="utf-8")
    return _flat(tomllib.loads(text))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _plural(language: str, count: Any) -> str:
    """CLDR plural rules of the languages we have: in French nothing and one are singular."""
    if not isinstance(count, int):
        return "other"
    return "one" if count == 1 or (language == "fr" and count == 0) else "other"
