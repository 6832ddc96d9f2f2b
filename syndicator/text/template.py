"""A route's own template: Jinja in a sandbox, with few words and fewer filters; what it is given is plain text.

``{{ text }}`` gives way where the whole does not fit, the template's own words never do. Jinja is loaded only where a template is set.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import regex

from syndicator.contract import Limits
from syndicator.errors import Words, words
from syndicator.text.clean import clean
from syndicator.text.compose import Composed
from syndicator.text.count import graphemes
from syndicator.text.linked import EMPTY, Linked
from syndicator.text.listing import Listed
from syndicator.text.measure import holds
from syndicator.text.shorten import ELLIPSIS, shorten, shortened
from syndicator.text.split import split
from syndicator.text.wording import Was

if TYPE_CHECKING:
    from jinja2 import Environment, Template

FILTERS = ("default", "first", "join", "last", "length", "lower", "replace", "trim", "upper")
_MARK = "\uf8ff"
_MANY_LINES = regex.compile(r"\n[^\S\n]*\n\s*\n")
_TRAILING_BLANKS = regex.compile(r"[^\S\n]+$", regex.MULTILINE)
_TRIES = 14
_FAULTS = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RecursionError)
"""What a template that asks too much of its values raises, beside Jinja's own errors."""


@dataclass(frozen=True, kw_only=True)
class Values:
    """What a template may use, as plain text; empty where the item has none."""

    title: str = ""
    """An event's says what happened to it ("ANNULÉ : …")."""
    text: str = ""
    """The body, or the excerpt of an article, a video's description or an event's; with a poll's options or the post quoted."""
    url: str = ""
    """The way home, with its campaign parameters."""
    when: str = ""
    """When an event takes place or a live begins."""
    place: str = ""
    price: str = ""
    tags: tuple[str, ...] = ()
    """Without #."""
    hashtags: str = ""
    """The same as a line of hashtags, no more than the network likes."""
    warning: str = ""
    """The content warning. A template that does not use it gets it in front, where the network has no field for it."""
    author: str = ""
    """The display name; an event's organizer."""
    source: str = ""
    """The source's name in the configuration."""
    kind: str = ""
    """``event``, ``note``, ``article``, ``video``, ``live``, ``image`` or ``audio``."""
    language: str = ""
    """Of our own words: ``fr`` or ``en``."""
    association: str = ""
    """Its name."""
    before: Was = field(default_factory=Was)
    """For a notice: ``before.title``, ``before.when`` and ``before.place``, as readers were told last; empty where it still is so."""
    offset: str = ""
    """For a reminder: how long it is until the event, such as "Demain"."""
    events: tuple[Listed, ...] = ()
    """For a recap: its events, each with ``title``, ``day``, ``hour``, ``when``, ``place`` and ``url``."""


_EXAMPLE = Values(
    title="Atelier vélo", text="Venez réparer votre vélo.", url="https://social.example/@asso/1",
    when="samedi 5 décembre 2026 à 20h30", place="La Maison, Brest", price="5 €", tags=("vélo",), hashtags="#vélo", warning="bruit",
    author="Asso", source="toots", kind="note", language="fr", association="Asso",
    before=Was(title="Atelier", when="vendredi 4 décembre 2026 à 20h30", place="Le Port, Brest"), offset="Demain",
    events=(Listed(title="Atelier vélo", day="samedi 5 décembre", hour="20h30", when="samedi 5 décembre 2026 à 20h30",
                   place="La Maison, Brest", url="https://mobilizon.example/events/1"),),
)  # fmt: skip


def template_problem(template: str) -> Words | None:
    """Why nobody could use ``template``; None when it is sound."""
    from jinja2 import TemplateError, TemplateSyntaxError, meta

    try:
        unknown = meta.find_undeclared_variables(_environment().parse(template)) - asdict(_EXAMPLE).keys()
        if unknown:
            return _unknown(min(unknown))
        for values in (_EXAMPLE, Values()):
            _written(_compiled(template), values)
    except TemplateSyntaxError as error:
        return words(
            fr=f"Le modèle n'est pas écrit comme il faut, à sa ligne {error.lineno} : {error.message}",
            en=f"The template is not well written, on its line {error.lineno}: {error.message}",
        )
    except (TemplateError, *_FAULTS) as error:
        return words(fr=f"Le modèle ne peut pas servir : {error}", en=f"The template cannot be used: {error}")
    return None


@functools.lru_cache(maxsize=256)
def uses(template: str, name: str) -> bool:
    """Whether ``template`` says ``name``; one that cannot be read says nothing."""
    from jinja2 import TemplateError, meta

    try:
        return name in meta.find_undeclared_variables(_environment().parse(template))
    except TemplateError:
        return False


def fill(
    template: str, values: Values, text: Linked, limits: Limits, *, first: Limits | None = None, thread: bool = False, opening: str = ""
) -> Composed | None:
    """What the template makes of ``values`` and ``text``, within ``limits``; None when even its own words do not fit, or it fails.

    ``first`` are the limits of the first or only part; ``opening`` stands before every part.
    """
    first = first or limits
    head = Linked(f"{opening}\n\n" if opening else "")
    around = _around(template, values, text)
    whole = _filled(template, values, text, around)
    if whole is None:
        return None
    if holds(head + whole, first):
        return Composed(parts=(head + whole,))
    if thread:
        parts = split(whole, limits, first=first, opening=head)
        if parts is not None:
            return Composed(parts=tuple(parts), notes=("thread",))
    cut = _cut_between(head, text, around, first) if around is not None else _cut_by_trying(template, values, text, head, first)
    return None if cut is None else Composed(parts=(cut,), notes=("shortened",))


def _around(template: str, values: Values, text: Linked) -> tuple[Linked, Linked] | None:
    """The template's own words before and after the text, when the text stands in it once and as it is."""
    marked, real = _try(template, values, _MARK), _try(template, values, text.text)
    if marked is None or real is None or marked.count(_MARK) != 1:
        return None
    before, _, after = marked.partition(_MARK)
    return (Linked(before), Linked(after)) if before + text.text + after == real else None


def _filled(template: str, values: Values, text: Linked, around: tuple[Linked, Linked] | None) -> Linked | None:
    if around is not None:
        return _tidy(around[0] + text + around[1])
    written = _try(template, values, _spelt(text))
    return None if written is None else _tidy(Linked(written))


def _cut_between(head: Linked, text: Linked, around: tuple[Linked, Linked], limits: Limits) -> Linked | None:
    """The text shortened, the words around it whole."""
    before, after = _tidy(head + around[0] + Linked(_MARK)), _tidy(Linked(_MARK) + around[1])
    before, after = before.between(0, len(before.text) - 1), after.between(1)
    cut = shortened(before + text, limits, tail=after)
    body = cut.text[len(before.text) : len(cut.text) - len(after.text)].removesuffix(ELLIPSIS).strip()
    return cut if cut.text.startswith(before.text) and cut.text.endswith(after.text) and body else None


def _cut_by_trying(template: str, values: Values, text: Linked, head: Linked, limits: Limits) -> Linked | None:
    """For a template that does something to the text, or says it twice: the most of it that fits, found by halving."""
    said, best = _spelt(text), None
    low, high = 0, min(len(graphemes(said)), 2 * (limits.text_max or limits.bytes_max or 1))
    for _ in range(_TRIES):
        middle = (low + high) // 2
        written = _try(template, values, shorten(said, Limits(text_max=middle, text_unit="graphemes")) if middle else "")
        made = EMPTY if written is None else head + _tidy(Linked(written))
        if made and holds(made, limits):
            best, low = made, middle + 1
        else:
            high = middle
        if low >= high:
            break
    return best


def _spelt(text: Linked) -> str:
    """With the addresses of its links, for a template that leaves no trace of where the words stand."""
    return text.replaced((span.end, span.end, f" ({span.url})") for span in text.spans).text


def _tidy(text: Linked) -> Linked:
    """Without the holes that empty values leave."""
    return text.cleaned().without(_TRAILING_BLANKS).without(_MANY_LINES, "\n\n").stripped()


def _try(template: str, values: Values, text: str) -> str | None:
    from jinja2 import TemplateError

    try:
        return _written(_compiled(template), values, text)
    except (TemplateError, *_FAULTS):
        return None


def _written(compiled: Template, values: Values, text: str | None = None) -> str:
    given: Mapping[str, object] = vars(values) if text is None else {**vars(values), "text": text}
    return clean(compiled.render(given))


@functools.lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


@functools.cache
def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import SandboxedEnvironment

    class Narrow(SandboxedEnvironment):
        """Neither numbers nor texts can be blown up."""

        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(self, context: object, operator: str, left: object, right: object) -> object:  # noqa: ARG002 - Jinja's signature
            raise SecurityError(f"{operator} is not for templates")

    environment = Narrow(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


def _unknown(name: str) -> Words:
    from difflib import get_close_matches

    known: Sequence[str] = sorted(asdict(_EXAMPLE))
    close = get_close_matches(name, known, n=1)
    fr = f"peut-être {{{{ {close[0]} }}}} ?" if close else f"il y a : {', '.join(known)}."
    en = f"perhaps {{{{ {close[0]} }}}}?" if close else f"there are: {', '.join(known)}."
    return words(fr=f"Le modèle ne connaît pas {{{{ {name} }}}} : {fr}", en=f"The template knows no {{{{ {name} }}}}: {en}")
