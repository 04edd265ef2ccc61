"""Measurements against nginx serving the same bytes in the same run.  ``make bench``, or ``python -m bench --help``."""
