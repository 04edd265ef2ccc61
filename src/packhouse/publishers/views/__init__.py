"""Doors: the API of jobs, and the pages where publishers are set up."""
