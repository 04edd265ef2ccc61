"""The topics but for those about what went wrong."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from packhouse.pages.helping.topic import Group, Topic

BASICS: Final = Group(
    _("Basics"),
    (
        Topic(
            "packages",
            _("What are projects, releases and files?"),
            (
                _(
                    "A project is a name. Each version that it publishes is a release, and a release consists of files:"
                    " a source distribution (.tar.gz) and wheels (.whl), which are ready to install. Installers look"
                    " at all files of a project and take the one that fits your Python and your machine best."
                ),
            ),
        ),
        Topic(
            "installing",
            _("How do I install from this index?"),
            (
                _("Tell your installer the address of this index, for one command or for good."),
                _("The page for clients has the lines for each tool."),
            ),
            (
                "pip install --index-url {url}/simple/ PROJECT",
                "pip config set global.index-url {url}/simple/",
                "uv add --index packhouse={url}/simple/ PROJECT",
            ),
            (("/setup/clients/", _("Set up your clients")),),
        ),
        Topic(
            "publishing",
            _("How do I publish?"),
            (
                _(
                    "Build your project, for example with the tool build, and upload what it made with twine, uv,"
                    " poetry, hatch, flit or pdm. The first upload starts the project and makes you its owner, unless"
                    " this index wants projects to be started in another way."
                ),
            ),
            ("python -m build", "twine upload --repository-url {url}/legacy/ dist/*"),
        ),
        Topic(
            "trusted-publishing",
            _("What is trusted publishing?"),
            (
                _(
                    "Your build service (GitHub Actions, GitLab CI/CD, Google Cloud or ActiveState) proves with a"
                    " signed statement who it is, and gets a token that is good for a quarter of an hour. There is no"
                    " secret that could leak."
                ),
                _(
                    "Owners say under “Your projects” which workflow they trust. For a project that does not exist yet,"
                    " add a pending publisher to your account: its first upload starts the project."
                ),
                _(
                    "In the job, allow identity tokens (“id-token: write” at GitHub) and let uv or the publishing"
                    " action of GitHub upload to this index; nothing else is to be set."
                ),
            ),
            ("uv publish --trusted-publishing always --publish-url {url}/legacy/",),
            (("/manage/account/publishing/", _("Your pending publishers")), ("/manage/projects/", _("Your projects"))),
        ),
        Topic(
            "attestations",
            _("What are attestations, and what does provenance tell?"),
            (
                _(
                    "An attestation is a signed statement by the service that published a file: from which repository,"
                    " by which workflow, at which commit. It is written into a public log when it is signed, and this"
                    " index has verified it before the file was published. All attestations of a file are its"
                    " provenance, which you find beside the file and at the address that the simple API names."
                ),
                _(
                    "Provenance tells where a file comes from, not that it is harmless. Look twice at a release that"
                    " comes from elsewhere than the one before, or that has lost its provenance."
                ),
                _(
                    "Files get attestations when a trusted publisher uploads them: clients that sign send them along."
                    " An upload is refused when one of its attestations is not verified, is about another file, or was"
                    " signed for another publisher than the one that uploads."
                ),
            ),
        ),
        Topic(
            "classifiers",
            _("What are classifiers, and how do I get a new one?"),
            (
                _(
                    "Classifiers say in agreed words what a project is for, how mature it is and where it runs, so that"
                    " people can search by them. The list is kept for all of Python in the project trove-classifiers;"
                    " propose a new one there. One that begins with “Private ::” keeps a project from being"
                    " published by accident: no public index takes it."
                ),
            ),
            (),
            (("/classifiers/", _("All classifiers")),),
        ),
        Topic(
            "yanked",
            _("What does it mean that a release is yanked?"),
            (
                _(
                    "Its maintainers advise against it. Installers pass it over, unless you ask for exactly this"
                    " version; who depends on it already can still install it. Yanking can be undone, deleting not."
                ),
            ),
        ),
        Topic(
            "archived",
            _("What does it mean that a project is archived?"),
            (_("Its owners do not expect to publish anything more. Everything stays and can be installed."),),
        ),
        Topic(
            "pre-releases",
            _("What are pre-releases?"),
            (
                _(
                    "Versions with a, b, rc or dev in them, like 2.0rc1. Installers take them only when you ask for"
                    " them, or when there is nothing else."
                ),
            ),
            ("pip install --pre PROJECT",),
        ),
        Topic(
            "verified",
            _("What does “verified” mean on a project page?"),
            (
                _(
                    "The index has proof that a link leads to the project's own page or to the source that it is"
                    " published from, or that an address belongs to one of its maintainers. Everything else is what"
                    " the authors wrote. It may be right, but nobody has checked it."
                ),
            ),
        ),
    ),
)
ACCOUNT: Final = Group(
    _("Your account"),
    (
        Topic(
            "verified-email",
            _("Why must I verify my e-mail address?"),
            (
                _(
                    "It is the way back into your account, and the way to warn you. If the letter does not come, look"
                    " among what was taken for spam and ask for another in your account settings."
                ),
            ),
        ),
        Topic(
            "compromised-password",
            _("Why was my password refused or turned off?"),
            (
                _(
                    "It stands in a list of passwords that were stolen elsewhere, so others can guess it. Choose a new"
                    " one that you use nowhere else; a password manager makes good ones."
                ),
            ),
        ),
        Topic(
            "suspicious-activity",
            _("I see something in my account that was not me. What now?"),
            (
                _(
                    "Change your password, end all sessions, revoke tokens that you do not know, and look at your"
                    " second factors. Then check the history of your projects and write to the administrators."
                ),
            ),
        ),
        Topic(
            "two-factor",
            _("Which second factors can I use?"),
            (
                _(
                    "Security keys and passkeys (WebAuthn), which nobody can be tricked into giving away, and apps that"
                    " show a code of six digits (TOTP). Have two, and print the recovery codes."
                ),
            ),
        ),
        Topic(
            "totp",
            _("How do I set up an authenticator app, and what if its codes are refused?"),
            (
                _(
                    "Scan the picture in your account settings and type the code that the app shows. Codes depend on"
                    " the time: if they are refused, let your phone set its clock by itself. Each code works once."
                ),
            ),
        ),
        Topic(
            "security-keys",
            _("How do I use a security key or a passkey?"),
            (
                _(
                    "Add it in your account settings with a browser that knows WebAuthn, as all current ones do, and"
                    " give it a name. It works only at the very address at which it was added."
                ),
            ),
        ),
        Topic(
            "recovery-codes",
            _("What are recovery codes for?"),
            (_("Each lets you in once when your second factor is lost. Keep them apart from your password."),),
        ),
        Topic(
            "tokens",
            _("What are API tokens, and how do I use them?"),
            (
                _(
                    "Passwords for programs. A token can be limited to projects, to a time and in other ways. Use"
                    " __token__ as the user name and the token, with its prefix, as the password."
                ),
            ),
        ),
        Topic(
            "leaked-token",
            _("What if a token was seen by others?"),
            (_("Revoke it at once in your account settings, then look at what has been uploaded since."),),
        ),
        Topic(
            "sensitive-actions",
            _("Why am I asked for my password again?"),
            (_("For what could do harm, the index wants to know that it is still you who sits there."),),
        ),
        Topic(
            "username",
            _("Can I change my user name?"),
            (_("Not by yourself, because links and histories carry it. The administrators can, for a good reason."),),
        ),
        Topic(
            "account-recovery",
            _("I cannot get into my account any more."),
            (
                _(
                    "Ask for a new password at the sign-in page. Without second factor and recovery codes, write to the"
                    " administrators from an address of your account; they will ask you to prove that it is yours."
                ),
            ),
        ),
    ),
)
PROGRAMS: Final = Group(
    _("For programs"),
    (
        Topic(
            "apis",
            _("Which interfaces are there?"),
            (
                _(
                    "The simple index in HTML and JSON, the JSON API, feeds, uploads and XML-RPC, at the addresses"
                    " where programs for PyPI expect them. Say in your User-Agent who you are."
                ),
            ),
            ("{url}/simple/PROJECT/", "{url}/pypi/PROJECT/json", "{url}/rss/updates.xml"),
        ),
        Topic(
            "mirroring",
            _("How do I mirror this index?"),
            (
                _(
                    "With bandersnatch or anything else that reads the simple index. Every change has a serial number;"
                    " ask for what came after the last one that you have."
                ),
            ),
        ),
        Topic(
            "notifications",
            _("How do I learn of new releases?"),
            (_("Each project has a feed of its releases; there are feeds of all releases and of new projects too."),),
        ),
        Topic(
            "statistics",
            _("Are downloads counted?"),
            (
                _(
                    "Yes, by day, version, installer and version of Python, without addresses. Project pages show"
                    " them. What caches and mirrors hand out is not counted."
                ),
            ),
        ),
        Topic(
            "hashes",
            _("How do I check that a file is the right one?"),
            (
                _(
                    "Every file is listed with its SHA-256, and installers compare it. Write hashes into your"
                    " requirements, so that nothing else can ever be installed."
                ),
            ),
            ("pip install --require-hashes -r requirements.txt",),
        ),
        Topic(
            "vulnerabilities",
            _("How do I learn of vulnerabilities in what I use?"),
            (
                _(
                    "Where its administrators have given this index a list of known vulnerabilities, the pages of a"
                    " project say which releases are affected, under “Security” and among the releases, and so does its"
                    " JSON. A project without any may be one that no list knows."
                ),
                _(
                    "Tools that compare what you have installed with a public list tell you which releases to leave."
                    " Names that are yours alone are on no such list."
                ),
            ),
            ("pip-audit --vulnerability-service osv",),
        ),
        Topic(
            "addresses",
            _("Which network addresses does this index have?"),
            (
                _(
                    "Let it through your firewall by its name: addresses change. Pages, packages and uploads all come"
                    " from the address of this page, unless the administrators have put a cache or a store of files"
                    " in front."
                ),
            ),
        ),
    ),
)
RULES: Final = Group(
    _("Projects and names"),
    (
        Topic(
            "names",
            _("Which names may a project have?"),
            (
                _(
                    "Letters, digits, points, hyphens and underscores. Case and the choice of separators do not count."
                    " Names that look like one which exists, names of the standard library and names that the"
                    " administrators have closed are refused."
                ),
            ),
        ),
        Topic(
            "name-claims",
            _("Can I take over a name that nobody seems to use?"),
            (_("Ask its owners first. If they do not answer, the administrators decide."),),
        ),
        Topic(
            "roles",
            _("What may owners and maintainers do?"),
            (
                _(
                    "Both publish and yank. Owners also invite others, set up trusted publishers, and delete releases"
                    " or the project."
                ),
            ),
        ),
        Topic(
            "sizes",
            _("How large may files and projects be?"),
            (_("As large as the limits below, unless the administrators have raised them for a project."),),
        ),
        Topic(
            "file-names",
            _("Why can I not upload a file again under the same name?"),
            (
                _(
                    "A file name stands for the same bytes for ever, even after the file is deleted: otherwise what was"
                    " checked yesterday could be something else today. Publish a new version."
                ),
            ),
        ),
        Topic(
            "deletion",
            _("Can I delete a release?"),
            (
                _("Yes, but others may depend on it, and it cannot be undone. Nearly always, yank it instead."),
                _("It is gone from all pages at once; its files can still be fetched by their addresses for a while."),
            ),
        ),
        Topic(
            "private",
            _("Can I publish something that only some may see?"),
            (
                _(
                    "No: whoever can reach this index can install everything in it. Who can reach it is for its"
                    " administrators to say."
                ),
                _(
                    "To make sure that a package never leaves your house by mistake, give it a classifier that begins"
                    " with “Private ::”: no public index takes it."
                ),
            ),
        ),
        Topic(
            "admin-intervention",
            _("When do the administrators step in?"),
            (
                _(
                    "When something does harm, is spam, misleads by its name, or breaks the rules of this index; and"
                    " when nobody is left to answer for a project. What they do to a project stands in its history."
                ),
            ),
        ),
        Topic(
            "quarantine",
            _("What is quarantine?"),
            (
                _(
                    "While the administrators look into a report, nobody can install the project, nor download its"
                    " files by an address that is known. When it turns out well, everything comes back as it was."
                ),
            ),
        ),
        Topic(
            "malware",
            _("How do I report malware?"),
            (_("Write to the administrators: which project, which version, and what in which file does harm."),),
            (),
            (("/security/", _("Whom to write to")),),
        ),
    ),
)
ABOUT: Final = Group(
    _("About"),
    (
        Topic(
            "about",
            _("Who runs this index?"),
            (
                _(
                    "The people at the address below. The software is Packhouse, which anyone can run; it is made"
                    " neither by PyPI nor by the Python Software Foundation."
                ),
            ),
        ),
        Topic(
            "accessibility",
            _("Can I use this site with assistive technology?"),
            (_("It is meant to meet WCAG 2.2 AA. If something does not work for you, tell the administrators."),),
        ),
        Topic(
            "cookies",
            _("Which cookies does this site set?"),
            (
                _(
                    "Those that keep you signed in and remember your language and colours. Pages for everybody set"
                    " none, and no page loads anything from elsewhere."
                ),
            ),
        ),
        Topic(
            "availability",
            _("Is this index up, and will it change?"),
            (
                _(
                    "Whether it answers stands at the address below. When it is brought to a new version is for the"
                    " administrators to say; what is new in each is told with the software."
                ),
            ),
            ("{url}/_ready/",),
        ),
        Topic(
            "contributing",
            _("Where do I say what is missing or wrong?"),
            (
                _(
                    "Of this index, to the administrators. The software is open to everybody: try it, report what"
                    " fails, translate it, or make it better."
                ),
            ),
        ),
    ),
)
