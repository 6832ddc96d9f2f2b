"""A letter as listmonk's campaigns are written: Go templates, in which nothing of ours but the way out is executed. Pure.

listmonk reads subject, body and text part as templates, and replaces ``…@TrackLink`` before (``models/common.go``). Body and text part are
parsed as HTML (``html/template``), which drops comments, those that Outlook reads too, and refuses what ends inside a tag.
"""

from __future__ import annotations

import json
import re

from syndicator.text.naming import handle
from syndicator.text.way_out import with_unsubscribe

WAY_OUT = "{{ UnsubscribeURL }}"
NAME_MAX = 120

_APART = re.compile(r"<!--.*?-->|<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_TRACK = "@TrackLink"


def name_of(title: str, key: str) -> str:
    """What the campaign is called: its end finds it again."""
    return f"{' '.join(title.split())[:NAME_MAX]} [{mark_of(key)}]".strip()


def mark_of(key: str) -> str:
    """What the name of our campaign ends with, in brackets: one word, as listmonk's search takes spaces for something else."""
    return handle(key)


def subject_of(title: str) -> str:
    """One line of plain text."""
    line = "".join(char for char in " ".join(title.split()) if char.isprintable())
    return _plain(line) if "{{" in line or _TRACK in line else line


def text_of(text: str) -> str:
    """The text part. It is read as HTML, so that no ``<`` may stand in it as it is."""
    return with_unsubscribe(_plain(text).replace("<", '{{ Safe "<" }}'), WAY_OUT)


def _plain(text: str) -> str:
    return text.replace("{", '{{ "{" }}').replace(_TRACK, '@{{ "" }}TrackLink')


def html_of(letter: str) -> str:
    """The body."""
    pieces, position = [], 0
    for apart in _APART.finditer(letter):
        pieces += [_quiet(letter[position : apart.start()]), _kept(apart[0])]
        position = apart.end()
    return with_unsubscribe("".join([*pieces, _quiet(letter[position:])]), WAY_OUT)


def _quiet(html: str) -> str:
    """Text and attributes, the same to every reader of HTML."""
    return html.replace("{", "&#123;").replace(_TRACK, "&#64;TrackLink")


def _kept(apart: str) -> str:
    """A style sheet as it is; a comment that Outlook reads (``<!--[if mso]>``) as what a template may say; others are for nobody."""
    apart = re.sub(r"\{(?=\{)", "{ ", apart).replace(_TRACK, "@ TrackLink")
    if not apart.startswith("<!--"):
        return apart
    # Escapes of JSON are escapes of Go: https://go.dev/ref/spec#String_literals
    return f"{{{{ Safe {json.dumps(apart, ensure_ascii=False)} }}}}" if "[" in apart else ""
