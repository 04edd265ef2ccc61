"""Accounts: users, their e-mail addresses and second factors, and who a request speaks for.

Words: a *user* is a person; an *identity* is whoever a request speaks for (a user, and how it proved so).
Addresses are django-allauth's ``EmailAddress``; second factors are its ``Authenticator``.
Doors: ``models``, ``queries``, ``actions``.
"""
