"""What follows from each fact.  The whole list, readable in one place."""

from packhouse.accounts import facts as people
from packhouse.accounts import handlers as accounts
from packhouse.accounts.factors import facts as factors
from packhouse.accounts.factors import handlers as factor_letters
from packhouse.attestations.facts import ProvenanceAdded
from packhouse.base.facts import Fact, Reaction
from packhouse.flags.facts import FlagTurned
from packhouse.index import handlers
from packhouse.index import tasks as index
from packhouse.index.facts import BlobsRemoved
from packhouse.mail import facts as mail
from packhouse.organizations import facts as groups
from packhouse.organizations import handlers as organizations
from packhouse.pages.purging import pages_changed
from packhouse.projects import facts
from packhouse.projects import handlers as projects
from packhouse.publishers import handlers as publishers
from packhouse.search import tasks as search
from packhouse.tokens import handlers as tokens


def _project(fact: facts.ProjectFact) -> tuple[int]:
    return (fact.project_id,)


def _nothing(_fact: Fact) -> tuple[()]:
    return ()


FIND = [(search.index_project, _project)]
"""Search follows within seconds, and no change waits for it."""

REACTIONS: dict[type[Fact], Reaction] = {
    facts.ProjectCreated: Reaction(handlers=[handlers.project_created, publishers.project_created, pages_changed]),
    facts.ReleaseCreated: Reaction(),  # its first FilePublished follows in the same transaction
    facts.FilePublished: Reaction(handlers=[handlers.file_published, pages_changed], tasks=FIND),
    ProvenanceAdded: Reaction(handlers=[handlers.provenance_added]),  # of a file whose FilePublished it comes with
    facts.ReleaseYanked: Reaction(handlers=[handlers.release_yank_changed, pages_changed], tasks=FIND),
    facts.ReleaseUnyanked: Reaction(handlers=[handlers.release_yank_changed, pages_changed], tasks=FIND),
    facts.ReleaseQuarantineChanged: Reaction(handlers=[handlers.release_quarantine_changed, pages_changed], tasks=FIND),
    facts.ReleasesMarked: Reaction(handlers=[handlers.releases_marked, pages_changed]),
    facts.FileDeleted: Reaction(handlers=[handlers.file_deleted, pages_changed], tasks=FIND),
    facts.ReleaseDeleted: Reaction(handlers=[handlers.release_deleted, pages_changed], tasks=FIND),
    facts.ProjectDeleted: Reaction(
        handlers=[handlers.project_deleted, publishers.project_deleted, pages_changed], tasks=FIND
    ),
    facts.WithheldFilesDeleted: Reaction(
        handlers=[handlers.withheld_files_deleted], tasks=[(index.remove_doomed, _nothing)]
    ),
    BlobsRemoved: Reaction(handlers=[pages_changed]),
    facts.ProjectStatusChanged: Reaction(handlers=[handlers.project_status_changed, pages_changed], tasks=FIND),
    facts.RoleChanged: Reaction(handlers=[handlers.role_changed, pages_changed]),
    facts.ProjectOrganizationChanged: Reaction(handlers=[handlers.organization_changed, pages_changed]),
    groups.OrganizationCreated: Reaction(handlers=[pages_changed]),
    groups.OrganizationChanged: Reaction(handlers=[pages_changed]),
    groups.OrganizationDeleted: Reaction(handlers=[pages_changed]),
    groups.MemberChanged: Reaction(handlers=[pages_changed]),
    FlagTurned: Reaction(handlers=[handlers.flag_turned, pages_changed]),
    people.AccountDeleted: Reaction(handlers=[handlers.account_changed, pages_changed]),
    people.AccountRestored: Reaction(handlers=[handlers.account_changed, pages_changed]),
    people.AccountErased: Reaction(
        handlers=[projects.account_erased, organizations.account_erased, tokens.account_erased, pages_changed]
    ),
    people.PrimaryAddressChanged: Reaction(handlers=[pages_changed]),
    people.ProfileChanged: Reaction(handlers=[pages_changed]),
    factors.FactorAdded: Reaction(handlers=[factor_letters.factor_added]),
    factors.FactorRemoved: Reaction(handlers=[factor_letters.factor_removed]),
    factors.RecoveryCodesGenerated: Reaction(handlers=[factor_letters.recovery_codes_generated]),
    factors.RecoveryCodeUsed: Reaction(handlers=[factor_letters.recovery_code_used]),
    mail.LettersSent: Reaction(handlers=[accounts.letters_sent]),
    mail.LetterDelivered: Reaction(handlers=[accounts.letter_delivered]),
    mail.LetterBounced: Reaction(handlers=[accounts.letter_bounced]),
    mail.LetterComplained: Reaction(handlers=[accounts.letter_complained]),
}
