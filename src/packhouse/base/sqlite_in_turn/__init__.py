"""Django's SQLite backend, with writers that wait for their turn instead of trying again and again.

SQLite lets one transaction write at a time.  One that comes meanwhile sleeps and tries again, each time a little later:
under load, eight threads that upload spend more time asleep than at work, and the unlucky one waits for seconds.  Here
a transaction first takes a lock on a file beside the database, which the kernel hands on the moment it is free,
between threads and processes alike, and which dies with its holder.
"""
