"""``[newsletters.NAME]``: right values from a right file; of a wrong one, every problem with its key and line, in French and in English."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from syndicator.config import Config, load
from syndicator.config.newsletters import NewsletterKeys, SectionKeys
from syndicator.errors import ConfigError
from syndicator.letter.newsletter import USUAL, Newsletter, Wanted
from syndicator.letter.schedule import parse
from tests.test_docs import BLOCKS, untrue

HEAD = """[association]
name = "Les Amis du Vélo"
language = "{language}"
[sources.toots]
type = "mastodon"
account = "https://social.example/@velo"
[sources.agenda]
type = "mobilizon"
url = "https://mobilizon.example"
groups = ["velo"]
[destinations.poste]
type = "mail"
host = "mail.example"
sender = "lettre@velo.example"
readers = "readers.txt"
[destinations.page]
type = "website"
{more}[routes.tout]
destinations = ["page"]
[newsletters.lettre]
"""
SEND = 'when = "chaque lundi à 9h"\ndestinations = ["poste", "page"]\n'
ALERTS = '[alerts]\nto = ["a@velo.example"]\nsmtp = "smtps://u:p@mail.example:465"\nfrom = "b@velo.example"\n'
WEB = '[web]\npublic_url = "https://velo.example/"\n'


def read(folder: Path, keys: str, *, language: str = "fr", more: str = "") -> Config:
    """The configuration with these keys in its newsletter."""
    path = folder / "velo.toml"
    path.write_text(HEAD.format(language=language, more=more) + keys, encoding="utf-8")
    path.chmod(0o600)
    return load(path, environ={"STATE_DIRECTORY": str(folder / "state")})


def problems(folder: Path, keys: str, *, language: str = "fr", more: str = "") -> list[tuple[str, int, str]]:
    """(key, line below the section's heading, text) of all that is wrong."""
    before = len(HEAD.format(language=language, more=more).splitlines())
    with pytest.raises(ConfigError) as wrong:
        read(folder, keys, language=language, more=more)
    assert all(problem.line is not None for problem in wrong.value.problems)
    return [(problem.key, (problem.line or 0) - before, problem.text) for problem in wrong.value.problems]


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    """A rhythm and a way out; the rest is as most want it."""
    assert dict(read(tmp_path, SEND).newsletters) == {
        "lettre": Newsletter(
            name="lettre",
            schedule=parse("chaque lundi à 9h"),
            title="Les Amis du Vélo",
            sources=("toots", "agenda"),
            destinations=("poste", "page"),
            sections=USUAL,
            language="fr",
        )
    }


def test_everything(tmp_path: Path) -> None:
    """Each key reaches its field; paths begin at the file's folder."""
    keys = """when = "every second monday at 9:00"
destinations = ["poste"]
title = "La lettre"
sources = ["toots"]
starts = "2026-12-07"
at_least = 3
sections = [{ title = "À voir", kinds = ["video", "live"], tags = ["velo"], sources = ["toots"], within = "10d", most = 4 }]
editorial_tag = "edito"
editorial_file = "edito.txt"
language = "en"
review = "claire@velo.example"
review_before = "2d"
unanswered = "wait"
template = "lettre.mjml"
"""
    wanted = Wanted(title="À voir", kinds=("video", "live"), tags=("velo",), sources=("toots",), within=timedelta(days=10), most=4)
    assert read(tmp_path, keys, more=ALERTS + WEB).newsletters["lettre"] == Newsletter(
        name="lettre",
        schedule=parse("un lundi sur deux à 9h"),
        title="La lettre",
        sources=("toots",),
        destinations=("poste",),
        starts=date(2026, 12, 7),
        at_least=3,
        sections=(wanted,),
        editorial_tag="edito",
        editorial_file=tmp_path / "edito.txt",
        language="en",
        review="claire@velo.example",
        review_before=timedelta(days=2),
        unanswered="wait",
        template=tmp_path / "lettre.mjml",
    )


@pytest.mark.parametrize(
    ("keys", "key", "line", "fr", "en"),
    [
        ('when = "de temps en temps"\ndestinations = ["poste"]', "when", 1, "« de temps en temps » n'est pas un rythme", "is not a rhythm"),
        ('when = "chaque lundi à 25h"\ndestinations = ["poste"]', "when", 1, "« chaque lundi à 9h »", "every monday at 9:00"),
        ('when = "chaque lundi"\ndestinations = ["poste"]', "when", 1, "n'est pas un rythme", "is not a rhythm"),
        ('when = "chaque jour à 9h"\ndestinations = []', "destinations", 2, "liste vide", "empty list"),
        ('when = "chaque jour à 9h"\ndestinations = ["post"]', "destinations[0]", 2, "Vouliez-vous dire « poste »", '"poste"'),
        (SEND.replace('"page"', '"poste"'), "destinations[1]", 2, "y est deux fois", "twice"),
        ('destinations = ["poste"]', "when", 0, "il manque la clé « when »", '"when"'),
        (SEND + 'titre = "x"', "titre", 3, "Vouliez-vous dire « title »", '"title"'),
        (SEND + "at_least = 0", "at_least", 3, "à partir de 1", "from 1 on"),
        (SEND + 'at_least = "deux"', "at_least", 3, "un nombre entier", "whole number"),
        (SEND + 'sources = ["toot"]', "sources[0]", 3, "Vouliez-vous dire « toots »", '"toots"'),
        (SEND + 'sources = ["toots", "toots"]', "sources[1]", 3, "y est deux fois", "twice"),
        (SEND + 'starts = "2026-12-07"', "starts", 3, "n'a d'effet que pour", "every second monday"),
        (SEND.replace("chaque lundi", "un lundi sur deux") + 'starts = "7 décembre"', "starts", 3, "2026-12-07", "2026-12-07"),
        (SEND.replace("chaque lundi", "un lundi sur deux") + 'starts = "2026-02-30"', "starts", 3, "2026-12-07", "2026-12-07"),
        (SEND + 'language = "français"', "language", 3, "code de langue", "language code"),
        (SEND + 'sections = [{ kinds = [] }]', "sections[0].kinds", 3, "ne montre rien", "shows nothing"),
        (SEND + 'sections = [{ kinds = ["event", "note"] }]', "sections[0].kinds", 3, "faites-en deux", "make two of it"),
        (SEND + 'sections = [{ kinds = ["evnet"] }]', "sections[0].kinds[0]", 3, "Vouliez-vous dire « event »", '"event"'),
        (SEND + "sections = [{ most = 0 }]", "sections[0].most", 3, "à partir de 1", "from 1 on"),
        (SEND + 'sections = [{ within = "0d" }]', "sections[0].within", 3, "45d", "45d"),
        (SEND + 'sections = [{ sources = ["agend"] }]', "sections[0].sources[0]", 3, "Vouliez-vous dire « agenda »", '"agenda"'),
        (SEND + 'sources = ["toots"]\nsections = [{ sources = ["agenda"] }]', "sections[0].sources[0]", 4, "parmi celles", "among those"),
        (SEND + 'sections = "tout"', "sections", 3, "une liste entre crochets", "list"),
        (SEND + 'unanswered = "drop"', "unanswered", 3, "send", "send"),
        (SEND + 'review_before = "bientôt"', "review_before", 3, "une durée", "duration"),
        (SEND + 'review_before = "0h"', "review_before", 3, "plus longue que rien", "longer than nothing"),
        (SEND + "template = 3", "template", 3, "le chemin d'un fichier", "path"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_clear_line(tmp_path: Path, keys: str, key: str, line: int, fr: str, en: str) -> None:
    """Its key, its line, what is wrong and what to write."""
    for language, words in (("fr", fr), ("en", en)):
        ((found, below, text),) = problems(tmp_path, keys + "\n", language=language)
        assert (found, below) == (f"newsletters.lettre.{key}", line)
        assert words in text


@pytest.mark.parametrize(("more", "fr", "en"), [
    (WEB, "une section [alerts]", "an [alerts] section"),
    (ALERTS, "une section [web] avec public_url", "a [web] section with public_url"),
    (ALERTS + "[web]\n", "une section [web] avec public_url", "a [web] section with public_url"),
])  # fmt: skip
def test_whoever_reads_first_must_be_reached(tmp_path: Path, more: str, fr: str, en: str) -> None:
    """A mail needs a server, an answer needs a page."""
    for language, words in (("fr", fr), ("en", en)):
        ((key, line, text),) = problems(tmp_path, SEND + 'review = "claire@velo.example"\n', more=more, language=language)
        assert (key, line) == ("newsletters.lettre.review", 3)
        assert words in text


@pytest.mark.parametrize(("when", "before"), [("chaque jour à 9h", "25h"), ("chaque lundi à 9h", "8d"), ("le premier du mois à 9h", "29d")])
def test_a_reader_is_not_asked_before_the_issue_before(tmp_path: Path, when: str, before: str) -> None:
    """No more time than lies between two issues."""
    keys = f'when = "{when}"\ndestinations = ["poste"]\nreview = "claire@velo.example"\nreview_before = "{before}"\n'
    ((key, line, text),) = problems(tmp_path, keys, more=ALERTS + WEB)
    assert (key, line) == ("newsletters.lettre.review_before", 4)
    assert "entre deux numéros" in text


def test_a_mail_address_is_one(tmp_path: Path) -> None:
    """Not a name."""
    ((key, _, text),) = problems(tmp_path, SEND + 'review = "Claire"\n', more=ALERTS + WEB)
    assert (key, text) == ("newsletters.lettre.review", "Une adresse de courriel.")


def test_a_destination_that_carries_no_letter(tmp_path: Path) -> None:
    """It is said in the newsletter; what is wrong with a destination itself is said once, where it stands."""
    secrets = "".join(f'{key} = "x"\n' for key in ("client_id", "client_secret", "refresh_token"))
    youtube = f'[destinations.chaine]\ntype = "youtube"\n{secrets}'
    found = problems(tmp_path, SEND.replace('"page"', '"chaine"'), more=youtube)
    assert found == [("newsletters.lettre.destinations[1]", 2, "Cette destination ne porte pas de lettre d'information.")]
    broken = '[destinations.chaine]\ntype = "mial"\n'
    assert [key for key, _, _ in problems(tmp_path, SEND.replace('"page"', '"chaine"'), more=broken)] == ["destinations.chaine.type"]


def test_names_and_shapes(tmp_path: Path) -> None:
    """A name for files and addresses; a table."""
    named = problems(tmp_path, SEND + '[newsletters."La lettre"]\n' + SEND)
    assert [key for key, _, _ in named] == ["newsletters.La lettre"]
    assert [key for key, _, _ in problems(tmp_path, SEND + "[newsletters]\nautre = 3\n")] == ["newsletters.autre"]


def test_several_at_once(tmp_path: Path) -> None:
    """All that is wrong, in the order of the file."""
    found = problems(tmp_path, 'when = "x"\ndestinations = ["post"]\nat_least = 0\n')
    assert [(key, line) for key, line, _ in found] == [
        ("newsletters.lettre.when", 1), ("newsletters.lettre.destinations[0]", 2), ("newsletters.lettre.at_least", 3),
    ]  # fmt: skip


def test_views_are_rebuilt_when_a_newsletter_changes(tmp_path: Path) -> None:
    """Its title is shown; its day may be any."""
    first = read(tmp_path, SEND)
    assert read(tmp_path, SEND + 'title = "Le vélo"\n').digest != first.digest
    assert read(tmp_path, SEND).digest == first.digest


def test_every_key_is_in_the_example(tmp_path: Path) -> None:
    """Each with a comment above it, at its default; those of sections are named there."""
    block = replace(BLOCKS["newsletters.lettre"])
    complaints = untrue(NewsletterKeys, block, tmp_path)
    assert [one for one in complaints if not one.startswith(("starts", "sections"))] == []
    assert all(each.name in block.options["sections"].toml or each.name in ("title", "tags", "sources") for each in fields(SectionKeys))


def test_a_newsletter_alone_needs_no_route(tmp_path: Path) -> None:
    """It says itself what it tells and where it goes; an empty table of routes is a mistake all the same."""
    text = HEAD.format(language="fr", more="") + SEND
    path = tmp_path / "velo.toml"
    path.touch(mode=0o600)
    path.write_text(text.replace('[routes.tout]\ndestinations = ["page"]\n', ""), encoding="utf-8")
    config = load(path, environ={"STATE_DIRECTORY": str(tmp_path / "state")})
    assert (dict(config.routes), list(config.newsletters)) == ({}, ["lettre"])

    path.write_text("routes = {}\n" + text.replace('[routes.tout]\ndestinations = ["page"]\n', ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="aucune route"):
        load(path, environ={"STATE_DIRECTORY": str(tmp_path / "state")})
