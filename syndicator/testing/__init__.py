"""What a connector's tests need: makers of items, a context, and the suites that every connector passes.

Subclass one of the suites in ``tests/test_connector_<name>.py`` (or in your own package) and fill in what it asks for; pytest runs the
inherited tests against the service's simulator. ``docs/connectors.md`` walks through it.
"""

from syndicator.testing.makers import NOW, PARIS, make_context, make_event, make_post, make_rendition, make_view
from syndicator.testing.projections import ProjectionContract
from syndicator.testing.publishers import PublisherContract
from syndicator.testing.sources import SourceContract
from syndicator.testing.suite import HTML_ERROR

__all__ = [
    "HTML_ERROR",
    "NOW",
    "PARIS",
    "ProjectionContract",
    "PublisherContract",
    "SourceContract",
    "make_context",
    "make_event",
    "make_post",
    "make_rendition",
    "make_view",
]
