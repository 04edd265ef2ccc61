"""The module names of the standard library of CPython 2.6 to 3.14, as normalised project names.

A project of such a name would shadow the module, or be taken for it.  Public modules only; a dotted module counts
with all its prefixes (``concurrent.futures`` and ``concurrent``); tests and examples of the library do not count.
The running interpreter is not asked, so that every installation refuses the same names.
"""

_NAMES = """
abc aepack aetools aetypes aifc al annotationlib antigravity anydbm applesingle argparse array ast asynchat asyncio
asyncio-base-events asyncio-base-futures asyncio-base-subprocess asyncio-base-tasks asyncio-compat asyncio-constants
asyncio-coroutines asyncio-events asyncio-exceptions asyncio-format-helpers asyncio-futures asyncio-graph
asyncio-locks asyncio-log asyncio-mixins asyncio-proactor-events asyncio-protocols asyncio-queues asyncio-runners
asyncio-selector-events asyncio-sslproto asyncio-staggered asyncio-streams asyncio-subprocess asyncio-taskgroups
asyncio-tasks asyncio-threads asyncio-timeouts asyncio-tools asyncio-transports asyncio-trsock asyncio-unix-events
asyncio-windows-events asyncio-windows-utils asyncore atexit audiodev audioop autogil base64 basehttpserver bastion
bdb binascii binhex bisect bsddb bsddb-db buildtools builtins bz2 calendar canvas carbon cd cfmfile cgi cgihttpserver
cgitb chunk cmath cmd code codecs codeop collections collections-abc colorpicker colorsys commands compileall compiler
compiler-ast compiler-visitor compression compression-bz2 compression-gzip compression-lzma compression-zlib
compression-zstd concurrent concurrent-futures concurrent-futures-interpreter concurrent-futures-process
concurrent-futures-thread concurrent-interpreters configparser contextlib contextvars cookie cookielib copy copy-reg
copyreg cpickle cprofile crypt cstringio csv ctypes ctypes-macholib ctypes-macholib-dyld ctypes-macholib-dylib
ctypes-macholib-framework ctypes-util ctypes-wintypes curses curses-ascii curses-has-key curses-panel curses-textpad
curses-wrapper dataclasses datetime dbhash dbm dbm-dumb dbm-gnu dbm-ndbm dbm-sqlite3 decimal device dialog difflib
dircache dis distutils distutils-archive-util distutils-bcppcompiler distutils-ccompiler distutils-cmd
distutils-command distutils-command-bdist distutils-command-bdist-dumb distutils-command-bdist-msi
distutils-command-bdist-rpm distutils-command-bdist-wininst distutils-command-build distutils-command-build-clib
distutils-command-build-ext distutils-command-build-py distutils-command-build-scripts distutils-command-check
distutils-command-clean distutils-command-config distutils-command-install distutils-command-install-data
distutils-command-install-egg-info distutils-command-install-headers distutils-command-install-lib
distutils-command-install-scripts distutils-command-register distutils-command-sdist distutils-command-upload
distutils-config distutils-core distutils-cygwinccompiler distutils-debug distutils-dep-util distutils-dir-util
distutils-dist distutils-errors distutils-extension distutils-fancy-getopt distutils-file-util distutils-filelist
distutils-log distutils-msvc9compiler distutils-msvccompiler distutils-spawn distutils-sysconfig distutils-text-file
distutils-unixccompiler distutils-util distutils-version distutils-versionpredicate dl doctest docxmlrpcserver dumbdbm
dummy-thread dummy-threading easydialogs email email-base64mime email-charset email-contentmanager email-encoders
email-errors email-feedparser email-generator email-header email-headerregistry email-iterators email-message
email-mime email-mime-application email-mime-audio email-mime-base email-mime-image email-mime-message
email-mime-multipart email-mime-nonmultipart email-mime-text email-parser email-policy email-quoprimime email-utils
encodings ensurepip enum errno exceptions faulthandler fcntl filecmp filedialog fileinput findertools fixtk fl flp fm
fnmatch formatter fpectl fpformat fractions framework ftplib functools future-builtins gc gdbm genericpath
gensuitemodule getopt getpass gettext gl glob graphlib grp gzip hashlib heapq hmac hotshot hotshot-log hotshot-stats
html html-entities html-parser htmlentitydefs htmllib htmlparser http http-client http-cookiejar http-cookies
http-server httplib ic icopen idlelib ihooks imageop imaplib imgfile imghdr imp importlib importlib-abc
importlib-machinery importlib-metadata importlib-readers importlib-resources importlib-resources-abc
importlib-resources-readers importlib-resources-simple importlib-simple importlib-util imputil inspect io ipaddress
itertools jpeg json json-decoder json-encoder json-scanner json-tool keyword lib2to3 linecache linuxaudiodev locale
logging logging-config logging-handlers lzma macerrors macos macostools macpath macresource macurl2path mailbox
mailcap markupbase marshal math md5 mhlib mimetools mimetypes mimewriter mimify miniaeframe mmap modulefinder msilib
msvcrt multifile multiprocessing multiprocessing-connection multiprocessing-context multiprocessing-dummy
multiprocessing-dummy-connection multiprocessing-forking multiprocessing-forkserver multiprocessing-heap
multiprocessing-managers multiprocessing-pool multiprocessing-popen-fork multiprocessing-popen-forkserver
multiprocessing-popen-spawn-posix multiprocessing-popen-spawn-win32 multiprocessing-process multiprocessing-queues
multiprocessing-reduction multiprocessing-resource-sharer multiprocessing-resource-tracker
multiprocessing-semaphore-tracker multiprocessing-shared-memory multiprocessing-sharedctypes multiprocessing-spawn
multiprocessing-synchronize multiprocessing-util mutex nav netrc new nis nntplib nt ntpath nturl2path numbers opcode
operator optparse os os-path os2emxpath ossaudiodev parser pathlib pathlib-types pdb pickle pickletools pipes
pixmapwrapper pkgutil platform plistlib popen2 poplib posix posixfile posixpath pprint profile pstats pty pwd
py-compile pyclbr pydoc pydoc-data pyexpat pyexpat-errors pyexpat-model queue quopri random re readline repr reprlib
resource rexec rfc822 rlcompleter robotparser runpy sched scrolledtext secrets select selectors sets sgmllib sha
shelve shlex shutil signal simpledialog simplehttpserver simplexmlrpcserver site smtpd smtplib sndhdr socket
socketserver spwd sqlite3 sqlite3-dbapi2 sqlite3-dump sre sre-compile sre-constants sre-parse ssl stat statistics
statvfs string string-templatelib stringio stringold stringprep strop struct subprocess sunau sunaudio sunaudiodev
symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test test-support textwrap this
thread threading time timeit tix tkcolorchooser tkcommondialog tkconstants tkdnd tkfiledialog tkfont tkinter
tkinter-colorchooser tkinter-commondialog tkinter-constants tkinter-dialog tkinter-dnd tkinter-filedialog tkinter-font
tkinter-messagebox tkinter-scrolledtext tkinter-simpledialog tkinter-tix tkinter-ttk tkmessagebox tksimpledialog
toaiff token tokenize tomllib trace traceback tracemalloc ttk tty turtle turtledemo types typing typing-io typing-re
unicodedata unittest unittest-async-case unittest-case unittest-loader unittest-main unittest-mock unittest-result
unittest-runner unittest-signals unittest-suite unittest-util urllib urllib-error urllib-parse urllib-request
urllib-response urllib-robotparser urllib2 urlparse user userdict userlist userstring uu uuid venv videoreader w
warnings wave weakref webbrowser whichdb winreg winsound wsgiref wsgiref-handlers wsgiref-headers
wsgiref-simple-server wsgiref-types wsgiref-util wsgiref-validate xdrlib xml xml-dom xml-dom-domreg
xml-dom-expatbuilder xml-dom-minicompat xml-dom-minidom xml-dom-nodefilter xml-dom-pulldom xml-dom-xmlbuilder
xml-etree xml-etree-celementtree xml-etree-elementinclude xml-etree-elementpath xml-etree-elementtree xml-parsers
xml-parsers-expat xml-parsers-expat-errors xml-parsers-expat-model xml-sax xml-sax-expatreader xml-sax-handler
xml-sax-saxutils xml-sax-xmlreader xmllib xmlrpc xmlrpc-client xmlrpc-server xmlrpclib xxlimited xxsubtype zipapp
zipfile zipimport zlib zoneinfo
"""

STDLIB_NAMES: frozenset[str] = frozenset(_NAMES.split())
