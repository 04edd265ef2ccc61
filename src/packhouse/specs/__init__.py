"""The packaging standards in pure Python: names, versions, file names, core metadata, archives, simple API shapes.

Knows nothing of Django or of the other rooms.  What the ``packaging`` library does is taken from there.
"""
