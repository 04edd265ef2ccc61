"""Letters, and the servers that they are handed to."""
