"""The checks, in the order in which the pipeline runs them.  A check looks and refuses; it never writes.

Those that look at what other uploads change (``RACING``) run twice: early, so that nothing is unpacked in vain, and
again under the project's lock.
"""

import re
from collections.abc import Iterator

from django.db.models import Q

from packhouse.accounts.rules import must_have_two_factor, must_have_verified_email
from packhouse.attestations.reasons import PREFIX as ATTESTATIONS
from packhouse.base import clock
from packhouse.base.decision import Decision
from packhouse.base.statements import Asked, Question
from packhouse.flags import queries as flags
from packhouse.organizations.queries import is_active
from packhouse.projects import queries as projects
from packhouse.projects.models import File
from packhouse.projects.rules import may_create_project, may_upload
from packhouse.publishers import queries as publishers
from packhouse.publishers.rules import may_publish
from packhouse.specs import filenames, names
from packhouse.specs.metadata import compare
from packhouse.tokens.rules import check as check_token
from packhouse.uploads import creation
from packhouse.uploads.reasons import AlreadyPublished, Rejected
from packhouse.uploads.stages import Arrival, Claim, Described, Opened, Spooled, Submission

MIB, GIB = 1024**2, 1024**3
PACKAGE_TYPES = frozenset(File.PackageType.values)
DIGEST_FIELDS = {"blake2_256_digest": 64, "md5_digest": 32, "sha256_digest": 64}
HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)


def require(decision: Decision) -> None:
    """Refuse what a rule denies."""
    if not decision:
        raise Rejected(decision.code, decision.reason)


# Arrival: is this a time for uploads at all?


def index_is_writable(upload: Arrival) -> None:
    if flags.is_on("read-only"):
        raise Rejected("read-only", "Read-only mode: uploads are temporarily disabled.")


def uploads_are_open(upload: Arrival) -> None:
    if flags.is_on("disallow-new-upload"):
        raise Rejected("uploads-disabled", "New uploads are temporarily disabled. Please try again later.")


# Submission: does the form say what it must?


def sender_is_known(upload: Submission) -> None:
    if upload.identity.is_anonymous:
        raise Rejected("anonymous", "Invalid or non-existent authentication information.")


def protocol_is_known(upload: Submission) -> None:
    if upload.form.text("protocol_version") not in {"", "1"}:
        raise Rejected("unknown-protocol-version", "Unknown protocol version.", field="protocol_version")


def name_is_valid(upload: Submission) -> None:
    names.check_name(upload.form.text("name"))


def digests_are_hex(upload: Submission) -> None:
    for field, length in DIGEST_FIELDS.items():
        digest = upload.form.text(field)
        if digest and (len(digest) != length or not HEX.fullmatch(digest)):
            raise Rejected("invalid-digest", f"Invalid value for {field}. Error: use {length} hex digits.", field=field)


def file_type_is_known(upload: Submission) -> None:
    if upload.form.text("filetype") not in PACKAGE_TYPES:
        raise _invalid("filetype", "use 'sdist' or 'bdist_wheel'")


def python_version_fits_file_type(upload: Submission) -> None:
    python_version = upload.form.text("pyversion")
    if upload.form.text("filetype") == File.PackageType.WHEEL:
        if not python_version:
            raise _invalid("pyversion", "Python version is required for binary distribution uploads")
    elif python_version not in {"", "source"}:
        raise _invalid("pyversion", "use 'source' as Python version for an sdist")


def a_digest_is_given(upload: Submission) -> None:
    if not any(upload.form.text(field) for field in DIGEST_FIELDS):
        raise Rejected("missing-digest", "Error: Include at least one message digest.")


def _invalid(field: str, why: str) -> Rejected:
    return Rejected("invalid-field", f"Invalid value for {field}. Error: {why}.", field=field)


# Described: may they upload to that project?


def a_file_is_given(upload: Described) -> None:
    if upload.form.content is None:
        raise Rejected("missing-file", "Upload payload does not have a file.", field="content")


def may_start_project(upload: Described) -> None:
    if upload.project is None:
        require(may_create_project(upload.identity, two_factor_setting=upload.config.require_two_factor))


def has_started_few_projects(upload: Described) -> None:
    """Counts nothing yet: what is counted is the project that ``record`` creates."""
    if upload.project is None:
        creation.test(upload)


def new_projects_are_open(upload: Described) -> None:
    if upload.project is None:
        if not upload.config.upload_creates_projects:
            message = "Uploads do not create projects here. Ask the administrators of this index for one."
            raise Rejected("uploads-create-no-projects", message)
        if flags.is_on("disallow-new-project-registration"):
            raise Rejected("new-projects-disabled", "New project registration is temporarily disabled.")


def name_is_free(upload: Described) -> None:
    """Where another upload has just started this very project, ``record`` will find it."""
    objection = projects.objection_to(upload.name) if upload.project is None else None
    if objection and objection.code != "project-name-exists":
        raise objection


def token_fits(upload: Described) -> None:
    """The token's caveats are judged on the very project that the file will go to."""
    require(check_token(upload.identity, "projects:upload", upload.project or Claim(upload.normalized_name)))


def may_upload_to_project(upload: Described) -> None:
    project = upload.project
    if project is None:
        return
    if upload.identity.publisher is not None:
        trusted = publishers.is_trusted(upload.identity.publisher.id, project.pk)
        require(may_publish(upload.identity, trusted=trusted, project=project.name, status=project.status))
    else:
        role = projects.role_of(upload.identity.user_id, project)
        require(may_upload(upload.identity, role=role, project=project.name, status=project.status))


def organization_is_active(upload: Described) -> None:
    project = upload.project
    if project is not None and project.organization_id is not None and not is_active(project.organization_id):
        raise Rejected(
            "organization-inactive",
            f"The organization that owns project {project.name!r} is not active: its projects take no new files.",
        )


def is_in_good_standing(upload: Described) -> None:
    """Users, that is: a publisher has no address, and its first factor is the job itself."""
    if upload.project is not None and upload.identity.kind == "user":
        require(must_have_verified_email(upload.identity))
        require(must_have_two_factor(upload.identity, upload.config.require_two_factor))


# Spooled: can this file be a file of the release?


def filename_is_safe(upload: Spooled) -> None:
    filenames.check_filename(upload.filename, upload.filetype)


def content_type_is_plausible(upload: Spooled) -> None:
    """Clients send what they like, uv nothing at all; but an image is a mistake."""
    if upload.content.content_type.startswith("image/"):
        raise Rejected("invalid-file-type", "Invalid distribution file.", field="content")


def file_is_small_enough(upload: Spooled) -> None:
    limit = file_size_limit(upload)
    if upload.content.size > limit:
        message = f"File too large. Limit for project {upload.name!r} is {limit // MIB} MB."
        raise Rejected("file-too-large", message, field="content")


def project_stays_small_enough(upload: Spooled) -> None:
    limit = total_size_limit(upload)
    if upload.project is not None and upload.project.total_size + upload.content.size > limit:
        raise project_too_large(upload)


def digests_match(upload: Spooled) -> None:
    for field in DIGEST_FIELDS:
        digest = upload.form.text(field).lower()
        if digest and digest != getattr(upload.content, field.removesuffix("_digest")):
            message = "The digest supplied does not match a digest calculated from the uploaded file."
            raise Rejected("digest-mismatch", message, field=field)


def file_is_new(upload: Spooled) -> None:
    """The same file again is welcome, however often; another one under that name is not, nor this one under another."""
    content = upload.content
    for file in _SAME.objects(File, upload.filename, content.blake2_256):
        if (file.filename, file.sha256, file.blake2_256) == (upload.filename, content.sha256, content.blake2_256):
            raise AlreadyPublished(file)
        raise file_exists(upload)


_SAME = Question(lambda name, digest: File.objects.filter(Q(filename=name) | Q(blake2_256=digest)), str, str)


def filename_was_never_used(upload: Spooled) -> None:
    """A name whose file is there was published a moment ago, since ``file_is_new``: ``record`` will find it."""
    if projects.was_used(upload.filename) and not File.objects.filter(filename=upload.filename).exists():
        message = (
            "This filename has already been used by a file that was deleted. Use a different version, "
            "because a file name never names other content later."
        )
        raise Rejected("filename-reused", message, field="content")


def release_is_open(upload: Spooled) -> None:
    """Time does not run backwards here: what the journal has seen is past, whatever the clock says now."""
    days = upload.config.release_open_days
    if not days or upload.project is None:
        return
    release = projects.release_of(upload.project.pk, upload.canonical_version)
    if release and (max(clock.now(), projects.newest_change()) - release.created).days >= days:
        message = f"Uploading new files to releases older than {days} days is not allowed. Publish a new version."
        raise Rejected("release-closed", message)


def sdist_is_the_only_one(upload: Spooled) -> None:
    """One of the same name was published a moment ago, since ``file_is_new``: ``record`` will find it."""
    if upload.project is None or upload.filetype != File.PackageType.SDIST:
        return
    releases = upload.project.releases.filter(canonical_version=upload.canonical_version)
    sdists = File.objects.filter(release__in=releases, packagetype=File.PackageType.SDIST)
    if sdists.exclude(filename=upload.filename).exists():
        raise Rejected("second-sdist", "Only one sdist may be uploaded per release.")


def filename_names_the_release(upload: Spooled) -> None:
    fits = filenames.check_sdist if upload.filetype == File.PackageType.SDIST else filenames.check_wheel
    fits(upload.filename, name=upload.name, version=upload.version)


# Opened: is the archive what it says?


def licenses_are_there(upload: Opened) -> None:
    upload.inspection.check_licenses()


def record_matches(upload: Opened) -> None:
    """With ``record_mismatch = "warn"`` the file passes, and ``record`` writes the mismatch into the trail."""
    if upload.config.record_mismatch == "reject":
        upload.inspection.check_record()


def form_agrees_with_file(upload: Opened) -> None:
    """The archive's own metadata is the truth; a form that says otherwise is a mistake or a lie."""
    compare(upload.claimed, upload.metadata)


def attestations_have_publisher(upload: Opened) -> None:
    if has_attestations(upload) and upload.identity.kind != "publisher":
        why = "attestations are only supported with trusted publishing."
        raise Rejected("attestations-need-publisher", ATTESTATIONS + why, field="attestations")


def has_attestations(upload: Arrival) -> bool:
    """Whether it came with attestations, on an index that looks at them."""
    return "attestations" in upload.form.fields and not flags.is_on("disable-pep740")


# What checks and the recording step say alike.


def asked_again(upload: Spooled) -> Iterator[Asked]:
    """What the checks that run twice ask, for who has it asked on one way."""
    yield flags.asked("read-only")
    yield flags.asked("disallow-new-upload")
    if upload.project is not None:
        yield from projects.asked_role(upload.identity.user_id, upload.project)
        if upload.identity.publisher is not None:
            yield publishers.asked_trust(upload.identity.publisher.id, upload.project.pk)
    yield from asked_racing(upload)


def asked_racing(upload: Spooled) -> Iterator[Asked]:
    """What those ask that look at what other uploads change."""
    yield _SAME, upload.filename, upload.content.blake2_256
    yield projects.asked_use(upload.filename)
    if upload.project is not None:
        yield projects.asked_release(upload.project.pk, upload.canonical_version)


def file_size_limit(upload: Described) -> int:
    """How many bytes a file of the project may have: the index's limit, or the project's where that is higher."""
    return max(upload.config.file_size_limit, (upload.project and upload.project.file_size_limit) or 0)


def total_size_limit(upload: Described) -> int:
    """How many bytes all files of the project may have: the index's limit, or the project's where that is higher."""
    return max(upload.config.project_size_limit, (upload.project and upload.project.total_size_limit) or 0)


def project_too_large(upload: Described) -> Rejected:
    limit = total_size_limit(upload)
    message = f"Project size too large. Limit for project {upload.name!r} total size is {limit // GIB} GB."
    return Rejected("project-too-large", message, field="content")


def file_exists(upload: Spooled) -> Rejected:
    digest = upload.content.blake2_256
    message = f"File already exists ({upload.filename!r}, with blake2_256 hash {digest!r})."
    return Rejected("file-exists", message, field="content")
