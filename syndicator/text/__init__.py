"""From a free network's text to another network's text: pure functions, no I/O, time linear in the input.

``html`` and ``urls`` read what the origins publish; ``links`` knows what a URL, a hashtag and a mention are; ``count`` measures as each
network measures; ``shorten`` and ``split`` cut where a careful person would; ``tags`` handles hashtags and the author's own
opt-outs; ``mentions`` keeps strangers out of it; ``dates`` says when; ``facets`` gives byte ranges; ``notes`` explains what was done.
"""
