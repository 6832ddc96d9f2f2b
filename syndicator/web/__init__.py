"""The daemon's own web server: the public files of every association, /healthz, /metrics and the status page.

Files are read once and kept in memory, compressed, until they change on disk; nothing is stored about visitors: no cookie, no log of
addresses. What concerns the daemon rather than the public is answered to this machine alone, unless a person decides otherwise.
"""

from syndicator.web.health import AssociationHealth, Health, PartHealth
from syndicator.web.server import ListenError, PublicServer, Site
from syndicator.web.ways import Asked, Said, Way

__all__ = ["Asked", "AssociationHealth", "Health", "ListenError", "PartHealth", "PublicServer", "Said", "Site", "Way"]
