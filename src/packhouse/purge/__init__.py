"""Purge: telling the cache in front what has changed.

Owns: the keys that wait to be purged.  Words: a *key* names what a page shows (``project/flask``, ``user/ada``) and
stands in the header ``Surrogate-Key`` of every page that shows it; to *forget* a key is to promise, in the writer's
transaction, that the cache will be told; a *port* is how: Varnish, Fastly, or nobody; a purge comes in *rounds*,
because a page that was being made while the change was written may reach the cache after the first.
Doors: ``actions.forget``, ``ports.plugged_in``, ``models``.

A purge never delays or fails a write: it is rows of the same transaction and a task in a queue of its own.  Which keys
a change concerns, ``packhouse.pages.purging`` says.
"""
