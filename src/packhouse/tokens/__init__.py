"""API tokens: macaroons in libmacaroons' v2 binary format, and the caveats that restrict them.

Words: a *token* is a row; its *text* is shown once and never stored; a *caveat* narrows what the token may do.  Anybody
who holds a token can add caveats to it without asking the index; nobody can take one away.
Doors: ``models``, ``queries.identify``, ``actions``, ``rules.check``; ``macaroons`` and ``caveats`` are pure Python.

Root keys: the key that signs a token is HMAC-SHA256(server key, salt of the row), where the server key comes from
``secret_key``.  A dump of the database therefore holds no secret that could make a token; changing ``secret_key`` ends
all tokens, unless the former key stays listed in ``SECRET_KEY_FALLBACKS``.
"""
