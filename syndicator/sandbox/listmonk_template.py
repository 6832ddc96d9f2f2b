"""Go templates as listmonk reads them: enough of ``text/template`` and ``html/template`` to see what would be executed.

After https://pkg.go.dev/text/template, https://pkg.go.dev/html/template and listmonk's ``models`` (the shorthands that it replaces first).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

# models/common.go, regTplFuncs: in this order, on the whole text, before anything is parsed.
_SHORTHANDS = (
    (re.compile(r'\{\{\s*TrackLink\s+"([^"]+)"\s*\}\}'), r'{{ TrackLink "\1" . }}'),
    (re.compile(r"(https?://[^\s\"<>]*?)@TrackLink"), r'{{ TrackLink "\1" . }}'),
    (re.compile(r"\{\{(\s+)?(TrackView|UnsubscribeURL|ManageURL|OptinURL|MessageURL)(\s+)?\}\}"), r"{{ \2 . }}"),
)
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_LINK = re.compile(r"(TrackView|UnsubscribeURL|ManageURL|OptinURL|MessageURL|ArchiveURL) \.")
_TRACK = re.compile(rf"TrackLink ({_STRING}) \.")
_FIELD = re.compile(r"\.(Subscriber|Campaign)\.(\w+)")
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_TAG = re.compile(r"""<(?:[a-zA-Z/!](?:[^<>"']|"[^"]*"|'[^']*')*>)""")
_ELEMENT = re.compile(r"<(style|script|title|textarea)\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)


class TemplateError(Exception):
    """What Go would say of the template."""


@dataclass(kw_only=True)
class Rendered:
    """A text after its template was executed."""

    text: str
    executed: list[str] = field(default_factory=list)
    """The actions that said something of the reader or of the campaign, or followed a link."""


def render(source: str, address: str, *, html: bool) -> Rendered:
    """Execute it for the reader whose way out is ``address``. Raises TemplateError."""
    rendered = Rendered(text="")
    said: list[str] = []
    literal = ""
    for kind, part in _parts(source):
        if kind == "literal":
            literal += part
            continue
        literal += f"\0{len(said)}\0"
        said.append(_execute(part, address, rendered.executed, html=html))
    if html:
        literal = _COMMENT.sub("", literal)
        _refuse_unfinished(literal)
    rendered.text = re.sub("\0(\\d+)\0", lambda match: said[int(match[1])], literal)
    return rendered


def check(source: str) -> None:
    """Parse it, as it is done when a campaign is made. Raises TemplateError."""
    for kind, part in _parts(source):
        if kind == "action":
            _execute(part, "", [], html=True)


def is_template(text: str) -> bool:
    """``HasTplExpr``."""
    return "}}" in text.partition("{{")[2]


def _parts(source: str) -> Iterator[tuple[str, str]]:
    for pattern, replacement in _SHORTHANDS:
        source = pattern.sub(replacement, source)
    position = 0
    while (start := source.find("{{", position)) >= 0:
        yield "literal", source[position:start]
        action = re.compile(rf"(?:{_STRING}|`[^`]*`|(?!\}}\}})[^\"`])*").match(source, start + 2)
        end = action.end() if action else start + 2
        if source[end : end + 2] != "}}":
            raise TemplateError("unclosed action")
        yield "action", source[start + 2 : end].strip()
        position = end + 2
    yield "literal", source[position:]


def _execute(action: str, address: str, executed: list[str], *, html: bool) -> str:
    if re.fullmatch(_STRING, action):
        text = _string(action)
        return escape(text) if html else text
    if (safe := re.fullmatch(rf"Safe ({_STRING})", action)) is not None:
        return _string(safe[1])
    if action == "UnsubscribeURL .":
        return address
    if _LINK.fullmatch(action) or _TRACK.fullmatch(action) or _FIELD.fullmatch(action):
        executed.append(action)
        return f"[{action}]"
    raise TemplateError(f"function not defined, or not understood here: {action[:60]}")


def _string(literal: str) -> str:
    """An interpreted string of Go, of the escapes that JSON has too."""
    try:
        return str(json.loads(literal))
    except ValueError as error:
        raise TemplateError(f"bad string: {literal[:60]}") from error


def _refuse_unfinished(literal: str) -> None:
    """``html/template`` sends nothing that ends inside a tag or an element that holds no markup."""
    rest = _TAG.sub("", _ELEMENT.sub("", literal))
    if re.search(r"<[a-zA-Z/!]", rest) or re.search(r"<(style|script|title|textarea)\b", _ELEMENT.sub("", literal), re.IGNORECASE):
        raise TemplateError("ends in a non-text context")
