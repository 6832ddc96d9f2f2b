"""Pure: values that stay text in a template whose author forgot to escape them."""

from __future__ import annotations

import re
from typing import Any

_HTML = frozenset({"description_html", "html"})
"""Cleaned already, and meant as markup."""
_OPENING = re.compile(r"<(?=[A-Za-z/!?])")
_QUOTED = re.compile(r'"([^"]*)"')
_IN_ADDRESS = {"<": "%3C", ">": "%3E", '"': "%22", "'": "%27", "`": "%60", "{": "%7B", "}": "%7D"}


def inert(value: Any, key: str = "") -> Any:
    """``value`` in which no text can begin an element or end an attribute: ``<b>`` is ``‹b>``, quotes are typographic.

    Liquid writes values as they are, and the examples everywhere forget ``| escape``: a title must not be able to do more than be read.
    """
    if isinstance(value, dict):
        return {inert(name): inert(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [inert(inner, key) for inner in value]
    if not isinstance(value, str) or key in _HTML:
        return value
    return address(value) if key == "url" or key.endswith("_url") else text(value)


def text(value: str) -> str:
    """One text."""
    value = _QUOTED.sub("“\\1”", _OPENING.sub("‹", value)).replace('"', "”")
    return value.replace("'", "’").replace("{{", "{\u200a{").replace("{%", "{\u200a%")


def address(value: str) -> str:
    """One address, leading to the same place."""
    return "".join(_IN_ADDRESS.get(character, character) for character in value)
