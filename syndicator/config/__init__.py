"""TOML → Config; every unknown, missing or mistyped key reported at once, with its line; a Secret never prints.

``load`` reads one association's file, ``load_many`` a folder of them. The rest of the daemon sees only the frozen data of
``settings.py``. ``docs/configuration.md`` is the manual.
"""

from syndicator.config.load import default_state_dir, load, load_many
from syndicator.config.settings import Alerts, Config, DestinationConfig, Network, SourceConfig, Web

__all__ = ["Alerts", "Config", "DestinationConfig", "Network", "SourceConfig", "Web", "default_state_dir", "load", "load_many"]
