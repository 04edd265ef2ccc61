"""The forms of publishers, one for each kind.  The names of fields are those that links with values use."""

import re
from typing import Any, ClassVar, Final

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from packhouse.publishers import owners
from packhouse.publishers.issuers import issuers_of, provider_of
from packhouse.publishers.providers.provider import Issuer
from packhouse.publishers.wanted import Wanted

OWNER: Final = RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z", _("Use letters, digits and hyphens."))
REPOSITORY: Final = RegexValidator(r"\A[A-Za-z0-9._-]+\Z", _("Use letters, digits, dots, hyphens and underscores."))
WORKFLOW: Final = RegexValidator(
    r"\A[^/@\s]+\.ya?ml\Z", _("Give a file name that ends in .yml or .yaml, without a path.")
)
PIPELINE: Final = RegexValidator(
    r"\A(?!/)(?!.*//)[^@\s]*[^/@\s]\.ya?ml\Z",
    _("Give a path that ends in .yml or .yaml and does not begin with a slash."),
)
NAMESPACE: Final = RegexValidator(
    r"\A[A-Za-z0-9_](?:[A-Za-z0-9]|[._-](?![._-]))*(?:/[A-Za-z0-9_](?:[A-Za-z0-9]|[._-](?![._-]))*)*\Z",
    _("Give the path of the group as it is in addresses, like acme/tools."),
)
GITLAB_PROJECT: Final = RegexValidator(
    r"\A[A-Za-z0-9_](?:[A-Za-z0-9]|[._-](?![._-]))*\Z", _("Give the name as it is in addresses.")
)
ENDS_BADLY: Final = RegexValidator(r"(?:\.git|\.atom|[._-])\Z", _("GitLab takes no such name."), inverse_match=True)
ENVIRONMENT: Final = RegexValidator(
    r"""\A[^\s\x00-\x1f\x7f'"`,;\\](?:[^\x00-\x1f\x7f'"`,;\\]*[^\s\x00-\x1f\x7f'"`,;\\])?\Z""",
    _("Use no quotes, commas, semicolons or backslashes, and no space at either end."),
)
GITLAB_ENVIRONMENT: Final = RegexValidator(r"\A[A-Za-z0-9 _/${}.-]+\Z", _("GitLab takes no such name."))
NUMBER: Final = RegexValidator(r"\A[1-9][0-9]{0,30}\Z", _("This is a number."))
ACTIVESTATE: Final = RegexValidator(
    r"\A[.A-Za-z0-9](?:[.A-Za-z0-9]|-(?!-)){1,38}[.A-Za-z0-9]\Z", _("Use 3 to 40 letters, digits, dots and hyphens.")
)
PLAIN: Final = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


def _text(label: Any, *validators: RegexValidator, hint: Any = "", required: bool = True, longest: int = 100) -> Any:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=longest,
        validators=list(validators),
        widget=forms.TextInput(attrs=PLAIN),
        strip=False,
    )


def _environment(*validators: RegexValidator) -> Any:
    hint = _("Jobs outside of it may not publish. Empty: jobs of the workflow in any environment, or in none.")
    return _text(_("Environment"), *validators, hint=hint, required=False, longest=255)


class PublisherForm(forms.Form):
    """A publisher of the kind ``kind``.  ``wanted`` is what was entered, once it is valid."""

    kind: ClassVar[str]
    issuer_url = forms.ChoiceField(label=_("Server"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issuers = issuers_of(self.kind)
        choice: Any = self.fields["issuer_url"]
        choice.choices = [(issuer.url, _name(issuer)) for issuer in self.issuers]
        self.initial.setdefault("issuer_url", self.issuers[0].url)
        if len(self.issuers) == 1:
            del self.fields["issuer_url"]

    @property
    def issuer(self) -> Issuer:
        chosen = self.cleaned_data.get("issuer_url")
        return next((issuer for issuer in self.issuers if issuer.url == chosen), self.issuers[0])

    def wanted(self) -> Wanted:
        raise NotImplementedError


class GitHubForm(PublisherForm):
    kind = "github"
    owner = _text(_("Owner"), OWNER, hint=_("The person or organization that the repository belongs to."))
    owner_id = _text(
        _("Number of the owner"),
        NUMBER,
        hint=_(
            "Names change hands, numbers do not. It is the “id” at https://api.github.com/users/OWNER, with the name of"
            " the owner in place of OWNER."
        ),
        longest=31,
    )
    repository = _text(_("Repository"), REPOSITORY)
    workflow_filename = _text(
        _("Workflow"), WORKFLOW, hint=_("The name of the file in .github/workflows, like release.yml."), longest=255
    )
    environment = _environment(ENVIRONMENT)
    field_order = ("issuer_url", "owner", "owner_id", "repository", "workflow_filename", "environment")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if owners.is_set_up():
            self.fields["owner_id"].required = False
            if len(self.issuers) == 1:
                del self.fields["owner_id"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if owners.is_set_up() and "owner" in data:
            self._look_up(data)
        return data

    def _look_up(self, data: dict[str, Any]) -> None:
        """Ask GitHub who the owner is; a server of one's own is not asked."""
        if self.issuer != self.issuers[0]:
            if not data.get("owner_id") and "owner_id" not in self.errors:
                self.add_error("owner_id", _("This field is required for a server of one's own."))
            return
        try:
            found = owners.owner_named(data["owner"])
        except owners.NoSuchOwner:
            self.add_error("owner", _("GitHub knows nobody of that name."))
        except owners.OwnersUnavailable as trouble:
            limited = _("GitHub was asked too often. Try again in some minutes.")
            self.add_error("owner", limited if trouble.is_limited else _("GitHub does not answer. Try again later."))
        else:
            data["owner"], data["owner_id"] = found.name, found.number

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        fields = {
            "owner": data["owner"],
            "repository": data["repository"],
            "workflow": data["workflow_filename"],
            "environment": data["environment"].lower(),
        }
        return Wanted(self.issuer, fields, data["owner_id"])


class GitLabForm(PublisherForm):
    kind = "gitlab"
    namespace = _text(
        _("Namespace"),
        NAMESPACE,
        ENDS_BADLY,
        hint=_("The user or group, with all groups above it, like acme/tools."),
        longest=255,
    )
    project = _text(_("Project"), GITLAB_PROJECT, ENDS_BADLY)
    project_id = _text(
        _("Number of the project"),
        NUMBER,
        hint=_(
            "Shown on the project's page as “Project ID”. Empty: that of the first project of this name that publishes."
        ),
        required=False,
        longest=31,
    )
    workflow_filepath = _text(
        _("Top-level pipeline file"), PIPELINE, hint=_("Its path in the repository, like .gitlab-ci.yml."), longest=255
    )
    environment = _environment(GITLAB_ENVIRONMENT)
    field_order = ("issuer_url", "namespace", "project", "project_id", "workflow_filepath", "environment")

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        fields = {
            "namespace": data["namespace"],
            "project": data["project"],
            "workflow": data["workflow_filepath"],
            "environment": data["environment"],
        }
        return Wanted(self.issuer, fields, data["project_id"])


class GoogleForm(PublisherForm):
    kind = "google"
    email = forms.EmailField(label=_("Email address of the service account"), max_length=254)
    sub = _text(
        _("Number of the service account"),
        NUMBER,
        hint=_("Its “unique ID”. Empty: whichever account has the address."),
        required=False,
        longest=31,
    )
    field_order = ("email", "sub")

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        return Wanted(self.issuer, {"email": data["email"], "subject": data["sub"]})


class ActiveStateForm(PublisherForm):
    kind = "activestate"
    organization = _text(_("Organization"), ACTIVESTATE, longest=40)
    project = _text(_("Project"), ACTIVESTATE, longest=40)
    actor = _text(_("User name of the actor"), ACTIVESTATE, hint=_("Who starts the builds."), longest=40)
    actor_id = _text(
        _("Number of the actor"),
        RegexValidator(re.compile(r"\A[0-9a-fA-F-]{1,40}\Z"), _("This is a number, or a UUID.")),
        hint=_("The “actor_id” of the identity tokens: names change hands, numbers do not."),
        longest=40,
    )
    field_order = ("organization", "project", "actor", "actor_id")

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        fields = {name: data[name] for name in ("organization", "project", "actor")}
        return Wanted(self.issuer, fields, data["actor_id"])


FORMS: Final[dict[str, type[PublisherForm]]] = {
    form.kind: form for form in (GitHubForm, GitLabForm, GoogleForm, ActiveStateForm)
}


class ProjectNameForm(forms.Form):
    """The project that a pending publisher is to start."""

    project_name = _text(
        _("Name of the project"), hint=_("The name in the metadata of your files. It is not reserved."), longest=200
    )


def pending_form(kind: str) -> type[PublisherForm]:
    """The form of a pending publisher of that kind."""
    of_kind = FORMS[kind]
    order = ("project_name", *(of_kind.field_order or ()))
    return type(f"Pending{of_kind.__name__}", (ProjectNameForm, of_kind), {"field_order": order})


class EnvironmentForm(forms.Form):
    """The environment that a publisher is constrained to."""

    environment = _text(_("Environment"), ENVIRONMENT, longest=255)


def _name(issuer: Issuer) -> str:
    """The server as people choose it."""
    is_public = issuer.url == provider_of(issuer).issuer
    return f"{issuer.kind}.com" if is_public else issuer.host
