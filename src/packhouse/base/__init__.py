"""The ground floor: things every room needs and that know no room.

Owns: the clock, identities, facts, signing, and the web shell (layout, parts, forms, style sheet, error pages,
middleware).  It imports nothing of Packhouse's.
"""
