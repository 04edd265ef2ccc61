"""Console: the administrators' site, at ``/console/``.

Owns: the pages on which staff look at what no owner may see, and repair it.  Words: *staff* are superusers, moderators
and support.  What a page changes is an action of the room that it belongs to; for tasks, whose room is below the trail
and cannot write it, ``actions`` adds that.
Doors: ``urls``; for further pages ``access.staff`` and the template ``console/page.html``.
"""
