"""Images: pictures of descriptions, fetched from elsewhere by this index so that reading tells nobody that one reads.

Off unless the setting ``image_proxy`` is on; then pictures are links, as the renderer of descriptions writes them.
Words: a *picture* is what was fetched, of a kind that browsers show and that does nothing else; a *refusal* is
remembered for a while, too.  Pictures are kept in ``{home}/cache/images``, which may be deleted at any time.

Doors: ``marking.with_pictures`` (for pages), ``views.image`` (the pictures' own addresses, to which ``pages`` leads).
"""
