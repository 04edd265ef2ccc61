#!/usr/bin/env bash
# Compile requirements/*.txt: exact versions with hashes, for every platform and Python that Packhouse supports.
# Runs without this machine's configuration and extra locations, so that nothing of them gets into the files.
# usage: tools/lock.sh [--upgrade | --upgrade-package NAME]
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    local out=$1
    shift
    env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
        UV_CUSTOM_COMPILE_COMMAND='make lock' \
        .venv/bin/uv --quiet --system-certs pip compile --no-config --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links "$@" --output-file "requirements/$out"
}

compile runtime.txt pyproject.toml "$@"
compile dev.txt pyproject.toml requirements/dev.in --constraint requirements/runtime.txt "$@"
compile uv.txt requirements/uv.in --constraint requirements/dev.txt "$@"
