"""What an association sees before its first message leaves: what it will cost, what failed and where that is told, how soon."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from syndicator.sandbox.commerce import Commerce
from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import Town
from tests.shell_scene import ROOT, SIGNS_OF_A_BUG, syndicator

KITS = ("tweepy", "oauthlib", "apprise", "PIL", "requests")


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    town = await Town().start()
    yield town
    await town.stop()


def written(folder: Path, town: Town, destinations: str, *, language: str = "fr") -> Path:
    """An association whose toots go to ``destinations``."""
    path = folder / "velo.toml"
    path.write_text(f"""
[association]
name = "Les Amis du Vélo"
language = "{language}"
state = "{folder}/state"
[network]
allow_private = ["127.0.0.1"]
[sources.toots]
type = "mastodon"
account = "{town.mastodon.url}/@velo"
{destinations}
[routes.tout]
delay = "0s"
backfill = "7d"
""")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(("language", "without", "with_one"), [
    (
        "fr",
        "  · destinations.x : un message coûte 0,015\xa0$, 0,20\xa0$ avec un lien, et rien n'y met de limite :",
        "  · destinations.avare : au plus 5,00\xa0$ par mois ; un message coûte 0,015\xa0$, 0,20\xa0$ avec un lien.",
    ),
    (
        "en",
        "  · destinations.x: a message costs $0.015, $0.20 with a link, and nothing limits that:",
        "  · destinations.avare: $5.00 a month at most; a message costs $0.015, $0.20 with a link.",
    ),
])  # fmt: skip
async def test_check_says_what_messages_cost(town: Town, tmp_path: Path, language: str, without: str, with_one: str) -> None:
    """Where they cost something: with and without a budget; all is well in either case, and nothing was charged but the question whose
    account it is.
    """
    async with Commerce(names=("telegram", "x")) as commerce:
        toml = commerce.toml()
        both = f"{toml}\n[destinations.avare]{toml.partition('[destinations.x]')[2]}\nbudget = 5"
        said = await syndicator("check", "--config", written(tmp_path, town, both, language=language), language=language)

        assert said.code == 0, said.out + said.err
        notes = [line for line in said.out.splitlines() if line.startswith("  ·")]
        assert [one.startswith(line) for one, line in zip(notes, (without, with_one), strict=True)] == [True, True], notes
        assert {what for what, _ in commerce.networks["x"].simulator.charges} == {"user"}  # type: ignore[attr-defined]


async def test_once_sends_nobody_looking_for_what_is_not_told(town: Town, tmp_path: Path) -> None:
    """A message that has to wait for a service is counted as waiting; only what is told below is said to be."""
    async with Commerce(names=("telegram", "threads")) as commerce:
        commerce.networks["threads"].simulator.fault(Fault(action="answer", method="POST", path="/threads", status=500, times=9))
        said = await syndicator("once", "--config", written(tmp_path, town, commerce.toml()))

    assert [sign for sign in SIGNS_OF_A_BUG if sign in said.out + said.err] == []
    assert "telegram : envois 1, en attente 0" in said.out
    assert "threads : envois 1, en attente 1" in said.out
    assert "voir plus bas" not in said.out


@pytest.mark.parametrize(("language", "links", "version"), [
    (
        "fr",
        "  · destinations.threads : images et vidéos restent derrière un lien. Meta vient chercher les images à une adresse publique :",
        "  · destinations.linkedin : LinkedIn retirera bientôt la version",
    ),
    (
        "en",
        "  · destinations.threads: pictures and videos stay behind a link. Meta fetches pictures from a public address:",
        "  · destinations.linkedin: LinkedIn will soon withdraw version",
    ),
])  # fmt: skip
async def test_check_remarks_what_works_in_part(town: Town, tmp_path: Path, language: str, links: str, version: str) -> None:
    """Threads without an address for its pictures, LinkedIn with a version that will soon be withdrawn: well, and to be mended."""
    async with Commerce(names=("threads", "linkedin")) as commerce:
        month = datetime.now(UTC) - timedelta(days=330)
        destinations = re.sub(r'version = "\d+"', f'version = "{month:%Y%m}"', commerce.toml())
        said = await syndicator("check", "--config", written(tmp_path, town, destinations, language=language), language=language)

    assert (said.code, said.err) == (0, ""), said.out + said.err
    remarks = [line for line in said.out.splitlines() if line.startswith("  ·")]
    assert [len([line for line in remarks if line.startswith(told)]) for told in (links, version)] == [1, 1], said.out


async def test_what_a_network_is_spoken_with_is_loaded_when_it_is_opened() -> None:
    """Commands that only have to know every installed destination wait for nobody's library."""
    program = (
        "import sys; from syndicator import registry; [registry.find('destinations', name) for name in registry.names('destinations')];"
        f" print(sorted(set({KITS!r}) & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    out, _ = await process.communicate()

    assert (process.returncode, out.decode().strip()) == (0, "[]")
