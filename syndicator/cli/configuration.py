"""Which configuration a command works on."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from syndicator.config import Config, load, load_many
from syndicator.errors import ConfigError, Problem
from syndicator.words import language_of, say

SYSTEM = Path("/etc/syndicator")


def config_path(given: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: ``given``, else $SYNDICATOR_CONFIG, else the first usual one that exists, else the system's."""
    if given is not None:
        return given
    if environ.get("SYNDICATOR_CONFIG"):
        return Path(environ["SYNDICATOR_CONFIG"])
    folders = [environ.get("CONFIGURATION_DIRECTORY", "").split(":")[0], environ.get("XDG_CONFIG_HOME", "")]
    usual = [Path(folders[0]) / "syndicator.toml"] if folders[0] else []
    home = Path(environ.get("HOME") or "/nonexistent")
    usual.append((Path(folders[1]) if folders[1] else home / ".config") / "syndicator" / "syndicator.toml")
    usual.append(SYSTEM / "syndicator.toml")
    return next((path for path in usual if is_there(path)), usual[-1])


def is_there(path: Path) -> bool:
    """Also when this account may not look: then reading it says so."""
    try:
        return path.exists()
    except PermissionError:
        return True


def as_the_service(path: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment in which our systemd units read what is in /etc/syndicator: so that a command typed by hand finds the same state
    and the same secrets."""
    if not path.absolute().is_relative_to(SYSTEM):
        return environ
    return {"STATE_DIRECTORY": "/var/lib/syndicator", "CREDENTIALS_DIRECTORY": str(SYSTEM / "credentials"), **environ}


def load_one(args: Namespace) -> Config:
    """The one configuration that ``args`` names; from now on the command speaks its language. Raises ConfigError."""
    folder = _folder(args)
    if folder is not None:
        return _only(folder, args)
    path = config_path(args.config, args.environ)
    config = load(path, environ=as_the_service(path, args.environ))
    args.language = config.association.language
    return config


def _only(folder: Path, args: Namespace) -> Config:
    """The folder's one association; ConfigError when there are several, naming them."""
    paths = sorted(folder.glob("*.toml"))
    if len(paths) == 1:
        config = load(paths[0], environ=as_the_service(folder, args.environ), many=True)
        args.language = config.association.language
        return config
    if not paths:
        raise load_many(folder, environ=args.environ)[1][0]
    text = say(args.language, "cli.which-one", names=", ".join(map(str, paths)))
    raise ConfigError([Problem(path=str(folder), line=None, key="", text=text)])


def _folder(args: Namespace) -> Path | None:
    if args.config_dir is None and args.config is None and args.environ.get("SYNDICATOR_CONFIG_DIR"):
        return Path(args.environ["SYNDICATOR_CONFIG_DIR"])
    return args.config_dir if args.config_dir is None else Path(args.config_dir)


def load_all(args: Namespace) -> tuple[list[Config], list[ConfigError]]:
    """Every configuration that ``args`` names: a folder's, or the single one; those that are wrong apart."""
    folder = _folder(args)
    if folder is not None:
        configs, errors = load_many(folder, environ=as_the_service(folder, args.environ))
        args.language = configs[0].association.language if len(configs) == 1 else language_of(args.environ)
        return configs, errors
    try:
        return [load_one(args)], []
    except ConfigError as error:
        return [], [error]
