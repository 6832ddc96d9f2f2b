"""listmonk: a newsletter's issues as campaigns of a listmonk of yours. A destination.

*What it does.* For each issue of a ``[newsletters.…]``, makes a campaign for the lists that you name, with its HTML and its text part,
and starts it. listmonk keeps the readers, their way out (its ``{{ UnsubscribeURL }}`` stands in the footer), bounces and pace. Nothing in
the letter is followed or counted: we ask for no tracking.

*Credential.* In listmonk (version 4 or newer), as its administrator, in five minutes. 1. Users → User roles → New: a role “syndicator”
with campaigns: get and manage (and send, where it is listed), lists: get, templates: get. 2. Users → New, type “API”, a name such as
``syndicator``, that role, and a list role for the lists that get the letter; save: the **token** is shown once. 3. Campaigns → Templates
→ New, type “Campaign”, named “Empty”, with nothing but ``{{ template "content" . }}`` in it: our letter is a whole page, which listmonk
would otherwise put into another.

*Cost.* Nothing but your server and your mail host. Five or six requests an issue.

*How long it lives.* The token has no end.

*Exactly once.* The campaign's name ends with a key of ours, in brackets: do not change that. Preparing makes a draft, or takes up the one
that is there; sending starts it, which listmonk does once only. A draft that somebody started or scheduled by hand counts as sent; so
does one that was paused or cancelled since. A draft that somebody changed, renamed or deleted is not sent: a person is told.

*What it cannot do.* Call a letter back, or correct it once it was started. Know who had it: listmonk's own page of the campaign tells.
Serve a listmonk before version 4, which knows no API users.

Not verified against a real listmonk: written after its published specification and, where that is silent (text part, templates,
refusals), after its source, https://github.com/knadh/listmonk; https://listmonk.app/docs/apis/campaigns/.
"""

from connectors.listmonk.publisher import ListmonkPublisher

__all__ = ["ListmonkPublisher"]
