"""Projects: what is published, by whom, and the journal of every change.

Words: a *project* has *releases*, a release has *files*; a *role* lets a user act on a project; the *journal* records
each change under an ever-growing *serial*.  A *file name* once used is never free again.
Doors: ``models``, ``queries``, ``actions``, ``rules``, ``facts``.
"""
