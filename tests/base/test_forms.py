"""Forms look and read the same everywhere, without markup of their own."""

import pytest
from django import forms

from packhouse.base.forms import TypedConfirmation


class Sample(forms.Form):
    name = forms.CharField(label="Name", help_text="Letters and digits.")
    note = forms.CharField(label="Note", required=False)
    scope = forms.ChoiceField(label="Scope", widget=forms.RadioSelect, choices=[("all", "All"), ("one", "One")])
    agree = forms.BooleanField(label="I agree", help_text="For good.")
    token = forms.CharField(widget=forms.HiddenInput)

    def clean(self):
        raise forms.ValidationError("These do not go together.")


@pytest.fixture
def wrong():
    return str(Sample({"note": "kept <b>"}))


def test_a_field_is_tied_to_its_label_hint_and_error(wrong):
    assert '<label for="id_name">Name</label>' in wrong
    assert '<div class="hint" id="id_name_helptext">Letters and digits.</div>' in wrong
    assert 'id="id_name_error"' in wrong
    assert 'aria-describedby="id_name_helptext id_name_error"' in wrong
    assert (
        wrong.index("id_name_helptext")
        < wrong.index('id="id_name_error"')
        < wrong.index('<input type="text" name="name"')
    )


def test_the_summary_leads_to_each_field(wrong):
    assert 'class="error-summary" role="alert"' in wrong
    assert "<li>These do not go together.</li>" in wrong
    for label, target in [("Name", "id_name"), ("Scope", "id_scope_0"), ("I agree", "id_agree")]:
        assert f'<a href="#{target}">{label}: This field is required.</a>' in wrong
        assert f'id="{target}"' in wrong


def test_what_was_typed_is_kept_and_escaped(wrong):
    assert 'value="kept &lt;b&gt;"' in wrong


def test_choices_are_a_group_with_a_legend(wrong):
    assert "<legend>Scope</legend>" in wrong
    assert wrong.count("<fieldset") == 1


def test_an_optional_field_says_so_and_a_fresh_form_has_no_summary():
    fresh = str(Sample())
    assert '<label for="id_note">Note <span class="optional">(optional)</span></label>' in fresh
    assert "error-summary" not in fresh
    assert fresh.count('name="token"') == 1


@pytest.mark.parametrize(("typed", "is_right"), [("Sample", True), (" Sample ", True), ("sample", False), ("", False)])
def test_a_dangerous_action_needs_the_exact_name(typed, is_right):
    form = TypedConfirmation({"confirmation": typed}, expected="Sample")
    assert form.is_valid() == is_right
    assert "Type “Sample” to confirm" in str(form)
