"""The configuration: right values from a right file, every problem with its line from a wrong one, and no secret anywhere."""

from __future__ import annotations

import json
import os
import struct
import tomllib
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicator import registry
from syndicator.config import Alerts, Config, Network, Web, default_state_dir, load, load_many
from syndicator.config.lines import key_lines, line_of
from syndicator.contract import Association, Secret
from syndicator.errors import ConfigError
from syndicator.logs import clean
from syndicator.route import Filter, Pace, Route, Style

TOY = """
from __future__ import annotations
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal
from syndicator.contract import Secret
from syndicator.errors import words

class ToySource:
    @dataclass(frozen=True, kw_only=True)
    class Window:
        days: int = 7

    @dataclass(frozen=True, kw_only=True)
    class Options:
        url: str
        groups: tuple[str, ...] = ()
        window: Window | None = None
        windows: tuple[Window, ...] = ()
        ratio: float = 0.5
        deep: bool = False
        every: timedelta = timedelta(hours=1)
        folder: Path | None = None
        form: Literal["short", "long"] = "short"
        token: Secret | None = None

        def __post_init__(self) -> None:
            if self.url.endswith("/nope"):
                raise ValueError(words(fr="Cette adresse ne va pas.", en="That address will not do."))

class ToyPublisher:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        token: Secret

    async def publish(self): ...

class ToyProjection:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        file: str = "agenda.ics"

    async def project(self): ...
"""

GOOD = """
[association]
name = "Les Amis du Vélo"

[sources.agenda]
type = "toy"
url = "https://mobilizon.example/@velo"

[destinations.page]
type = "toy-page"

[destinations.compte]
type = "toy-account"
token = { credential = "compte" }

[routes.tout]
"""


@pytest.fixture(autouse=True)
def toys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three connectors of a stranger's package."""
    folder = tmp_path_factory.mktemp("toys")
    (folder / "toy_connectors.py").write_text(TOY)
    info = folder / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[syndicator.sources]\ntoy = toy_connectors:ToySource\n"
        "[syndicator.destinations]\ntoy-account = toy_connectors:ToyPublisher\ntoy-page = toy_connectors:ToyProjection\n"
    )
    monkeypatch.syspath_prepend(folder)
    registry._claims.cache_clear()
    yield
    registry._claims.cache_clear()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine with one credential and a state folder, whose language is French."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "compte").write_text("jeton-tres-secret\n")
    return {"CREDENTIALS_DIRECTORY": str(credentials), "STATE_DIRECTORY": str(tmp_path / "state")}


def write(tmp_path: Path, text: str, name: str = "velo.toml", mode: int = 0o600) -> Path:
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    return path


def problems(path: Path, environ: dict[str, str]) -> list[tuple[int | None, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ=environ)
    return [(problem.line, problem.key, problem.text) for problem in caught.value.problems]


def test_a_short_file_is_enough(tmp_path: Path, environ: dict[str, str]) -> None:
    """A name, a source, a destination and an empty route: all else has a default."""
    path = write(tmp_path, GOOD)
    config = load(path, environ=environ)

    assert config.slug == "velo"
    assert config.association == Association(name="Les Amis du Vélo")
    assert config.state_dir == tmp_path / "state" / "velo"
    assert config.public_dir == tmp_path / "state" / "velo" / "public"
    assert (config.public_url, config.web, config.network, config.alerts) == (None, None, Network(), None)
    assert config.routes == {"tout": Route(name="tout", sources=("agenda",), destinations=("page", "compte"))}
    agenda, page, compte = config.sources["agenda"], config.destinations["page"], config.destinations["compte"]
    assert (agenda.name, agenda.type, agenda.title, agenda.poll) == ("agenda", "toy", "Agenda", timedelta(minutes=5))
    assert agenda.options == agenda.connector.Options(url="https://mobilizon.example/@velo")
    assert (page.role, page.pace, compte.role, compte.pace) == ("projection", Pace(), "publisher", Pace())
    assert compte.options.token == Secret("jeton-tres-secret")


def test_every_type_of_option_is_decoded(tmp_path: Path, environ: dict[str, str]) -> None:
    """What contract.py promises to connectors' authors."""
    text = GOOD.replace(
        'url = "https://mobilizon.example/@velo"',
        """
url = "https://mobilizon.example/@velo"
title = "Nos dates"
poll = "1h30m"
groups = ["velo", "pied"]
window = { days = 31 }
windows = [{ days = 1 }, {}]
ratio = 1
deep = true
every = "1.5h"
folder = "cache"
form = "long"
token = { env = "JETON" }
""",
    )
    config = load(write(tmp_path, text), environ={**environ, "JETON": " abc-env-secret \n"})
    toy = config.sources["agenda"].connector

    assert (config.sources["agenda"].title, config.sources["agenda"].poll) == ("Nos dates", timedelta(minutes=90))
    assert config.sources["agenda"].options == toy.Options(
        url="https://mobilizon.example/@velo",
        groups=("velo", "pied"),
        window=toy.Window(days=31),
        windows=(toy.Window(days=1), toy.Window(days=7)),
        ratio=1.0,
        deep=True,
        every=timedelta(minutes=90),
        folder=tmp_path / "cache",
        form="long",
        token=Secret("abc-env-secret"),
    )
    assert type(config.sources["agenda"].options.ratio) is float


def test_everything_else_is_decoded(tmp_path: Path, environ: dict[str, str]) -> None:
    """Sections, pace and routes, all set."""
    (tmp_path / "smtp").write_text("smtps://velo:mot-de-passe@mail.example:465")
    (tmp_path / "smtp").chmod(0o600)
    text = f"""
[association]
name = "Amis"
language = "en"
timezone = "Pacific/Tahiti"
url = "https://asso.example"
contact = "velo@asso.example"
state = "etat"
public = "{tmp_path}/www"
[web]
listen = "[::1]:0"
path = "/velo"
public_url = "https://asso.example/agenda"
public_status = true
[network]
allow_private = ["Mobilizon.LAN", "192.168.1.7"]
[alerts]
to = ["a@asso.example"]
smtp = {{ file = "smtp" }}
from = "syndicator@asso.example"
[sources.agenda]
type = "toy"
url = "https://x.example"
[sources.toots]
type = "toy"
url = "https://y.example"
[destinations.compte]
type = "toy-account"
title = "Le compte"
token = {{ credential = "compte" }}
quiet_hours = "22:00-7:30"
spacing = "10m"
on_unknown = "retry"
[routes.annonces]
sources = ["agenda"]
destinations = ["compte"]
kinds = ["event", "video"]
tags = ["velo"]
exclude_tags = ["interne"]
languages = ["fr"]
keywords = ["atelier"]
exclude_keywords = ["brouillon"]
unlisted = true
boosts = false
link = "always"
content_warnings = "skip"
mentions = "name"
hashtags = "drop"
long_text = "thread"
custom_emoji = "keep"
footer = "— Les Amis"
delay = "5m"
max_age = "1d"
backfill = "2d"
edit = "ignore"
deletions = false
"""
    config = load(write(tmp_path, text), environ=environ)

    assert config.association == Association(
        name="Amis", language="en", timezone="Pacific/Tahiti", url="https://asso.example", contact="velo@asso.example"
    )
    assert (config.state_dir, config.public_dir) == (tmp_path / "etat", tmp_path / "www")
    assert config.public_url == "https://asso.example/agenda/"
    assert config.web == Web(host="::1", port=0, path="/velo/", public_status=True)
    assert config.network == Network(allow_private=frozenset({"mobilizon.lan", "192.168.1.7"}))
    assert config.alerts == Alerts(
        to=("a@asso.example",), smtp=Secret("smtps://velo:mot-de-passe@mail.example:465"), sender="syndicator@asso.example"
    )
    assert config.destinations["compte"].pace == Pace(
        quiet_from=time(22), quiet_until=time(7, 30), spacing=timedelta(minutes=10), on_unknown="retry"
    )
    assert config.routes["annonces"] == Route(
        name="annonces",
        sources=("agenda",),
        destinations=("compte",),
        filter=Filter(
            kinds=("event", "video"),
            tags=("velo",),
            exclude_tags=("interne",),
            languages=("fr",),
            keywords=("atelier",),
            exclude_keywords=("brouillon",),
            unlisted=True,
            boosts=False,
        ),
        style=Style(
            link="always",
            content_warnings="skip",
            mentions="name",
            hashtags="drop",
            long_text="thread",
            custom_emoji="keep",
            footer="— Les Amis",
        ),
        delay=timedelta(minutes=5),
        max_age=timedelta(days=1),
        backfill=timedelta(days=2),
        edit="ignore",
        deletions=False,
    )


def test_every_problem_is_told_at_once(tmp_path: Path, environ: dict[str, str]) -> None:
    """One run of ``check`` is enough to know all there is to mend, each with its line and key."""
    text = """\
[association]
nom = "Amis"
timezone = "Europe/Pariss"
url = "asso.example"
[sources.agenda]
type = "toi"
[sources.toots]
type = "toy"
ur = "https://x.example"
ratio = "half"
deep = 1
groups = "velo"
form = "lung"
every = "10 minuten"
window = { dayz = 3 }
windows = [
  { days = 1 },
  { days = "two" },
]
token = { credential = "absent" }
[destinations.page]
type = "toy-page"
quiet_hours = "22:00-07:00"
[destinations.compte]
type = "toy-account"
quiet_hours = "25:00-07:00"
[routes.tout]
sources = ["agenda", "tots"]
kinds = ["evnt"]
delay = 5
[roots]
"""
    told = problems(write(tmp_path, text), environ)

    assert [(line, key) for line, key, _ in told] == [
        (1, "association.name"),
        (2, "association.nom"),
        (3, "association.timezone"),
        (4, "association.url"),
        (6, "sources.agenda.type"),
        (7, "sources.toots.url"),
        (9, "sources.toots.ur"),
        (10, "sources.toots.ratio"),
        (11, "sources.toots.deep"),
        (12, "sources.toots.groups"),
        (13, "sources.toots.form"),
        (14, "sources.toots.every"),
        (15, "sources.toots.window.dayz"),
        (18, "sources.toots.windows[1].days"),
        (20, "sources.toots.token"),
        (23, "destinations.page.quiet_hours"),
        (24, "destinations.compte.token"),
        (26, "destinations.compte.quiet_hours"),
        (28, "routes.tout.sources[1]"),
        (29, "routes.tout.kinds[0]"),
        (30, "routes.tout.delay"),
        (31, "roots"),
    ]
    texts = {key: text for _, key, text in told}
    assert "Europe/Paris »" in texts["association.timezone"]
    assert "« toy »" in texts["sources.agenda.type"]
    assert "« url »" in texts["sources.toots.ur"]
    assert "« toots »" in texts["routes.tout.sources[1]"]
    assert "« event »" in texts["routes.tout.kinds[0]"]
    assert "« routes »" in texts["roots"]


def png(width: int, height: int, size_bytes: int = 0) -> bytes:
    """A file that opens as a PNG of this size does."""
    return (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 6, 0, 0, 0)).ljust(size_bytes, b"\0")


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(10) + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 300, 400) + bytes(12)


@pytest.mark.parametrize(("key", "value", "file", "says"), [
    ("colour", "#1f6f50", None, ""), ("colour", "#FFF000", None, ""), ("colour", "", None, ""),
    ("colour", "vert", None, "vert"), ("colour", "#fff", None, "#1f6f50"), ("colour", "javascript:1", None, "couleur"),
    ("colour", "#1f6f50\n", None, "couleur"),
    ("logo", "logo.png", png(500, 200), ""), ("logo", "logo.png", JPEG, ""),
    ("logo", "logo.png", png(4000, 4000, 2_000_000), ""), ("logo", "logo.png", png(4000, 4001), "trop grande"),
    ("logo", "logo.png", png(400, 400, 2_000_001), "trop grande"), ("logo", "logo.png", png(0, 400), "trop grande"),
    ("logo", "logo.png", None, "ne peut pas être lu"), ("logo", ".", None, "ne peut pas être lu"),
    ("logo", "logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "PNG ou JPEG"), ("logo", "logo.png", b"", "PNG ou JPEG"),
])  # fmt: skip
def test_what_pictures_are_made_with_is_checked(
    tmp_path: Path, environ: dict[str, str], key: str, value: str, file: bytes | None, says: str
) -> None:
    """A colour that is one, a logo that can be read: relative to the configuration's folder, PNG or JPEG, of modest size."""
    if file is not None:
        (tmp_path / "logo.png").write_bytes(file)
    path = write(tmp_path, GOOD.replace("[association]\n", f"[association]\n{key} = {json.dumps(value)}\n"))
    if says:
        ((line, at, text),) = problems(path, environ)
        assert (line, at) == (3, f"association.{key}")
        assert says in text
        return
    association = load(path, environ=environ).association
    assert (association.colour, association.logo) == ((value, None) if key == "colour" else ("", tmp_path / "logo.png"))


def test_a_pipe_is_not_waited_for(tmp_path: Path, environ: dict[str, str]) -> None:
    """A logo that is no ordinary file is refused without being opened."""
    os.mkfifo(tmp_path / "logo.png")
    path = write(tmp_path, GOOD.replace("[association]\n", '[association]\nlogo = "logo.png"\n'))
    assert [key for _, key, _ in problems(path, environ)] == ["association.logo"]


def test_problems_speak_the_associations_language(tmp_path: Path, environ: dict[str, str]) -> None:
    """Also when the very file that names the language is broken; a language we do not have leaves the machine's."""
    mistake = '[association]\nname = "Club"\nlanguage = "en"\n[sources.a]\n'
    broken = mistake + "x = = 2\n"

    assert "no destination" in str(problems(write(tmp_path, mistake), environ))
    assert problems(write(tmp_path, broken), environ)[0][::2] == (
        5,
        "TOML syntax error in “x = …”: the value is missing, or its quotes are.",
    )
    german = problems(write(tmp_path, mistake.replace('"en"', '"de"')), {**environ, "SYNDICATOR_LANGUAGE": "en"})
    assert "no destination" in str(german)


@pytest.mark.parametrize(("text", "line", "why"), [
    ('a = "x\n', 1, "un guillemet n'est pas refermé"),
    ('a = "x', 1, "un guillemet n'est pas refermé"),
    ("[association]\nname = 'x'\n[association]\n", 3, "écrit deux fois"),
    ('[association]\nname = "x"\nname = "y"\n', 3, "écrit deux fois"),
    ("a = { b = 1, b = 2 }", 1, "écrit deux fois"),
    ("a = [1,\n2\n", 2, "un crochet ou une accolade n'est pas refermé"),
    ("[association\n", 1, "un crochet ou une accolade n'est pas refermé"),
    ("a = 1 b = 2", 1, "quelque chose de trop après la valeur"),
    ("name = Les Amis", 1, "la valeur manque, ou ses guillemets manquent"),
    ("name =\n", 1, "la valeur manque, ou ses guillemets manquent"),
    ("name 'x'\n", 1, "il manque le signe ="),
    ('path = "C:\\Users"', 1, "doublez la barre oblique inversée"),
    ("a = 2026-02-30", 1, "(en anglais)"),
])  # fmt: skip
def test_a_syntax_error_has_its_line(tmp_path: Path, environ: dict[str, str], text: str, line: int, why: str) -> None:
    """A slip in the file's grammar is shown where it is, with what is wrong in words."""
    told = problems(write(tmp_path, text), environ)

    assert len(told) == 1
    assert told[0][0] == line
    assert "syntaxe" in told[0][2]
    assert why in told[0][2]


def test_a_syntax_error_does_not_show_the_secret_beside_it(tmp_path: Path, environ: dict[str, str]) -> None:
    """A missing quote is shown without what follows the equals sign."""
    assert "hunter22" not in str(problems(write(tmp_path, 'token = "hunter22\n'), environ))


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path, environ: dict[str, str]) -> None:
    """Byte-order mark and CRLF are no problem; another encoding is named as such, with its line."""
    path = tmp_path / "velo.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    path.chmod(0o600)
    assert load(path, environ=environ).association.name == "Les Amis du Vélo"

    path.write_bytes(GOOD.encode("latin-1"))
    assert problems(path, environ)[0][0] == 3


def test_a_missing_file_is_one_problem(tmp_path: Path, environ: dict[str, str]) -> None:
    """The path is named; there is no line."""
    assert problems(tmp_path / "absent.toml", environ) == [(None, "", f"le fichier {tmp_path / 'absent.toml'} n'existe pas.")]


def test_options_check_themselves(tmp_path: Path, environ: dict[str, str]) -> None:
    """A check that spans fields speaks in its own words, at the account's line."""
    text = GOOD.replace("@velo", "nope")
    assert problems(write(tmp_path, text), environ) == [(5, "sources.agenda", "Cette adresse ne va pas.")]


@pytest.mark.parametrize("change", [
    ('listen = "8710"', "web.listen"), ('listen = "localhost:x"', "web.listen"), ('listen = "localhost:65536"', "web.listen"),
    ('path = "velo"', "web.path"), ('path = "/../x"', "web.path"), ('public_url = "ftp://x.example"', "web.public_url"),
    ('public_url = "https://"', "web.public_url"), ('public_url = "https://x.example:port/"', "web.public_url"),
])  # fmt: skip
def test_bad_addresses_are_refused(tmp_path: Path, environ: dict[str, str], change: tuple[str, str]) -> None:
    """Each address is checked before anything listens on it."""
    assert [key for _, key, _ in problems(write(tmp_path, f"{GOOD}[web]\n{change[0]}\n"), environ)] == [change[1]]


@pytest.mark.parametrize(("section", "key"), [
    ('[network]\nallow_private = ["http://lan"]', "network.allow_private[0]"),
    ('[network]\nallow_private = ["lan:8080"]', "network.allow_private[0]"),
    ('[alerts]\nto = ["moi"]\nsmtp = "smtp://x.example"\nfrom = "a@b.example"', "alerts.to[0]"),
    ('[alerts]\nto = ["a@b.example"]\nsmtp = "https://x.example"\nfrom = "a@b.example"', "alerts.smtp"),
    ('[alerts]\nto = []\nsmtp = "smtp://x.example"\nfrom = "a@b.example"', "alerts.to"),
    ('[alerts]\nto = ["a@b.example"]\nsmtp = "smtp://x.example"', "alerts.from"),
    ('[routes.x]\nsources = ["agenda", "agenda"]', "routes.x.sources[1]"),
    ("[routes.x]\nsources = []", "routes.x.sources"),
    ('[routes.x]\nfilter = { tags = ["a"] }', "routes.x.filter"),
    ('[routes."Où"]', "routes.Où"),
    ('[sources."../etc"]\ntype = "toy"\nurl = "x"', "sources.../etc"),
    ('[sources.vite]\ntype = "toy"\nurl = "x"\npoll = "0.1s"', "sources.vite.poll"),
    ('[destinations.d]\ntype = "toy-account"\ntoken = "t"\non_unknown = "guess"', "destinations.d.on_unknown"),
    ('[destinations.d]\ntype = "toy-account"\ntoken = "t"\nquiet_hours = "07:00-07:00"', "destinations.d.quiet_hours"),
    ('[destinations.d]\ntype = "toy-account"\ntoken = "t"\nspacing = "1e9d"', "destinations.d.spacing"),
    ('[destinations.d]\ntype = "toy-account"\ntoken = "t"\nspacing = "99999999999d"', "destinations.d.spacing"),
    ("[destinations.d]\ntitle = 3", "destinations.d.type"),
    ('[sources.d]\ntype = "toy"\nurl = "x"\nfolder = "~nobody-of-that-name/x"', "sources.d.folder"),
    ('[sources.d]\ntype = "toy"\nurl = "x"\nfolder = "a\\u0000b"', "sources.d.folder"),
])  # fmt: skip
def test_bad_values_are_refused(tmp_path: Path, environ: dict[str, str], section: str, key: str) -> None:
    """Each is named by its key, alone."""
    assert [key for _, key, _ in problems(write(tmp_path, f"{GOOD}{section}\n"), environ)] == [key]


@pytest.mark.parametrize(("value", "said"), [
    ('{ file = "ouvert" }', "chmod 600"),
    ('{ file = "absent" }', "n'existe pas"),
    ('{ file = "~nobody-of-that-name/x" }', "attendu"),
    ('{ file = "vide" }', "vide"),
    ('{ file = "binaire" }', "pas du texte"),
    ('{ credential = "../compte" }', "ne convient pas"),
    ('{ credential = "absent" }', "LoadCredential"),
    ('{ env = "ABSENTE" }', "ABSENTE"),
    ('{ fil = "x" }', "attendu"),
    ('{ file = "x", env = "Y" }', "attendu"),
    ("3", "attendu"),
    ('""', "vide"),
])  # fmt: skip
def test_a_credential_that_cannot_be_had_says_why(tmp_path: Path, environ: dict[str, str], value: str, said: str) -> None:
    """What to do is in the sentence, at the line of the key."""
    for name, content, mode in (("ouvert", b"x", 0o644), ("vide", b" \n", 0o600), ("binaire", b"\xff\xfe", 0o600)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    told = problems(write(tmp_path, GOOD.replace('{ credential = "compte" }', value)), environ)

    assert [(line, key) for line, key, _ in told] == [(14, "destinations.compte.token")]
    assert said in told[0][2]


def test_a_folder_of_credentials_is_one_line_of_the_unit(tmp_path: Path, environ: dict[str, str]) -> None:
    """systemd names what it loads from a folder ``<id>_<file>``; the configuration need not know."""
    credentials = Path(environ["CREDENTIALS_DIRECTORY"])
    (credentials / "compte").rename(credentials / "secret_compte")

    assert load(write(tmp_path, GOOD), environ=environ).destinations["compte"].options.token == Secret("jeton-tres-secret")


def test_credentials_outside_systemd_say_how(tmp_path: Path) -> None:
    """Run by hand, the missing variable is named."""
    assert "CREDENTIALS_DIRECTORY" in problems(write(tmp_path, GOOD), {})[0][2]


def test_a_bare_secret_needs_a_private_file(tmp_path: Path, environ: dict[str, str]) -> None:
    """In a file that everybody may read, a secret is refused without being shown; in a private one it is taken."""
    text = GOOD.replace('{ credential = "compte" }', '"mot-de-passe-nu"')
    told = problems(write(tmp_path, text, mode=0o644), environ)

    assert "chmod 600" in told[0][2]
    assert "mot-de-passe-nu" not in str(told)
    assert load(write(tmp_path, text), environ=environ).destinations["compte"].options.token.reveal() == "mot-de-passe-nu"


@pytest.mark.parametrize("around", ["{} \n\n", "\ufeff{}\r\n", "\u200b \xa0{}\u200b\n"])
def test_what_cannot_be_seen_around_a_secret_is_no_part_of_it(tmp_path: Path, environ: dict[str, str], around: str) -> None:
    """Blanks and line ends, a byte order mark, the signs without width that web pages hide between words."""
    (Path(environ["CREDENTIALS_DIRECTORY"]) / "compte").write_bytes(around.format("jeton-copié").encode())

    assert load(write(tmp_path, GOOD), environ=environ).destinations["compte"].options.token == Secret("jeton-copié")


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'\n", "“{}”", "«\xa0{}\xa0»", "`{}`"])
def test_a_secret_in_quotes_is_told_before_a_service_refuses_it(tmp_path: Path, environ: dict[str, str], quoted: str) -> None:
    """What a shell or a configuration wants around a value has nothing to do in a file of its own."""
    (Path(environ["CREDENTIALS_DIRECTORY"]) / "compte").write_bytes(quoted.format("jeton-copié").encode())
    ((_, key, text),) = problems(write(tmp_path, GOOD), environ)

    assert (key, "entre guillemets" in text, "jeton-copié" in text) == ("destinations.compte.token", True, False)


def test_secrets_print_nowhere(tmp_path: Path, environ: dict[str, str]) -> None:
    """Neither in the configuration's repr nor in any later log line, whatever carries them."""
    config = load(write(tmp_path, GOOD), environ=environ)

    assert "jeton-tres-secret" not in repr(config)
    assert "jeton-tres-secret" not in repr(config.destinations["compte"].options)
    assert clean("GET /x?k=jeton-tres-secret") == "GET /x?k=…"


def edited(tmp_path: Path, environ: dict[str, str], old: str, new: str) -> Config:
    assert old in GOOD
    return load(write(tmp_path, GOOD.replace(old, new)), environ=environ)


def test_the_digest_follows_what_is_shown(tmp_path: Path, environ: dict[str, str]) -> None:
    """It changes with names, options and routes; not with comments, order of keys, or a renewed secret."""
    before = load(write(tmp_path, GOOD), environ=environ).digest

    assert edited(tmp_path, environ, "[routes.tout]", "# rien\n[routes.tout]").digest == before
    (Path(environ["CREDENTIALS_DIRECTORY"]) / "compte").write_text("autre-jeton-secret")
    assert load(write(tmp_path, GOOD), environ=environ).digest == before
    for old, new in [
        ("Les Amis", "Des Amis"),
        ('"toy-page"', '"toy-page"\nfile = "dates.ics"'),
        ("[routes.tout]", "[routes.tout]\nkinds = ['event']"),
        ("[sources.agenda]", "[sources.agenda]\ntitle = 'X'"),
    ]:
        assert edited(tmp_path, environ, old, new).digest != before


@pytest.mark.parametrize(("environ", "expected"), [
    ({"STATE_DIRECTORY": "/var/lib/syndicator"}, "/var/lib/syndicator/velo"),
    ({"STATE_DIRECTORY": "/var/lib/syndicator:/var/lib/other"}, "/var/lib/syndicator/velo"),
    ({"STATE_DIRECTORY": "/var/lib/syndicator/velo"}, "/var/lib/syndicator/velo"),
    ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/syndicator/velo"),
    ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/syndicator/velo"),
    ({"HOME": "/h"}, "/h/.local/state/syndicator/velo"),
])  # fmt: skip
def test_the_state_folder_has_a_usual_place(environ: dict[str, str], expected: str) -> None:
    """systemd's, else the XDG one."""
    assert default_state_dir("velo", environ) == Path(expected)


def test_private_state_is_never_below_the_public_folder(tmp_path: Path, environ: dict[str, str]) -> None:
    """Serving the folder would publish the database."""
    text = GOOD.replace("[sources.agenda]", 'state = "www/etat"\npublic = "www"\n[sources.agenda]')
    assert [key for _, key, _ in problems(write(tmp_path, text), environ)] == ["association.public"]


def test_many_associations_are_read_apart(tmp_path: Path, environ: dict[str, str]) -> None:
    """A broken file does not stop the others; each has its own state and web path."""
    folder = tmp_path / "many"
    folder.mkdir()
    for name in ("b.toml", "a.toml"):
        write(folder, GOOD + '[web]\npublic_url = "https://x.example/"\n', name)
    write(folder, "nonsense", "c.toml")
    write(folder, "nonsense", "ignored.txt")
    configs, errors = load_many(folder, environ=environ)

    assert [config.slug for config in configs] == ["a", "b"]
    assert [config.web.path for config in configs if config.web] == ["/a/", "/b/"]
    assert [error.problems[0].path for error in errors] == [str(folder / "c.toml")]


@pytest.mark.parametrize(("extra", "said"), [
    ('state = "same"\npublic = "{name}"', "state"),
    ('public = "same"', "public"),
])  # fmt: skip
def test_two_associations_never_share_a_folder(tmp_path: Path, environ: dict[str, str], extra: str, said: str) -> None:
    """The second, by name, is refused and names the first."""
    for name in ("a.toml", "b.toml"):
        write(tmp_path, GOOD.replace("[sources.agenda]", f"{extra.format(name=name)}\n[sources.agenda]"), name)
    configs, errors = load_many(tmp_path, environ=environ)

    assert [config.slug for config in configs] == ["a"]
    assert [(problem.path, said in problem.text, "a.toml" in problem.text) for problem in errors[0].problems] == [
        (str(tmp_path / "b.toml"), True, True)
    ]


def test_two_associations_never_share_an_address(tmp_path: Path, environ: dict[str, str]) -> None:
    """Same listen and same path: one would hide the other."""
    for name in ("a.toml", "b.toml"):
        write(tmp_path, f'{GOOD}[web]\npath = "/"\n', name)
    configs, errors = load_many(tmp_path, environ=environ)

    assert ([config.slug for config in configs], len(errors)) == (["a"], 1)


def test_an_empty_folder_is_a_problem(tmp_path: Path) -> None:
    """Nothing to do is more likely a mistake than a wish."""
    configs, errors = load_many(tmp_path, environ={})

    assert (configs, len(errors)) == ([], 1)


DOCUMENT = r'''
# [not.a.table]
title = "a # no comment [x]" # a comment = 3

"quoted.key" = 'c:\temp\'
dotted.key . path = 1
multi = """
fake = 1
\""" [table]
"""
literal = """
it's ""two"" quotes at the end"""""
numbers = [
  1, # one
  [2, 3],
  "four ]",
]
inline = { a = 1, b.c = [ { d = "}" } ] }
when = 1979-05-27 07:32:00

[table . "sub\u0065"]
key = true
[[array]]
x = 1
[[array]]
x = 2
[array.child]
y = 3
[[array.inner]]
z = 4
'''


def test_every_key_has_its_line() -> None:
    """Comments, strings that look like tables, nested arrays, arrays of tables, quoted and dotted keys."""
    tomllib.loads(DOCUMENT)

    assert key_lines(DOCUMENT) == {
        ("title",): 3,
        ("quoted.key",): 5,
        ("dotted",): 6,
        ("dotted", "key"): 6,
        ("dotted", "key", "path"): 6,
        ("multi",): 7,
        ("literal",): 11,
        ("numbers",): 13,
        ("numbers", 0): 14,
        ("numbers", 1): 15,
        ("numbers", 1, 0): 15,
        ("numbers", 1, 1): 15,
        ("numbers", 2): 16,
        ("inline",): 18,
        ("inline", "a"): 18,
        ("inline", "b"): 18,
        ("inline", "b", "c"): 18,
        ("inline", "b", "c", 0): 18,
        ("inline", "b", "c", 0, "d"): 18,
        ("when",): 19,
        ("table", "sube"): 21,
        ("table", "sube", "key"): 22,
        ("array",): 23,
        ("array", 0): 23,
        ("array", 0, "x"): 24,
        ("array", 1): 25,
        ("array", 1, "x"): 26,
        ("array", 1, "child"): 27,
        ("array", 1, "child", "y"): 28,
        ("array", 1, "inner"): 29,
        ("array", 1, "inner", 0): 29,
        ("array", 1, "inner", 0, "z"): 30,
    }


def test_an_unlisted_key_takes_the_line_around_it() -> None:
    """What is missing is shown where it would stand."""
    lines = key_lines("[a]\n[a.b]\nx = 1\n")

    assert line_of(lines, ("a", "b", "missing")) == 2
    assert line_of(lines, ("c",)) is None


STRINGS = st.sampled_from(['"a"', "'b'", '"""m\n[x]\n"""', "'''\n= '''", '"\\""', '""', "''"])
SCALARS = st.one_of(STRINGS, st.sampled_from(["1", "-2.5", "true", "inf", "1979-05-27", "07:32:00"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[ # c ]\n" + ",\n".join(items) + "\n]"),
    max_leaves=5,
)
NAMES = st.sampled_from(["a", "b-c", '"d e"', "'f#'", '"\\u0067"', "a1"])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6, unique_by=lambda pair: tomllib.loads(f"{pair[0]}=1").popitem()[0]))
def test_the_scanner_agrees_with_the_parser(pairs: list[tuple[str, str]]) -> None:
    """Over generated documents, exactly the parser's keys are found, each where its name stands."""
    text = "[t]\n" + "".join(f"{name} = {value} # end\n" for name, value in pairs)
    parsed: dict[str, Any] = tomllib.loads(text)["t"]
    lines = {key[1]: line for key, line in key_lines(text).items() if len(key) == 2}
    rows = text.splitlines()

    assert set(lines) == set(parsed)
    for name, _ in pairs:
        key = tomllib.loads(f"{name}=1").popitem()[0]
        assert rows[lines[key] - 1].startswith(f"{name} = ")
