"""What an index that gets no attestations does without."""

import subprocess
import sys

from tests.servers.packhouse import environment

CODE = """
import sys
from packhouse.base import logs
import django
django.setup()
import packhouse.dataplane.rsgi
import packhouse.schedule
import packhouse.uploads.views
from django.urls import get_resolver
get_resolver().url_patterns
heavy = {"sigstore", "sigstore_models", "pypi_attestations", "tuf", "rfc3161_client"}
print(sorted({name.partition(".")[0] for name in sys.modules} & heavy))
"""


def test_the_libraries_are_not_loaded_before_the_first_attestation(tmp_path):
    env = environment(tmp_path) | {"DJANGO_SETTINGS_MODULE": "packhouse.settings"}
    done = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
