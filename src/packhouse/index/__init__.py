"""Index: what installers and mirrors read, made from the rows of ``projects`` and stored as documents.

Words: ``simple/{name}`` is a project's simple page (HTML and JSON), ``index`` the list of all projects,
``project/{name}`` and ``release/{name}/{version}`` the JSON API; names are normalised, versions canonical.
Quarantine hides: a quarantined project keeps an empty simple page and has no other document, a quarantined release and
its files are left out everywhere, and nobody can fetch them.  A file that is deleted is *doomed*: a task removes its
blob some days later; at once if it was in quarantine, where it stays withheld until then.
Doors: ``sources`` (what each document consists of), ``handlers`` (facts → documents, in the writer's transaction),
``bulk`` (many projects at once), ``loading`` (imports), ``reconcile`` (documents and blobs against the rows),
``facts``, ``xmlrpc`` and its ``urls``.
"""
