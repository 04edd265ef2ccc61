"""Pages: what people and machines see that belongs to no single room, or composes several.

Owns: the web pages of the index and the answers to monitoring (``health``).  It holds no data.
"""
