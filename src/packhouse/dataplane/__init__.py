"""The front door and the data plane: what installers hit, answered without Django.

``answer(request, store)`` is a pure function from a request to a response: ``simple``, ``packages`` and ``jsonapi`` are
its parts, ``store`` keeps hot documents in memory.  ``rsgi`` (for our own server) and ``asgi`` are thin adapters around
it, and ``bridge`` hands everything else to Django, with the request's body already on disk.
Doors: ``answer``, ``rsgi.application``.
"""
