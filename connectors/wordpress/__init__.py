"""WordPress: posts on a site of one's own, and events in its calendar (The Events Calendar). A destination.

*What it does.* One post per item, with its title, its text as paragraphs, lists and links, its pictures (uploaded to the site's library
with their descriptions, the first as featured image), and the way home at its end. Where the plugin The Events Calendar is active, an
event is an event of that plugin: dates in its own timezone, whole days, venue, organiser, page, picture. Corrections follow; what is
deleted at home goes into the site's trash, and its pictures, which would stay public there, are removed. Somebody who puts a post into the
trash is obeyed.

*Credential.* An application password, free and without an end. On the site: 1. Users → Add New: an account for this ("association"), role
**Author**: it touches nothing but its own posts, and WordPress cleans what it writes. 2. Log in with it (or as an administrator, open its
profile) → Profile → Application Passwords. 3. Name it "syndicator", Add New Application Password, and copy what is shown, once: six groups
of four signs, blanks and all. It is not the password that one logs in with, and can be revoked in the same place. The site needs WordPress
5.6 and an address in https.

*Cost.* Nothing. A post is three requests (is there a draft? make it; show it), two more for its first picture, one for each further one.

*"Did it go out?"* Always known: a draft is made first, which nobody sees, and shown under its number; showing it twice changes nothing.

*Where it fails.* Security plugins and hosts close the REST API, switch application passwords off, or drop the header that carries them;
``check`` says which. Plain permalinks and sites in a folder work. A site that leads from one address to another (www) wants the address it
leads to.

*What it cannot do.* Videos: a still picture and a link. Write blocks of the editor: a post is one classic block there. Keep what somebody
edits on the site: the next correction from home replaces title and text (categories and tags stay theirs). A withdrawn post may leave its
draft behind. Make categories, which takes an editor's rights: a missing one is told when opening; tags are made. What is sensitive at home
stays there. Of The Events Calendar: recurring series (each date is an event), prices and "cancelled" as the plugin's own fields (text and
title say them), removing a venue or picture that an event once had; an event whose last day alone is known lasts whole days.

Verified against WordPress 6.5.5 itself; The Events Calendar only against a simulator, made after the plugin's published API and source.

Specification: https://developer.wordpress.org/rest-api/reference/, https://docs.theeventscalendar.com/rest-api/.
"""

from connectors.wordpress.publisher import WordpressPublisher

__all__ = ["WordpressPublisher"]
