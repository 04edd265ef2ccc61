"""Account settings: API tokens."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from packhouse.accounts.access import for_users, user_of
from packhouse.base.forms import TypedConfirmation
from packhouse.tokens import actions, queries
from packhouse.tokens.forms import GRANTS, TokenForm
from packhouse.tokens.models import Token


@require_safe
@for_users()
def tokens(request: HttpRequest) -> HttpResponse:
    """The user's tokens."""
    rows = [(token, queries.scope_of(token)) for token in queries.tokens_of(user_of(request))]
    return render(request, "tokens/list.html", {"section": "token", "rows": rows, "grants": GRANTS})


@require_http_methods(["GET", "POST"])
@for_users()
def create(request: HttpRequest) -> HttpResponse:
    """A new token.  What answers the form is the only page that ever shows its text."""
    user = user_of(request)
    wanted = request.GET.getlist("project")
    initial = {"projects": wanted, "scope": "projects"} if wanted else {}
    form = TokenForm(request.POST or None, user=user, initial=initial)
    if form.is_valid():
        try:
            text = form.save(user=user)
        except ValidationError as error:
            _tell(form, error)
        else:
            return _shown_once(request, form, text)
    return render(request, "tokens/create.html", {"section": "token", "form": form})


@require_http_methods(["GET", "POST"])
@for_users()
def delete(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Asks, then deletes a token of the user."""
    user = user_of(request)
    token = queries.tokens_of(user).filter(pk=token_id).first()
    if token is None:
        raise Http404
    form = TypedConfirmation(request.POST or None, expected=token.description)
    if form.is_valid():
        try:
            actions.delete_token(owner=user, token_id=token_id, by=user)
        except Token.DoesNotExist:
            raise Http404 from None
        messages.success(request, _("The token “%s” is deleted. It works no longer.") % token.description)
        return redirect("tokens")
    return render(request, "tokens/delete.html", {"form": form, "token": token, "cancel_url": "/manage/account/token/"})


def _shown_once(request: HttpRequest, form: TokenForm, text: str) -> HttpResponse:
    context = {
        "section": "token",
        "text": text,
        "description": form.cleaned_data["description"],
        "upload_url": f"{settings.PACKHOUSE.public_url}/legacy/",
    }
    return render(request, "tokens/created.html", context)


def _tell(form: TokenForm, error: ValidationError) -> None:
    """Show what is wrong at its field, where the form has it."""
    for field, texts in error.message_dict.items():
        for text in texts:
            form.add_error(field if field in form.fields else None, text)
