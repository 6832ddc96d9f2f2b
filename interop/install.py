"""What the real servers need, fetched once into ``.cache/interop`` from PyPI, npm and Debian."""

# ruff: noqa: S603, S607
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache" / "interop"
RADICALE = "radicale==3.9.0"
BUILDS = "@wp-playground/wordpress-builds@0.9.19"
"""An npm package that holds whole WordPress releases."""
WORDPRESS = "package/src/wordpress/wp-6.5.zip"
SQLITE = "package/src/sqlite-database-integration/sqlite-database-integration.zip"
PHP_MODULES = {"pdo_sqlite": "php-sqlite3", "gd": "php-gd", "dom": "php-xml", "mbstring": "php-mbstring", "curl": "php-curl"}
"""What WordPress loads, and the Debian package it comes in."""


class CannotInstall(Exception):
    """Something is missing that only a person can install; the text says what."""


def radicale() -> Path:
    """The Python that has Radicale."""
    python = CACHE / "radicale" / "bin" / "python"
    if subprocess.run([python, "-c", "import radicale"], capture_output=True, check=False).returncode if python.exists() else True:
        _run(sys.executable, "-m", "venv", CACHE / "radicale")
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", RADICALE)
    return python


def wordpress() -> tuple[Path, Path]:
    """The archives of WordPress 6.5.5 and of its SQLite driver; PHP is there to run them."""
    _php()
    archives = CACHE / Path(WORDPRESS).name, CACHE / Path(SQLITE).name
    if not all(archive.exists() for archive in archives):
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _run("npm", "pack", "--silent", BUILDS, cwd=Path(folder))
            (package,) = Path(folder).glob("*.tgz")
            with tarfile.open(package) as tar:
                for member, archive in zip((WORDPRESS, SQLITE), archives, strict=True):
                    tar.extract(member, folder, filter="data")
                    shutil.move(Path(folder) / member, archive)
    return archives


def _php() -> None:
    missing = _missing_packages()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-q")
        _run("apt-get", "install", "-q", "-y", "--no-install-recommends", *missing)
        missing = _missing_packages()
    if missing:
        raise CannotInstall(f"install these packages, then try again: {' '.join(missing)}")


def _missing_packages() -> list[str]:
    if not shutil.which("php"):
        return ["php-cli", *PHP_MODULES.values()]
    loaded = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.lower().split()
    return [package for module, package in PHP_MODULES.items() if module not in loaded]


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode:
        raise CannotInstall(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()[-800:]}")
