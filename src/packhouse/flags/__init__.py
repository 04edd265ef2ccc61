"""Flags: switches that an operator turns while the index runs.

Words: a *flag* is declared in ``known``; one that nobody has ever set is off.
Doors: ``known``, ``models``, ``queries.is_on``, ``actions.set_flag``, ``facts``.
"""
