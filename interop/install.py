"""What the real servers need, fetched once into ``.cache/interop`` from PyPI, npm and Debian."""

# ruff: noqa: T201
from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from interop.processes import start

APT = Path("/etc/apt")
CACHE = Path(__file__).parent.parent / ".cache" / "interop"
INSTALL_S = 1_800.0
"""npm compiles for a quarter of an hour on a busy machine."""
RADICALE = ("radicale", "3.9.0")
XANDIKOS = ("xandikos", "0.4.10")
SYNAPSE = ("matrix-synapse", "1.163.2")
DEV_ENV = ("@atproto/dev-env", "0.3.215")
"""Bluesky's own PDS and did:plc server."""
BUILDS = "@wp-playground/wordpress-builds@0.9.19"
"""An npm package that holds whole WordPress releases."""
WORDPRESS = "package/src/wordpress/wp-6.5.zip"
SQLITE = "package/src/sqlite-database-integration/sqlite-database-integration.zip"
PHP_MODULES = {"pdo_sqlite": "php-sqlite3", "gd": "php-gd", "dom": "php-xml", "mbstring": "php-mbstring", "curl": "php-curl"}
"""What WordPress loads, and the Debian package it comes in."""


class CannotInstall(Exception):
    """Something is missing that only a person can provide: what, and what to do, in French and in English; ``said`` by the installer."""

    def __init__(self, *, fr: str, en: str, said: str = "") -> None:
        super().__init__(en)
        self.fr, self.en, self.said = fr, en, said


async def python_with(name: str, version: str) -> Path:
    """The Python of an environment of its own that has this package of PyPI."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    asked = f"import importlib.metadata as m; raise SystemExit(m.version({name!r}) != {version!r})"
    if python.exists() and not (await _said(python, "-c", asked))[0]:
        return python
    _tell(f"{name} {version}")
    code, said = await _said(sys.executable, "-m", "venv", "--clear", folder)
    if code:
        raise CannotInstall(
            fr=f"L'environnement Python {folder} ne peut pas être créé : installez le paquet python3-venv, puis recommencez.",
            en=f"The Python environment {folder} cannot be made: install the package python3-venv, then try again.",
            said=said,
        )
    await _fetch("PyPI", python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{name}=={version}")
    return python


async def npm_package(folder_name: str, name: str, version: str) -> Path:
    """A folder with this package of npm in its ``node_modules``."""
    folder = CACHE / folder_name
    manifest = folder / "node_modules" / name / "package.json"
    # npm writes its hidden lock file when everything else is there.
    finished = (folder / "node_modules" / ".package-lock.json").exists() and manifest.exists()
    if finished and json.loads(manifest.read_text(encoding="utf-8"))["version"] == version:
        await _need({"node": "nodejs"})
        return folder
    await _need({"node": "nodejs", "npm": "npm"})
    folder.mkdir(parents=True, exist_ok=True)
    _tell(f"{name} {version}")
    await _fetch("npm", "npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--prefix", folder, f"{name}@{version}")
    return folder


async def npm_packages(folder_name: str, packages: Mapping[str, str]) -> Path:
    """A folder with all of these, each in its version; nothing of theirs is run while they are installed."""
    folder = CACHE / folder_name
    wanted = json.dumps(packages, sort_keys=True)
    stamp = folder / "wanted.json"
    await _need({"node": "nodejs", "npm": "npm"})
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    asked = [f"{name}@{version}" for name, version in packages.items()]
    _tell(" ".join(asked))
    quiet = ("--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts")
    await _fetch("npm", "npm", "install", *quiet, "--prefix", folder, *asked)
    stamp.write_text(wanted, encoding="utf-8")
    return folder


async def debian_source(package: str, member: str) -> Path:
    """One file of a Debian source package, found by how its path ends; the machine's own lists of packages stay as they are."""
    wanted = CACHE / "debian" / package / Path(member).name
    if wanted.exists():
        return wanted
    _tell(f"{package} (source)")
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = Path(name)
        for part in ("parts", "lists/partial"):
            (folder / part).mkdir(parents=True)
        await asyncio.to_thread(_as_sources, folder / "parts")
        own = ("Dir::Etc::SourceList=/dev/null", f"Dir::Etc::SourceParts={folder / 'parts'}", f"Dir::State::Lists={folder / 'lists'}")
        options = [word for option in (*own, "APT::Sandbox::User=root") for word in ("-o", option)]
        await _fetch("Debian", "apt-get", "-q", *options, "update")
        await _fetch("Debian", "apt-get", "-q", *options, "source", "--download-only", package, cwd=folder)
        await asyncio.to_thread(_unpack, folder, member, wanted)
    return wanted


def _as_sources(parts: Path) -> None:
    """The places where this machine has its packages from, asked for their sources."""
    for path in (*APT.glob("sources.list.d/*.sources"), *APT.glob("sources.list.d/*.list"), *APT.glob("sources.list")):
        said = re.sub(r"^(Types:)\s+deb\s*$", r"\1 deb-src", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        # A list of the one-line form is only read when it is called so.
        name = path.name if path.suffix == ".sources" else f"{path.stem}.list"
        (parts / name).write_text(re.sub(r"^deb\s", "deb-src ", said, flags=re.MULTILINE), encoding="utf-8")


def _unpack(folder: Path, member: str, wanted: Path) -> None:
    (archive,) = folder.glob("*.orig.tar.*")
    with tarfile.open(archive) as tar:
        (found,) = (name for name in tar.getnames() if name.endswith(f"/{member}"))
        tar.extract(found, folder, filter="data")
    shutil.move(folder / found, wanted)


async def debian(commands: dict[str, str]) -> None:
    """These commands are there, each from the Debian package it comes in."""
    await _need(commands)


async def wordpress() -> tuple[Path, Path]:
    """The archives of WordPress 6.5.5 and of its SQLite driver; PHP is there to run them."""
    await _php()
    archives = CACHE / Path(WORDPRESS).name, CACHE / Path(SQLITE).name
    if all(archive.exists() for archive in archives):
        return archives
    await _need({"npm": "npm"})
    CACHE.mkdir(parents=True, exist_ok=True)
    _tell(BUILDS)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        await _fetch("npm", "npm", "pack", "--loglevel=error", BUILDS, cwd=Path(folder))
        await asyncio.to_thread(_take_out, Path(folder), archives)
    return archives


def _take_out(folder: Path, archives: tuple[Path, Path]) -> None:
    (package,) = folder.glob("*.tgz")
    with tarfile.open(package) as tar:
        for member, archive in zip((WORDPRESS, SQLITE), archives, strict=True):
            tar.extract(member, folder, filter="data")
            shutil.move(folder / member, archive)


async def _php() -> None:
    if missing := await _php_packages():
        await _apt(missing)
        _complain(await _php_packages())


async def _php_packages() -> list[str]:
    """Those that are missing."""
    if not shutil.which("php"):
        return ["php-cli", *PHP_MODULES.values()]
    loaded = (await _said("php", "-m"))[1].lower().split()
    return [package for module, package in PHP_MODULES.items() if module not in loaded]


async def _need(commands: dict[str, str]) -> None:
    """Commands and the Debian packages that they come in."""
    missing = [package for command, package in commands.items() if not shutil.which(command)]
    if missing:
        await _apt(missing)
        _complain([package for command, package in commands.items() if not shutil.which(command)])


async def _apt(packages: list[str]) -> None:
    """Root's machine is served; anybody else is told."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _tell(" ".join(packages))
        await _said("apt-get", "update", "-q")
        await _said("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)


def _complain(packages: list[str]) -> None:
    if packages:
        names = " ".join(packages)
        raise CannotInstall(
            fr=f"Il manque des paquets. Installez-les (sudo apt install {names}), puis recommencez.",
            en=f"Packages are missing. Install them (sudo apt install {names}), then try again.",
        )


async def _fetch(registry: str, *command: str | Path, cwd: Path | None = None) -> None:
    code, said = await _said(*command, cwd=cwd)
    if code:
        line = " ".join(map(str, command))
        raise CannotInstall(
            fr=f"{registry} n'a pas donné ce qu'il faut. Vérifiez la connexion et la place sur le disque, puis essayez vous-même : {line}",
            en=f"{registry} did not give what is needed. Check the connection and the room on the disk, then try yourself: {line}",
            said=said,
        )


async def _said(*command: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    """Run a command to its end, or to ours: how it ended, and the last that it said."""
    with tempfile.TemporaryDirectory(prefix="syndicator-interop-") as folder:
        running = await start(*command, log=Path(folder) / "log", cwd=cwd)
        try:
            async with asyncio.timeout(INSTALL_S):
                await running.process.wait()
        except TimeoutError:
            return 1, "\n".join([*running.lines()[-10:], f"no end after {INSTALL_S:.0f} s"])
        finally:
            code = await running.end()
        return code, "\n".join(running.lines()[-400:])


def _tell(what: str) -> None:
    print(f"→ installation / installing: {what}", flush=True)
