"""The first hour with a network to write to: each mistake has one clear finding, the rest goes on, and it ends when it is mended."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from syndicator.sandbox.town import Town
from tests.hostile_scene import Hostile
from tests.meta_scene import Visitors
from tests.shell_scene import SIGNS_OF_A_BUG, Said, syndicator
from tests.wrong_accounts import AT, FORGIVEN, STRANGE, WRONG, Account, Wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = ("html", "500")


@dataclass(kw_only=True)
class Street:
    """An association's town, and everything that it tries to write to."""

    town: Town
    visitors: Visitors
    """What anybody sees of the association named velo."""
    folder: Path
    wrong: list[Account]
    forgiven: list[Account]

    def config(self, language: str, *, mended: bool = False, name: str = "") -> Path:
        """Every account beside a calendar that is well; mended, those that can be."""
        accounts = [*self.wrong, *self.forgiven]
        sections = "\n".join(one.section(mended=mended) for one in accounts if not (mended and "-at-" in one.name))
        path = self.folder / f"{name or language}.toml"
        path.write_text(f"""
[association]
name = "Les Amis du Vélo"
language = "{language}"
state = "{self.folder}/{name or language}"
[web]
listen = ""
public_url = "{self.visitors.url}"
[network]
allow_private = ["127.0.0.1"]
[sources.toots]
type = "mastodon"
account = "{self.town.mastodon.url}/@velo"
[destinations.calendrier]
type = "ical"
{sections}
[routes.tout]
delay = "0s"
backfill = "2h"
link = "never"
""")
        return path

    @property
    def keys(self) -> set[str]:
        """Every account that cannot work."""
        return {f"destinations.{account.name}" for account in self.wrong}

    def tidy(self, said: Said) -> Said:
        """Nothing of ours broke, and nothing secret was shown."""
        secrets = {STRANGE, STRANGE[:20]}.union(*(account.secrets for account in (*self.wrong, *self.forgiven)))
        everything = said.out + said.err
        assert [sign for sign in (*SIGNS_OF_A_BUG, *secrets) if sign in everything] == []
        return said


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    folder = tmp_path_factory.mktemp("first-hour")
    town = await Town().start()
    hostile = {way: Hostile(way) for way in WAYS}
    for server in hostile.values():
        await server.start()
    urls = {way: server.url for way, server in hostile.items()} | {"unnamed": "https://nulle-part.invalid", "open": "http://192.0.2.1"}
    table = WRONG | {
        f"{network}-at-{way}": Wrong(network=network, options={key: url}, fr="", en="")
        for network, key in AT.items()
        for way, url in urls.items()
        if (network, way) != ("matrix", "open")
    }
    visitors = await Visitors(folder / "velo" / "public").__aenter__()
    street = Street(
        town=town,
        visitors=visitors,
        folder=folder,
        wrong=[Account(name=name, wrong=wrong, folder=folder) for name, wrong in table.items()],
        forgiven=[Account(name=name, wrong=wrong, folder=folder) for name, wrong in FORGIVEN.items()],
    )
    for account in (*street.wrong, *street.forgiven):
        await account.start()
    yield street
    for account in (*street.wrong, *street.forgiven):
        await account.stop()
    for server in hostile.values():
        await server.stop()
    await visitors.server.stop()
    await town.stop()


async def test_check_says_what_to_do_about_each(street: Street) -> None:
    """One finding for each wrong account, with what to do, in French and in English; what is only written otherwise is taken."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for language in ("fr", "en"):
        said = street.tidy(await syndicator("check", "--json", "--config", street.config(language)))
        assert said.code == 1
        findings = [finding for finding in said.json["associations"][0]["findings"] if finding["kind"] != "note"]
        told[language] = {finding["subject"]: finding for finding in findings}
        assert len(told[language]) == len(findings)
        assert {finding["subject"] for finding in findings if not finding["ok"]} == street.keys
        assert {name for name, finding in told[language].items() if finding["kind"] == "bug"} == set()

    for account in street.wrong:
        fr, en = (told[language][f"destinations.{account.name}"]["text"] for language in ("fr", "en"))
        assert (account.name, account.wrong.fr in fr, account.wrong.en in en, fr == en) == (account.name, True, True, False), (fr, en)
        assert "\n" not in fr + en
    # Instagram looks first whether it can be shown pictures, Matrix who is there at all.
    for network in AT:
        assert f"destinations.{network}-at-html" in street.keys
        assert network == "instagram" or "introuvable" in told["fr"][f"destinations.{network}-at-unnamed"]["text"]
        assert network in ("instagram", "matrix") or "Écrivez https://" in told["fr"][f"destinations.{network}-at-open"]["text"]


async def test_each_is_told_once_and_ends_when_it_is_mended(street: Street) -> None:
    """once and status name every wrong account and go on; after mending, check finds nothing and what waited goes out, once."""
    config = street.config("fr", name="velo")
    street.town.toot("Un mot pour tout le monde")
    once = street.tidy(await syndicator("once", "--config", config))
    status = street.tidy(await syndicator("status", "--json", "--config", config))
    assert (once.code, status.code) == (1, 1)
    heads = [line.split(" ")[1] for line in once.out.splitlines() if line.startswith("✗ ")]
    assert sorted(heads) == sorted(street.keys)
    assert {problem["key"] for problem in status.json[0]["problems"]} == street.keys
    assert {problem["kind"] for problem in status.json[0]["problems"]} == {"unreachable", "refused", "auth"}

    for account in street.wrong:
        await account.mend()
    config = street.config("fr", name="velo", mended=True)
    check = street.tidy(await syndicator("check", "--config", config))
    assert (check.code, "✗" in check.out) == (0, False), check.out
    sent = street.tidy(await syndicator("once", "--json", "--config", config)).json[0]
    assert sent["problems"] == []
    missing = [
        name for name, done in sent["destinations"].items() if name in WRONG and not name.startswith("youtube") and not done["attempts"]
    ]
    assert missing == []


TOKEN = 'token = {{ file = "{folder}/good" }}'
MISTAKES = {
    "x-page": ('type = "x"\ntoken = "abc"', "il manque la clé « api_key »"),
    "fb-name": (f'type = "facebook"\npage = "https://www.facebook.com/amisduvelo"\n{TOKEN}', "« id » dans la réponse à me/accounts"),
    "fb-number": (f'type = "facebook"\npage = 104230415558080\n{TOKEN}', "un texte entre guillemets"),
    "fb-version": (f'type = "facebook"\npage = "1042"\nversion = "26"\n{TOKEN}', "« v26.0 »"),
    "fb-other": (f'type = "facebook"\npage = "1042"\norganization = "3"\n{TOKEN}', "la clé « organization » n'existe pas ici"),
    "fb-quoted": ('type = "facebook"\npage = "1042"\ntoken = {{ file = "{folder}/quoted" }}', "entre guillemets : retirez-les"),
    "ig-account": (f'type = "instagram"\naccount = "@amisduvelo"\n{TOKEN}', "la clé « account » n'existe pas ici"),
    "ig-empty": ('type = "instagram"\ntoken = {{ file = "{folder}/empty" }}', "ce secret est vide"),
    "th-missing": ('type = "threads"\ntoken = {{ file = "{folder}/nowhere" }}', "n'existe pas"),
    "th-open": ('type = "threads"\ntoken = {{ file = "{folder}/open" }}', "chmod 600"),
    "th-topic": (f'type = "threads"\ntopic = "#vélo."\n{TOKEN}', "sans point"),
    "li-name": (f'type = "linkedin"\norganization = "https://www.linkedin.com/company/velo"\n{TOKEN}', "linkedin.com/company/NUMÉRO/admin"),
    "li-day": (f'type = "linkedin"\norganization = "2414183"\ntoken_issued_on = "21/11/2026"\n{TOKEN}', "« 2026-11-21 »"),
    "mx-room": (
        'type = "matrix"\nhomeserver = "asso.example"\nroom = "annonces"\naccess_token = {{ file = "{folder}/good" }}',
        "#annonces:asso.example",
    ),
    "mx-home": (
        'type = "matrix"\nhomeserver = "@a:asso.example"\nroom = "#a:b.example"\naccess_token = {{ file = "{folder}/good" }}',
        "ce qui suit les deux-points",
    ),
    "mx-nobody": ('type = "matrix"\nhomeserver = "asso.example"\nroom = "#a:b.example"\nuser = "@a:b.example"', "soit access_token"),
    "mm-hook": (
        f'type = "mattermost"\nurl = "https://chat.example/hooks/s3cr3t-w3bh00k"\nchannel = "asso/annonces"\n{TOKEN}',
        "il faut le jeton d'un bot",
    ),
    "mm-channel": (f'type = "mattermost"\nurl = "https://chat.example"\nchannel = "annonces"\n{TOKEN}', "écrivez equipe/canal"),
    "rc-user": (f'type = "rocketchat"\nurl = "https://chat.example"\nroom = "annonces"\nuser_id = ""\n{TOKEN}', "user_id est vide"),
    "rc-hook": (
        f'type = "rocketchat"\nurl = "https://chat.example/hooks/s3cr3t-w3bh00k"\nuser_id = "u"\nroom = "a"\n{TOKEN}',
        "il faut le jeton d'un compte",
    ),
    "twitter": ('type = "twitter"', "Types connus"),
}


@pytest.mark.parametrize("command", [("check",), ("once",), ("status",), ("preview",), ("outbox", "list")])
async def test_mistakes_in_the_file_are_all_told_with_their_place(tmp_path: Path, command: tuple[str, ...]) -> None:
    """By every command, before anybody is asked anything, with the exit code of a wrong configuration."""
    for name, value, mode in (
        ("good", "abcdef123456", 0o600),
        ("quoted", '"abcdef123456"', 0o600),
        ("empty", "", 0o600),
        ("open", "abc", 0o644),
    ):
        (tmp_path / name).write_text(value)
        (tmp_path / name).chmod(mode)
    sections = "\n".join(f"[destinations.{name}]\n{text.format(folder=tmp_path)}" for name, (text, _) in MISTAKES.items())
    config = tmp_path / "velo.toml"
    config.write_text(
        textwrap.dedent("""
            [association]
            name = "Les Amis du Vélo"
            [sources.site]
            type = "feed"
            url = "https://asso.example/feed/"
            """)
        + f"{sections}\n[routes.tout]\n"
    )
    config.chmod(0o600)
    said = await syndicator(*command, "--config", config)

    everything = said.out + said.err
    assert said.code == 78
    assert [sign for sign in (*SIGNS_OF_A_BUG, "abcdef123456", "s3cr3t-w3bh00k") if sign in everything] == []
    for name, (_, text) in MISTAKES.items():
        found = [line for line in everything.splitlines() if f" destinations.{name}" in line and text in line]
        assert (name, len(found)) == (name, 1), everything
        assert f"{config}:" in found[0]
