"""Makers of rows, ready to use."""
