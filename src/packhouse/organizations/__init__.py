"""Organizations: groups of people who own projects together.

Words: a *member* has one *role* in an organization (Owner, Billing manager, Manager, Member); an *invitation* waits for
its answer; an *application* asks the administrators for an organization; a *team* gathers members, and has roles on
projects (``projects``).  A *name* once used is never free again.
Doors: ``models``, ``queries``, ``actions``, ``rules``, ``facts``.
"""
