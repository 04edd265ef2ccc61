"""Accounts: users, how they get in, what is known of their addresses, sessions and browsers.

Words: a *user* is a person; an *identity* is whoever a request speaks for (a user, and how it proved so); a *proof* is
having given the password lately; a *device* is a browser that a user has signed in with; a *link* is a signed address
in a letter, which works once; an *association* is an account elsewhere that belongs to a user.
Addresses are django-allauth's ``EmailAddress``; signing in runs through its stages (``stages``); second factors live in
the part ``factors``.
Doors: ``models``, ``queries``, ``actions``, ``rules``, ``facts``, ``access.for_users`` (whom a page is for),
``limits`` (how often people may fail), ``bans`` (from where nobody can act).
"""
