"""static: the events as data and as pages in the sources of a site you have: Jekyll, Hugo, Eleventy, or any program that reads JSON.

What it does
    Into the sources of the site (``site``), where its generator looks for them, it writes

    - ``agenda.json`` (Jekyll and Eleventy: ``_data/``, Hugo: ``data/``): the events to come and those just over, as in the website's
      ``events.json``; the ``sections`` that you name, each a list that a page of yours shows; the latest posts and videos. Templates say
      ``site.data.agenda.upcoming`` (Jekyll), ``.Site.Data.agenda.upcoming`` (Hugo), ``agenda.upcoming`` (Eleventy);
    - one Markdown page for each event (``_events/``, ``content/events/``, ``events/``). It keeps the name it got first, so that its
      address stays when its title or its date change, and when it is over. Below ``event`` its front matter has all that the data has;
      its text is the description;
    - copies of the pictures (``assets/agenda/``, ``static/agenda/``), without what cameras hide in them, named after their content.

    Copy the templates of ``docs/static/`` to begin with. Files are replaced whole, and only when their bytes change; files that are not
    ours are never touched. An event that changes costs one page and the data file.

    Whatever a stranger writes into a title stays text: Markdown, HTML, Liquid, shortcodes and Nunjucks in it do nothing. Since Liquid does
    not escape, with Jekyll and Eleventy no text can even begin an element where a template forgot ``| escape``: ``<b>`` is written
    ``‹b>``, and straight quotes become typographic ones.

    With ``git = "commit"`` what we wrote is committed, and nothing else: what you changed or staged stays as it is. With ``"push"`` the
    commit is pushed to the branch's upstream, never by force. When others pushed first, ours is put on top of theirs, provided that the
    folder holds no uncommitted changes and that no commit of yours waits there; otherwise you are told what to do. With ``hook`` a command
    runs in ``site`` when something changed, and is run again until it works.

How to get the credential
    There is none, but for ``push``: a deploy key (SSH) with the right to write, on this one repository, for the account that runs the
    syndicator. GitHub, GitLab and Forgejo have it in the repository's settings, and it lives until it is removed there.

Cost
    None. One request for each picture, once.

What it cannot do
    It builds nothing by itself and writes no template. The service in ``systemd/`` may write nowhere but into its own folders, and run no
    program that compiles while it runs (Node, thus Eleventy, does): ``docs/website.md`` says which lines to add, or how to let systemd
    start the build. Code in a description is told as plain text. What is past moves at midnight, when the data is written anew.
"""

from connectors.website.static.options import Options, Section
from connectors.website.static.projection import StaticProjection

__all__ = ["Options", "Section", "StaticProjection"]
