"""Wheels and source distributions as files: read alike by every reader, bounded in cost, complete. Pure Python.

Doors: ``inspector.Inspector`` (in another process, for uploads), ``inspect.inspect`` (here), ``reasons.REASONS``.
"""
