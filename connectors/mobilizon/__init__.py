"""Mobilizon: the public events and posts of groups, read anonymously from the instance where the groups live.

What it does
    Reads the events of a group that are to come, going on, or ended within ``history``, and the group's public posts; or, instead of
    groups, the events of an instance, all of them or those with certain tags. Each event comes with its clock (the organiser's time
    zone), with a date alone where the organiser hides the time, with status, place, online room, picture, tags, prices, ticket link and
    accessibility. Drafts, unlisted and private objects are never handed on, and posts dated in the future wait for their date.

The credential
    None: it reads what any visitor may read.

What it costs
    A poll without news is one small GraphQL question for all groups of an instance (up to 20): how many, and when one was last
    touched. Mobilizon also counts each registration for an event as a touch; then, as after any news, and once a day, the window is read
    again: one request per hundred events or posts and group. An item that vanished from the list is asked for by name before it
    counts as deleted (410: for good; 404: asked again later).

What it cannot do
    - Read another instance's group completely: Mobilizon hands copies on without their prices, and with times where the organiser hid
      them. Give the instance where the group was created.
    - Give the alt text of pictures: Mobilizon keeps none. We write our own.
    - With ``tags``, see events that began before ``history``; with ``whole_instance``, list what is over or cancelled (cancelled events
      that were mirrored are found by name), and posts: the instance has no list of them.
    - Read private groups' hidden content, discussions or resources.

API: https://docs.mobilizon.org/ (GraphQL at ``/api``; Mobilizon 4 or later).
"""

from connectors.mobilizon.options import Options
from connectors.mobilizon.source import MobilizonSource

__all__ = ["MobilizonSource", "Options"]
