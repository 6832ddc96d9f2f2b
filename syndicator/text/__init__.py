"""From a free network's text to another network's text: pure functions, no I/O, time linear in the input.

What is read: ``html`` and ``urls`` read what the origins publish, ``clean`` keeps out what must never travel, ``links`` knows what an
address, a hashtag and a mention are, ``tags`` handles hashtags and the author's own opt-outs, ``mentions`` keeps strangers out of it,
``unlinked`` takes addresses out. ``linked`` carries words that are links through all of that.

What is made: ``wording`` is what an item says, ``dates`` and ``phrases`` are our own words, ``compose`` puts the pieces together so that
they fit, ``template`` lets a route do that its own way; ``count`` and ``measure`` measure as each network does, ``breaks``, ``shorten`` and
``split`` cut where a careful person would, ``markup`` escapes. ``attachments`` chooses pictures, ``cards`` and ``face`` make some,
``campaign`` marks links home, ``facets`` gives byte ranges, ``notes`` explains what was done, ``cost`` what it costs.
"""
