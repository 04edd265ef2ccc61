"""Mail: letters to people, how they leave, and what became of them.

Owns: letters with their delivery state, and the notifications of Amazon SES about them.
Words: a *letter* is one message to one address; its *cause* is what it tells of, and a cause makes one letter only,
however often it is named; a *draft* is what a letter says, before it is laid out; a *port* takes letters out of the
house: a folder (the *outbox*), a mail server, or Amazon SES.
Doors: ``draft.Draft``, ``actions.post``, ``models``, ``queries``, ``facts``.

The letters themselves are written by the rooms that know of what they tell, in their ``emails.py``.  A letter is laid
out when it is posted and leaves after the commit.  It is handed over at least once; should a process die between
handing over and writing that down, a second copy leaves under the same Message-ID.
"""
