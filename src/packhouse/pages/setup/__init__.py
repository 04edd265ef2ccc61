"""The first run in the browser: the first administrator, the index's address and mail, and what clients need to know.

``packhouse serve`` prints the link to it as long as there is no user; it works once.  What is asked here is written to
``packhouse.toml`` in the home, the one place where settings are read from.
"""
