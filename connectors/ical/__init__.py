"""iCal."""

from connectors.ical.projection import IcalProjection
from connectors.ical.source import IcalSource

__all__ = ["IcalProjection", "IcalSource"]
