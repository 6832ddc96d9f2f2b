"""A route's own template: what it may do, what it is told when it cannot, and that its words are never cut."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.config import load
from syndicator.contract import Limits
from syndicator.errors import ConfigError
from syndicator.model import Span
from syndicator.text.compose import Composed
from syndicator.text.count import fits
from syndicator.text.linked import Linked
from syndicator.text.template import Values, fill, template_problem, uses

SIXTY = Limits(text_max=60)
VALUES = Values(title="Atelier", url="https://ex.org/1", tags=("vélo", "Brest"), kind="event")


@pytest.mark.parametrize(
    "template",
    [
        "{{ text }}",
        "{{ title|upper }} : {{ text }} {{ url }}",
        "{% if when %}{{ when }}, {{ place }}{% else %}{{ kind }}{% endif %}",
        "{% for tag in tags %}#{{ tag|lower|replace(' ', '') }} {% endfor %}",
        "{{ tags|join(', ') }} {{ author|default(association, true)|trim }} {{ text|length }} {{ tags|first|default('') }}",
    ],
)
def test_sound_templates(template: str) -> None:
    """What people write."""
    assert template_problem(template) is None


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ titre }}", "ne connaît pas {{ titre }} : peut-être {{ title }} ?"),
        ("{{ xyz }}", "ne connaît pas {{ xyz }} : il y a : association, author, before"),
        ("{{ text", "n'est pas écrit comme il faut, à sa ligne 1"),
        ("{{ text }}\n{% if %}", "à sa ligne 2"),
        ("{{ text|b64encode }}", "No filter named 'b64encode'"),
        ("{{ tags[0] }}", "ne peut pas servir : tuple object has no element 0"),
        ("{{ title.nom }}", "ne peut pas servir"),
        ("{{ text.__class__ }}", "unsafe"),
        ("{% for a in range(9) %}{% endfor %}", "ne connaît pas {{ range }}"),
        ("{{ 'a' * 9 }}", "* is not for templates"),
        ("{% include 'a' %}", "ne peut pas servir"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_unsound_templates_say_what_is_wrong(template: str, said: str) -> None:
    """Before anything is sent: an unknown name, a slip of the pen, what is not for templates."""
    problem = template_problem(template)
    assert problem is not None
    assert said in problem["fr"]
    assert problem["en"] != problem["fr"]


def test_check_names_the_line_of_a_template(tmp_path: Path) -> None:
    """A template, a language and a footer that nobody could use are told when the configuration is read."""
    path = tmp_path / "asso.toml"
    path.write_text(
        '[association]\nname = "Asso"\n[sources.f]\ntype = "feed"\nurl = "https://ex.org/f"\n[destinations.c]\ntype = "ical"\n'
        '[routes.tout]\ntemplate = "{{ titre }}"\nlanguage = "français"\nfooter_every = 0\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load(path, environ={"STATE_DIRECTORY": str(tmp_path)})

    told = [(problem.line, problem.key, problem.text) for problem in raised.value.problems]
    assert told == [
        (9, "routes.tout.template", "Le modèle ne connaît pas {{ titre }} : peut-être {{ title }} ?"),
        (10, "routes.tout.language", '"français" n\'est pas un code de langue comme "fr", "en" ou "pt-BR".'),
        (11, "routes.tout.footer_every", "Un nombre entier à partir de 1 : 1 pour chaque message."),
    ]


def test_jinja_is_loaded_for_those_who_use_it() -> None:
    """A daemon without templates does not carry it."""
    program = (
        "import sys; from syndicator.contract import Association, Limits; from syndicator.render import render;"
        "from syndicator.route import Style; from syndicator.testing import make_event;"
        "run = lambda style: render(make_event(), Limits(), style, association=Association(name='A'));"
        "run(Style()); before = 'jinja2' in sys.modules; run(Style(template='{{ title }}')); print([before, 'jinja2' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == [False, True]


def test_holes_of_empty_values_close() -> None:
    """Neither blank lines nor blanks at the ends of lines stay."""
    made = fill("{{ title }}  \n\n{{ when }}\n\n{{ place }}\n\n\n{{ text }}\n", VALUES, Linked("Boum"), SIXTY)
    assert made == Composed(parts=(Linked("Atelier\n\nBoum"),))


def test_the_words_of_links_are_found_again() -> None:
    """Behind the template's own words; spelt out where the template changes the text."""
    text = Linked("Voir ici", (Span(start=5, end=8, url="https://a.fr"),))
    assert fill("ici : {{ text }}", VALUES, text, SIXTY) == Composed(
        parts=(Linked("ici : Voir ici", (Span(start=11, end=14, url="https://a.fr"),)),)
    )
    assert fill("{{ text|upper }}", VALUES, text, SIXTY) == Composed(parts=(Linked("VOIR ICI (HTTPS://A.FR)"),))
    assert fill("{{ text }} / {{ text }}", VALUES, text, SIXTY) == Composed(
        parts=(Linked("Voir ici (https://a.fr) / Voir ici (https://a.fr)"),)
    )


def test_a_long_text_may_become_a_thread() -> None:
    """The whole is told in parts, each opened by the warning."""
    made = fill("Ici : {{ text }}", VALUES, Linked("Une phrase. " * 8), SIXTY, thread=True, opening="⚠ bruit")
    assert made is not None
    assert len(made.parts) > 1
    assert all(part.text.startswith("⚠ bruit\n\n") and fits(part.text, SIXTY) for part in made.parts)
    assert made.notes == ("thread",)


def test_what_a_template_says_is_known() -> None:
    """A template that says the warning needs no other; one that cannot be read says nothing."""
    assert [uses("{{ warning|upper }} {{ text }}", name) for name in ("warning", "url")] == [True, False]
    assert not uses("{{ text", "text")


OWN = {
    "{{ text }}": (),
    "A {{ text }} Z": ("A", "Z"),
    "{{ text }}\n\n{{ url }}": ("https://ex.org/1",),
    "Ha {{ text }} {{ text }}": ("Ha",),
    "{{ text|upper }}!": ("!",),
    "{% if text %}{{ text }}{% endif %}; fin": ("; fin",),
}
"""Templates, and what of them is their own."""
TEXTS = st.lists(st.sampled_from(["mot", "https://ex.org/a", "#tag", "👨‍👩‍👧‍👦", "\n"]), min_size=1, max_size=60).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(template=st.sampled_from(list(OWN)), text=TEXTS, limit=st.integers(1, 80))
def test_it_always_fits_and_its_own_words_are_whole(template: str, text: str, limit: int) -> None:
    """Whatever the text; where even its own words do not fit with some of it, nothing is made of it."""
    limits = replace(SIXTY, text_max=limit)
    made = fill(template, VALUES, Linked(text), limits)
    if made is not None:
        assert all(fits(part.text, limits) for part in made.parts)
        assert all(piece in made.parts[0].text for piece in OWN[template])
    assert made is not None or limit < 60 or not text.strip()
