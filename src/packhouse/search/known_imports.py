"""What projects that are older than PEP 794 are imported as, where that differs from their names.

Projects by normalised name.  A project that declares its import names is not looked up here.
"""

from typing import Final

KNOWN_IMPORTS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(imports.split())
    for name, imports in (
        line.split(": ")
        for line in """\
absl-py: absl
antlr4-python3-runtime: antlr4
apache-airflow: airflow
argon2-cffi: argon2
attrs: attr attrs
beautifulsoup4: bs4
biopython: Bio
configobj: configobj validate
discord-py: discord
django-allauth: allauth
django-cors-headers: corsheaders
django-debug-toolbar: debug_toolbar
django-environ: environ
django-filter: django_filters
django-storages: storages
djangorestframework: rest_framework
dnspython: dns
docker-py: docker
faiss-cpu: faiss
ffmpeg-python: ffmpeg
gitpython: git
google-api-python-client: googleapiclient apiclient
google-auth: google.auth google.oauth2
googleapis-common-protos: google.api google.rpc
grpcio: grpc
grpcio-tools: grpc_tools
kafka-python: kafka
mecab-python3: MeCab
msgpack-python: msgpack
mysql-connector-python: mysql.connector
mysqlclient: MySQLdb
nvidia-ml-py: pynvml
opencv-contrib-python: cv2
opencv-python: cv2
opencv-python-headless: cv2
opensearch-py: opensearchpy
opentelemetry-api: opentelemetry
pdfminer-six: pdfminer
pillow: PIL
protobuf: google.protobuf
psycopg2-binary: psycopg2
py-cpuinfo: cpuinfo
pycairo: cairo
pycryptodome: Crypto
pycryptodomex: Cryptodome
pygithub: github
pygobject: gi
pyjwt: jwt
pymongo: pymongo bson gridfs
pymupdf: fitz pymupdf
pynacl: nacl
pyopengl: OpenGL
pyopenssl: OpenSSL
pyserial: serial
pysocks: socks
pytelegrambotapi: telebot
python-box: box
python-crontab: crontab
python-dateutil: dateutil
python-decouple: decouple
python-docx: docx
python-dotenv: dotenv
python-gitlab: gitlab
python-jose: jose
python-json-logger: pythonjsonlogger
python-ldap: ldap
python-levenshtein: Levenshtein
python-louvain: community
python-magic: magic
python-multipart: multipart python_multipart
python-pptx: pptx
python-slugify: slugify
python-snappy: snappy
python-socketio: socketio
python-telegram-bot: telegram
python-xlib: Xlib
pyusb: usb
pywavelets: pywt
pywin32: win32api win32con win32com pythoncom
pyyaml: yaml
pyzmq: zmq
scikit-build: skbuild
scikit-image: skimage
scikit-learn: sklearn
scikit-optimize: skopt
setuptools: setuptools pkg_resources
snowflake-connector-python: snowflake.connector
speechrecognition: speech_recognition
tensorflow-cpu: tensorflow
umap-learn: umap
websocket-client: websocket
wxpython: wx
zope-interface: zope.interface""".splitlines()
    )
}
