"""How every form of the house looks, and the form that asks to confirm a dangerous action.

``FORM_RENDERER`` names ``Renderer``, so ``{{ form }}`` and ``{{ form.name.as_field_group }}`` need no markup around
them: label, hint, error and input come in this order, tied together for screen readers; ``{{ form }}`` begins with a
summary of errors whose links lead to the fields.
"""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _


class Field(BoundField):
    """A field as it stands in a page."""

    @property
    def is_choice(self) -> bool:
        """Whether this is a single checkbox, whose label stands after it."""
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def first_id(self) -> str:
        """The id of the element that a link from the error summary leads to."""
        if self.use_fieldset and self.auto_id:
            return f"{self.auto_id}_0"
        return self.id_for_label or self.auto_id


class Renderer(TemplatesSetting):
    """Forms in the house's markup; templates are looked for in ``TEMPLATES``, then in Django's own."""

    form_template_name = "base/forms/form.html"
    field_template_name = "base/forms/field.html"
    bound_field_class = Field


class TypedConfirmation(forms.Form):
    """Asks to type *expected*, the name of what is about to be changed for good.

    Subclass it to ask for more (a reason, a password).  Capitals count; spaces around what is typed do not.
    """

    confirmation = forms.CharField(
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["confirmation"].label = _("Type “%(name)s” to confirm") % {"name": expected}

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.expected:
            raise forms.ValidationError(
                _("This is not “%(name)s”. Type the name exactly as it is shown."), "mismatch", {"name": self.expected}
            )
        return typed
