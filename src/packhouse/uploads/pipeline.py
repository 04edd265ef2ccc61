"""The order of the checks, and nothing else.

Each stage is a tuple of checks on one view; between stages, ``opening`` makes the next view.  The texts of refusals
stand in ``checks``, their statuses and meanings in ``reasons``.  To add a rule: one function, one line, one reason, one
test.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from packhouse.base.statements import asked_ahead
from packhouse.specs.errors import Refused
from packhouse.uploads import checks, form, opening
from packhouse.uploads.reasons import Rejected
from packhouse.uploads.stages import Arrival, Described, Opened, Ready, Spooled, Submission, View

ARRIVAL: Final[Sequence[Callable[[Arrival], None]]] = (
    checks.index_is_writable,
    checks.uploads_are_open,
)
SUBMISSION: Final[Sequence[Callable[[Submission], None]]] = (
    checks.sender_is_known,
    checks.protocol_is_known,
    checks.name_is_valid,
    checks.digests_are_hex,
    checks.file_type_is_known,
    checks.python_version_fits_file_type,
    checks.a_digest_is_given,
)
STARTING: Final[Sequence[Callable[[Described], None]]] = (
    checks.may_start_project,
    checks.has_started_few_projects,
    checks.new_projects_are_open,
    checks.name_is_free,
)
PERMISSION: Final[Sequence[Callable[[Described], None]]] = (
    checks.token_fits,
    checks.may_upload_to_project,
    checks.organization_is_active,
    checks.is_in_good_standing,
)
DESCRIBED: Final[Sequence[Callable[[Described], None]]] = (checks.a_file_is_given, *STARTING, *PERMISSION)
RACING: Final[Sequence[Callable[[Spooled], None]]] = (
    checks.file_is_new,
    checks.filename_was_never_used,
    checks.project_stays_small_enough,
    checks.release_is_open,
    checks.sdist_is_the_only_one,
)
SPOOLED: Final[Sequence[Callable[[Spooled], None]]] = (
    checks.filename_is_safe,
    checks.content_type_is_plausible,
    checks.file_is_small_enough,
    checks.digests_match,
)
PLACED: Final[Sequence[Callable[[Spooled], None]]] = (*RACING, checks.filename_names_the_release)
OPENED: Final[Sequence[Callable[[Opened], None]]] = (
    checks.licenses_are_there,
    checks.record_matches,
    checks.form_agrees_with_file,
    checks.attestations_have_publisher,
)


def examine(arrival: Arrival) -> Ready:
    """Run every check, in order.  Raises ``Rejected``, or ``AlreadyPublished`` when there is nothing to do."""
    with refusals():
        run(ARRIVAL, arrival)
        submission = opening.identify(arrival)
        run(SUBMISSION, submission)
        described = opening.describe(submission)
        run(DESCRIBED, described)
        spooled = opening.take_file(described)
        run(SPOOLED, spooled)
        with asked_ahead(checks.asked_racing(spooled)):
            run(PLACED, spooled)
        opened = opening.open_archive(spooled)
        run(OPENED, opened)
        return opening.render_description(opening.verify_attestations(opened))


def order() -> list[str]:
    """Every step in words, for the documentation."""
    steps = (form.read_form, *ARRIVAL, opening.identify, *SUBMISSION, opening.describe, *DESCRIBED, *SPOOLED, *PLACED)
    return [
        step.__name__.replace("_", " ")
        for step in (*steps, opening.open_archive, *OPENED, opening.verify_attestations, opening.render_description)
    ]


def run(stage: Sequence[Callable[[View], None]], view: View) -> None:
    """Run the checks of one stage."""
    for check in stage:
        check(view)


@contextmanager
def refusals() -> Iterator[None]:
    """Make refusals of the specifications, which know nothing of uploads, those of an upload."""
    try:
        yield
    except Refused as refused:
        raise Rejected.of(refused) from refused
