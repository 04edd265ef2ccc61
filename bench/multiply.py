"""A catalogue many times over: what was loaded is copied inside the database under new names.

For measuring at sizes for which rendering everything would take too long on the machine at hand.  Names and summaries
are real or generated ones of their own; a copy's documents say what its pattern's say, so that sizes are right.

``python -m bench.multiply HOME PROJECTS [CATALOGUE]``
"""

import sys
import time
from pathlib import Path

_DIALECT = {
    "sqlite": {
        "uid": "lower(hex(randomblob(16)))",
        "sort_key": "CAST(sort_key || CAST(filename AS BLOB) AS BLOB)",  # two blobs are joined to a text there
        "hex": "printf('%08x', {})",
    },
    "postgresql": {
        "uid": "gen_random_uuid()",
        "sort_key": "sort_key || convert_to(filename, 'UTF8')",
        "hex": "lpad(to_hex({}), 8, '0')",
    },
}
_BODIES = "html_head, html, html_tail, json_head, json, json_tail"
_COPY = "FROM pattern p JOIN names n ON n.id = {names} + p.place"
_RELEASE = f"{_COPY} JOIN projects_release r ON r.project_id = p.id"
_STATEMENTS = (
    f"""INSERT INTO projects_project (id, uid, name, normalized_name, skeleton, created, status, status_reason,
        last_serial, total_size)
    SELECT p.id + {{k}} * {{projects}}, {{uid}}, n.name, n.normalized, n.skeleton, p.created, p.status, '',
        p.last_serial + {{k}} * {{serials}}, p.total_size {_COPY}""",
    f"""INSERT INTO projects_release (id, project_id, version, canonical_version, sort_key, is_prerelease, created,
        summary, requires_python, metadata, verified, yanked, yanked_reason, quarantined, uploaded_via)
    SELECT r.id + {{k}} * {{releases}}, r.project_id + {{k}} * {{projects}}, r.version, r.canonical_version, r.sort_key,
        r.is_prerelease, r.created, n.summary, r.requires_python, r.metadata, r.verified, r.yanked, '', r.quarantined,
        '' {_RELEASE}""",
    f"""INSERT INTO projects_file (id, release_id, project_id, filename, packagetype, python_version, size, md5, sha256,
        blake2_256, path, metadata_sha256, sort_key, comment, sboms, uploaded, uploaded_via)
    SELECT id, release_id, project_id, filename, packagetype, python_version, size, md5, sha256, digest,
        substr(digest, 1, 2) || '/' || substr(digest, 3, 2) || '/' || substr(digest, 5) || '/' || filename,
        metadata_sha256, {{sort_key}}, '', '[]', uploaded, ''
    FROM (SELECT f.id + {{k}} * {{files}} AS id, f.release_id + {{k}} * {{releases}} AS release_id,
        f.project_id + {{k}} * {{projects}} AS project_id,
        n.escaped || substr(f.filename, length(p.normalized_name) + 1) AS filename, f.packagetype, f.python_version,
        f.size, f.md5, f.sha256, {{scrambled}} || substr(f.blake2_256, 9) AS digest, f.metadata_sha256, r.sort_key,
        f.uploaded {_RELEASE} JOIN pattern_file f ON f.release_id = r.id) made""",
    """INSERT INTO projects_filename (filename, created)
    SELECT filename, uploaded FROM projects_file WHERE id > {k} * {files} AND id <= ({k} + 1) * {files}""",
    f"""INSERT INTO projects_journalentry (id, name, action, created)
    SELECT p.last_serial + {{k}} * {{serials}}, n.name, 'create', p.created {_COPY}""",
    *(
        f"""INSERT INTO documents_document (key, serial, segmented, shared, made, {_BODIES})
        SELECT '{kind}/' || n.normalized, d.serial + {{k}} * {{serials}}, {{no}}, d.shared, d.made, {_BODIES} {_COPY}
        JOIN documents_document d ON d.key = '{kind}/' || p.normalized_name"""
        for kind in ("simple", "project")
    ),
    f"""INSERT INTO documents_document (key, serial, segmented, shared, made, {_BODIES})
    SELECT 'release/' || n.normalized || '/' || r.canonical_version, 0, {{no}}, d.shared, d.made, {_BODIES} {_RELEASE}
    JOIN documents_document d ON d.key = 'release/' || p.normalized_name || '/' || r.canonical_version""",
)
_PATTERN = """CREATE TABLE pattern AS
SELECT p.id, p.normalized_name, p.created, p.status, p.last_serial, p.total_size,
    row_number() OVER (ORDER BY p.id) AS place
FROM projects_project p JOIN documents_document d ON d.key = 'simple/' || p.normalized_name WHERE NOT d.segmented"""
_NAMES = """CREATE TABLE names
(id bigint PRIMARY KEY, name text, normalized text, escaped text, skeleton text, summary text)"""


def multiply(target: int, catalogue: Path | None) -> int:
    """Copy what is there until there are about *target* projects; returns how many there are then."""
    from django.db import connection

    from packhouse.base.bulk import filling
    from packhouse.documents import upkeep
    from packhouse.documents.actions import rebuild
    from packhouse.index.sources import IndexSource
    from packhouse.projects import bulk
    from packhouse.projects.models import File, JournalEntry, Project, Release

    largest = {
        name: model.objects.order_by("-pk").values_list("pk", flat=True)[0]
        for name, model in (("projects", Project), ("releases", Release), ("files", File), ("serials", JournalEntry))
    }
    patterns = _prepare(target, catalogue)
    times = (target - Project.objects.count()) // patterns
    dialect = _DIALECT[connection.vendor]
    with filling([*bulk.TABLES, *upkeep.TABLES]):
        for k in range(1, times + 1):
            began = time.monotonic()
            scrambled = f"((f.id + {k} * {largest['files']}) * 2654435761) % 4294967296"
            values = {
                **largest,
                "k": k,
                "names": (k - 1) * patterns,
                "uid": dialect["uid"],
                "scrambled": dialect["hex"].format(f"({scrambled})"),
                "sort_key": dialect["sort_key"],
                "no": "false" if connection.vendor == "postgresql" else "0",
            }
            for statement in _STATEMENTS:
                _run(statement.format(**values))
            print(k, f"{time.monotonic() - began:.1f} s", flush=True)
        _number_on()
        began = time.monotonic()
        rebuild(IndexSource())
        upkeep.mark_everything_changed()
        print("index document", f"{time.monotonic() - began:.1f} s", flush=True)
    for table in ("pattern", "pattern_file", "names"):
        _run(f"DROP TABLE {table}")
    _run("ANALYZE")
    return Project.objects.count()


def _prepare(target: int, catalogue: Path | None) -> int:
    """The patterns (projects without segments) and the names of their copies; returns how many patterns there are."""
    from django.db import connection, transaction

    for statement in (
        *(_PATTERN, "CREATE TABLE pattern_file AS SELECT * FROM projects_file", _NAMES),
        "CREATE INDEX pattern_file_release ON pattern_file (release_id)",
    ):
        _run(statement)
    rows = _names(target, catalogue)
    if connection.vendor == "postgresql":
        with connection.connection.cursor() as raw, raw.copy("COPY names FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        with transaction.atomic():
            connection.connection.executemany("INSERT INTO names VALUES (?, ?, ?, ?, ?, ?)", rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pattern")
        return int(cursor.fetchone()[0])


def _names(target: int, catalogue: Path | None) -> list[tuple[object, ...]]:
    """Rows of names that no project has yet."""
    from bench import catalogue as shape
    from packhouse.projects.models import Project
    from packhouse.specs.names import normalize, skeleton

    there = set(Project.objects.values_list("normalized_name", flat=True))
    guards = set(Project.objects.values_list("skeleton", flat=True))
    rows: list[tuple[object, ...]] = []
    for line in shape.named(target, catalogue):
        name, guard = normalize(line.name), skeleton(line.name)
        if name not in there:
            own = None if guard in guards else guard
            guards.add(guard)
            rows.append((len(rows) + 1, line.name, name, name.replace("-", "_"), own, line.summary[:512]))
    return rows


def _number_on() -> None:
    from django.db import connection

    from packhouse.projects.models import File, JournalEntry, Project, Release

    for model in (Project, Release, File, JournalEntry):
        table = model._meta.db_table
        if connection.vendor == "postgresql":
            _run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        else:
            _run(f"UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM {table}) WHERE name = '{table}'")


def _run(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def main() -> None:
    from bench import load

    load.connect(Path(sys.argv[1]))
    began = time.monotonic()
    count = multiply(int(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
    print(f"{count} projects after {time.monotonic() - began:.0f} s, {load.database_size() / count / 1000:.1f} kB each")


if __name__ == "__main__":
    main()
