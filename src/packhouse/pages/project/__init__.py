"""The pages of a project: description, files, releases, dependencies, security, changes, and what is in its files."""
