"""Backups: a copy of the database and of every file it names, made while the index serves, and the way back.

Words: a *target* is where backups lie, a folder or a bucket; a *snapshot* is the database at one moment, with a
*manifest* that names its *parts* (compressed, in pieces) and the list of blobs.  Blobs are shared by all snapshots of a
target: each is copied once.  The snapshot is taken first, the blobs follow: blobs are write-once, so what the rows name
is either still there or was deleted meanwhile, and then the snapshot is taken anew.
Doors: ``create``, ``verify``, ``restore``, ``target.Target``.  Knows nothing of Django: it asks the databases itself.
"""
