"""Downloads: how often the files of projects are fetched, without a trace of who fetched them.

Words: a *tally* is what a process of the front door has counted since it last wrote; it writes once a minute, and what
it has counted since is lost when it is killed.  Kept are numbers by day, release, installer and minor version of
Python; addresses are never looked at.  What caches in front and mirrors hand out is not counted.

Doors: ``tally`` (counting, without Django), ``actions`` (writing), ``queries``, ``models``.
"""
