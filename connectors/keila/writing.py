"""A letter as Keila's campaigns are written: Liquid templates, in which nothing of ours but the way out is executed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from syndicator.text.way_out import with_unsubscribe

WAY_OUT = "{{ unsubscribe_link }}"
OUR_KEY, OUR_SUBJECT = "syndicator", "subject"

_APART = re.compile(r"<!--.*?-->|<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_LIQUID = re.compile(r"\{(?=[{%])")


def subject_of(title: str) -> tuple[str, Mapping[str, str]]:
    """One line of plain text, and what the campaign's data must hold for it: what Liquid reads there, it does not read as Liquid."""
    line = "".join(char for char in " ".join(title.split()) if char.isprintable())
    return (f"{{{{ campaign.data.{OUR_SUBJECT} }}}}", {OUR_SUBJECT: line}) if _LIQUID.search(line) else (line, {})


def html_of(letter: str) -> str:
    """The body."""
    pieces, position = [], 0
    for apart in _APART.finditer(letter):
        # Text and attributes say a brace in another way; style sheets and what Outlook reads in comments do with a space.
        pieces += [letter[position : apart.start()].replace("{", "&#123;"), _LIQUID.sub("{ ", apart[0])]
        position = apart.end()
    return with_unsubscribe("".join([*pieces, letter[position:].replace("{", "&#123;")]), WAY_OUT)
