"""The ground floor: things every room needs and that know no room.

Owns: the clock, identities, facts, signing.  It imports nothing of Packhouse's.
"""
