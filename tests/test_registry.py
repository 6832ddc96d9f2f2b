"""The registry: one door, opened only when asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from syndicator.registry import RegistryError, find, names

GOOD = """
from dataclasses import dataclass

class Forum:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        url: str
"""


def package(folder: Path, name: str, entries: dict[str, str], group: str = "syndicator.destinations") -> Path:
    """A package's metadata as pip leaves it in site-packages."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(f"{key} = {value}" for key, value in entries.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
    return folder


def test_a_strangers_package_is_found_like_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point in any installed package is enough."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "stranger_forum.py").write_text(GOOD)
    where = (str(package(tmp_path, "syndicator-forum", {"forum": "stranger_forum:Forum"})),)

    assert names("destinations", path=where) == ("forum",)
    assert names("sources", path=where) == ()
    assert find("destinations", "forum", path=where).__name__ == "Forum"


def test_two_claims_to_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody guesses which of two packages is meant: both are named."""
    package(tmp_path, "syndicator-forum", {"forum": "a:Forum"})
    package(tmp_path, "other-forum", {"forum": "b:Forum"})
    with pytest.raises(RegistryError) as caught:
        find("destinations", "forum", path=(str(tmp_path),))

    assert caught.value.code == "claimed-twice"
    assert caught.value.suggestions == ("other-forum", "syndicator-forum")
    assert all("other-forum" in text and "syndicator-forum" in text for text in caught.value.hint.values())


def test_one_package_seen_twice_on_the_path_is_one_claim(tmp_path: Path) -> None:
    """An editable checkout beside its installation is no conflict."""
    first = package(tmp_path / "a", "Syndicator_Forum", {"forum": "json:JSONDecoder"})
    second = package(tmp_path / "b", "syndicator-forum", {"forum": "json:JSONDecoder"})
    with pytest.raises(RegistryError) as caught:
        find("destinations", "forum", path=(str(first), str(second)))

    assert caught.value.code == "broken"


def test_an_unknown_name_gets_a_suggestion() -> None:
    """A slip of the pen is answered with what was probably meant, and with what there is."""
    with pytest.raises(RegistryError) as caught:
        find("sources", "mobilison")

    assert caught.value.code == "unknown"
    assert caught.value.suggestions[0] == "mobilizon"
    assert "peertube" in caught.value.hint["fr"]


@pytest.mark.parametrize("body", ["raise ImportError('no module named sdk')", "Forum = 3", "class Forum: pass"])
def test_a_connector_that_cannot_load_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A broken package is named as such, never a traceback."""
    monkeypatch.syspath_prepend(tmp_path)
    module = f"broken_{abs(hash(body))}"
    (tmp_path / f"{module}.py").write_text(body)
    package(tmp_path, "syndicator-broken", {"forum": f"{module}:Forum"})
    with pytest.raises(RegistryError) as caught:
        find("destinations", "forum", path=(str(tmp_path),))

    assert caught.value.code == "broken"
    assert "forum" in caught.value.detail


def test_listing_imports_no_connector() -> None:
    """The names are known without paying for a single SDK."""
    program = (
        "import sys; from syndicator import registry; registry.names('sources'); registry.names('destinations');"
        "print([m for m in sys.modules if m.startswith('connectors') or m in ('aiohttp', 'mastodon', 'gql')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
