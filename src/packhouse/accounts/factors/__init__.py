"""Second factors: authenticator apps, security keys and passkeys, recovery codes, remembered browsers.

A part of the accounts room with an app of its own.  Words: a *factor* is an authenticator app (TOTP, RFC 6238) or a
*key* (WebAuthn: a security key, or a passkey that also signs in alone); *recovery codes* stand in for a lost factor and
are none themselves.  A factor's row is django-allauth's ``Authenticator``; what may happen only once (a time step, a
counter, a code) is a row of ours beside it and one conditional write.
Doors: ``queries``, ``actions``, ``facts``; ``stages.SecondFactorStage`` for signing in; ``totp`` is pure Python.
"""
