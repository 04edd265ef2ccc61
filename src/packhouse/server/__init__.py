"""The HTTP/1.1 server: sockets, connections, worker processes.  It knows nothing of what it serves.

Bytes are carried by uvloop (libuv) and read by httptools (llhttp, the parser of Node.js); what is here is the life of a
connection between the two.  Applications are RSGI applications: ``__rsgi__(scope, proto)``, ``__rsgi_init__(loop)``,
``__rsgi_del__(loop)``.  One that wants to be quick may also have

- ``answer_now(turn) -> bool``: answer without waiting for anything, or say no; then ``__rsgi__`` is called;
- ``remember(packet, ready)``, ``recall(packet, connection) -> bool``: what ``answer_now`` left in ``turn.ready`` is
  kept under the very bytes of the request; when the same bytes come again, they are answered without being read.

Words: a *turn* is one request and its answer; the *wheel* is the clock by which connections that do nothing end; the
*master* is the process that holds the listening sockets and keeps the *workers* alive.

Doors: ``master`` (run workers), ``worker`` (serve in this process), ``turn`` (what an application gets).
"""
