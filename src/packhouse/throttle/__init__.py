"""Throttle: rate limits that hold across all worker processes and never fail open.

Words: a *limit* has a name and one or more *windows* (``20 per hour``); a *hit* uses it up for a *key* (a user, an
address); a *verdict* says whether the hit was admitted.  Windows slide: the hits of the window before count in
proportion to how much of it is still inside of the last hour (minute, …).
Doors: ``limit`` (``Limit``, ``Verdict``), ``actions.hit``, ``actions.give_back``, ``queries.test``, ``headers``.

Hits are counted in our database, or in Redis where ``PACKHOUSE_CACHE`` names one.  What cannot be reached is replaced
by the next: Redis by the database, the database by this process's memory.
"""
