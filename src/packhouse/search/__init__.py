"""Search: which projects somebody means.

Owns: one *entry* for each visible project (what is matched, filtered and shown), the counts of downloads that order
projects of equal relevance, the facets that results can be narrowed by, and the words that misspelt ones are corrected
to.  Words: an entry's *place* orders entries by downloads, most downloaded first; a *token* is a word as it is matched
(stemmed, or with a prefix that says what it is); a *facet* is a value that many entries share: a classifier, a version
of Python, a licence; the *head* of a result is what is ranked, what comes after it follows by place.

The text index is the database's own: SQLite's FTS5 or PostgreSQL's text search, behind ``engines.Engine``.  Both match
the same tokens, made by ``analysis``, and both results are ranked by ``ranking``, so that all databases agree.

It is brought up to date by tasks, seconds after a change at most, and never holds up a write: nothing essential
depends on it.

Doors: ``queries.search`` (``language.Wanted`` → ``queries.Found``), ``actions`` (index, rebuild, downloads),
``tasks``, ``models``.
"""
