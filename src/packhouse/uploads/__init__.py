"""Uploads: the legacy upload API, as a list of checks and one step that records.

Words: a *submission* is what a client sent; a *check* looks at it and refuses, or says nothing; a *reason* is the
stable name of a refusal (metric label, log field, documentation anchor, test id).
Doors: ``pipeline`` (the order), ``reasons.REASONS``, ``record.publish``, ``rendering.render``, ``views``.
"""
