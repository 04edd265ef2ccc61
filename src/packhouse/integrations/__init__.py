"""Integrations: what others tell this index about what is published here.

Owns: the vulnerabilities that are known of releases.  Words: a *feed* is a list of vulnerabilities in the OSV format,
loaded by the operator or pushed by a *reporter*, who signs; a *report* is what a feed says of one project; a release is
*marked* with the vulnerabilities that affect it.  Nothing here asks another machine for a list: an operator loads it.

Doors: ``osv`` and ``pushed`` (reading, without the database), ``loading``, ``signatures``, ``actions``, ``queries``,
``tasks``, ``models``.
"""
