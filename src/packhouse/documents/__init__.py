"""Finished documents: what installers read, stored beside the rows that it was made from.

Words: a *document* has a key (``simple/requests``), a serial and one body per *format*; a body is a head, *items* in
order, and a tail.  Items are kept in *segments* of bounded size, deflated so that segments join to one gzip member;
a change rewrites one segment, whatever the size of the document.  The *change feed* tells readers what to drop.
Doors: ``models``, ``actions`` (write, in the writer's transaction), ``store`` (read; knows nothing of Django).
"""
