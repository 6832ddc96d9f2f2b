"""website: a page, a fragment for your own pages, data and feeds, written as plain files.

What it does
    Into the public folder of the association (or ``folder`` below it) it writes

    - ``index.html``: the events to come, activities that go on, the latest posts and videos, the events just over. Legible from 320 px up,
      by day and by night, with a keyboard or a screen reader, without JavaScript; no cookie, and no request to any other server;
    - ``events.html``: only the events, without ``<html>`` or ``<head>``, to be included in a page of yours by the server (nginx
      ``<!--#include virtual="…" -->``, PHP ``readfile``, a site generator). Its classes all begin with ``syndicator-``; take
      ``style.css`` along (``--syndicator-accent`` and its sisters theme it) or write your own. Its pictures need ``public_url`` in the
      configuration, and are left out without it;
    - ``events.json``: the events to come and those just over, as data (beyond the soonest 1,000, ``more`` names a file for each month,
      ``events-2027-03.json``): hours with their offset, days without hour as bare dates, and the
      date in words. Its ``version`` is raised only when a reader of the version before would misunderstand it; the schema is
      ``connectors/website/assets/events.schema.json``;
    - ``feed.atom`` and ``feed.json``: posts and events, last changed first, for feed readers;
    - ``widget.js`` and its data ``widget.json``: the agenda on any other site, with one line (``docs/website.md``); ``embed.html`` and
      ``embed.js``: the same in a frame;
    - ``links.html`` and ``links.css``: the presence page: the association's links (``links``) and accounts, the next events, the latest
      posts and videos, the feeds; the address to put into a network's profile;
    - ``events/``, ``tags/``, ``sources/``, ``archive/`` and ``sitemap.xml``: a page for each event, tag, source and year, at addresses that
      last, for search engines (schema.org ``Event``, Open Graph) and for links (``pages = false`` for none);
    - ``style.css``, ``icon.svg`` (the association's initial on its colour) and ``media/``: the copies of pictures in several widths,
      without what cameras hide in them, named after their content.

    Files are replaced whole, and only when their bytes change, so any web server may serve the folder while it is written. Only files
    it made are ever removed or replaced.

How to get the credential
    There is none.

Cost
    None. One request for each picture, once.

What it cannot do
    It loads no player and no map: videos are a thumbnail and a link, places a link. An animated GIF stands still. The past is
    decided by day: an event that is over stays in the list until midnight, and the page has to be projected once a day for that.
"""

from connectors.website.options import Options
from connectors.website.projection import WebsiteProjection

__all__ = ["Options", "WebsiteProjection"]
