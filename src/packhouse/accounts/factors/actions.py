"""Setting up, removing and using second factors.

Whatever may happen once only is one conditional write whose row count is looked at: a time step, a signature counter,
a recovery code.  Nothing here says whether the user may do it; views ask for a fresh password before.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from fido2.utils import websafe_encode
from fido2.webauthn import AttestedCredentialData, AuthenticatorData

from packhouse.accounts import emails, limits
from packhouse.accounts.actions.users import subject
from packhouse.accounts.factors import facts, queries, rules, sealing, totp, webauthn
from packhouse.accounts.factors.models import Key, RecoveryCode, TimeStep
from packhouse.accounts.models import User
from packhouse.accounts.queries import SECOND_FACTORS
from packhouse.audit import actions as audit
from packhouse.base import clock, metrics
from packhouse.base.facts import announce

Method = Literal["totp", "webauthn", "recovery-code"]
RECOVERY_CODES: Final = 8
RECOVERY_CODE_LENGTH: Final = 16
"""Hexadecimal digits of a recovery code: 64 bits, which nobody guesses within the limits."""
LONGEST_LABEL: Final = 64


class FactorRefused(Exception):
    """The second factor was not right.  ``reason`` is for the trail; people are told the same whatever it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def set_up_app(*, user: User, secret: str, step: int, by: audit.Actor = None) -> Authenticator:
    """Make the authenticator app with *secret* the user's, instead of the one before.

    *step* is the time step whose code has proved that the app works; that code is thereby used.
    """
    with transaction.atomic():
        _lock(user)
        former = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        if former is not None:
            _remove(former, by=by)
        factor = Authenticator.objects.create(
            user=user, type=Authenticator.Type.TOTP, data={"secret": sealing.seal(secret)}
        )
        TimeStep.objects.create(factor=factor, step=step)
        _added(user, "totp", "", by=by)
    return factor


def add_key(*, user: User, label: str, data: AuthenticatorData, is_passkey: bool, by: audit.Actor = None) -> Key:
    """Make the credential in *data* the user's.

    Raises ``ValidationError`` for a label that is empty, long or taken, and for a credential that somebody has.
    """
    label = label.strip()
    if not label or len(label) > LONGEST_LABEL:
        raise ValidationError({"label": _("Give the key a name of at most %d characters.") % LONGEST_LABEL})
    credential = data.credential_data
    if credential is None:
        raise ValidationError(_("Your browser sent no credential."))
    try:
        with transaction.atomic():
            _lock(user)
            if label in {key.factor.data["name"] for key in queries.keys_of(user)}:
                raise ValidationError({"label": _("You have a key of this name already.")})
            key = _new_key(user, label, credential, data.counter, is_passkey=is_passkey)
            _added(user, "webauthn", label, by=by)
    except IntegrityError:
        raise ValidationError(_("This key is registered already.")) from None
    return key


def _new_key(user: User, label: str, credential: AttestedCredentialData, counter: int, *, is_passkey: bool) -> Key:
    factor = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={"name": label})
    return Key.objects.create(
        factor=factor,
        credential_id=websafe_encode(credential.credential_id),
        credential=bytes(credential),
        sign_count=counter,
        is_passkey=is_passkey,
    )


def rename_key(*, user: User, factor_id: int, label: str) -> None:
    """Give a key of the user another name.  Raises ``Authenticator.DoesNotExist`` and ``ValidationError``."""
    with transaction.atomic():
        _lock(user)
        factor = Authenticator.objects.get(user=user, pk=factor_id, type=Authenticator.Type.WEBAUTHN)
        others = {key.factor.data["name"] for key in queries.keys_of(user) if key.factor_id != factor_id}
        label = label.strip()
        if not label or len(label) > LONGEST_LABEL or label in others:
            raise ValidationError({"label": _("You have a key of this name already, or it is too long.")})
        factor.data["name"] = label
        factor.save(update_fields=["data"])


def remove_factor(*, user: User, factor_id: int, by: audit.Actor = None) -> None:
    """Remove one of the user's factors; with the last one its recovery codes go.

    Raises ``Authenticator.DoesNotExist`` for any that is not the user's, ``ValidationError`` for one that must stay.
    """
    with transaction.atomic():
        _lock(user)
        factor = Authenticator.objects.get(user=user, pk=factor_id, type__in=SECOND_FACTORS)
        count = Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).count()
        decision = rules.may_remove(queries.setting(), factors=count)
        if not decision.allowed:
            raise ValidationError(decision.reason)
        _remove(factor, by=by)
        if count == 1:
            Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()


def generate_recovery_codes(*, user: User, by: audit.Actor = None) -> list[str]:
    """New recovery codes, in plain text for once; those made before are void."""
    codes = [secrets.token_hex(RECOVERY_CODE_LENGTH // 2) for _number in range(RECOVERY_CODES)]
    with transaction.atomic():
        _lock(user)
        former, _by_model = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        factor = Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})
        RecoveryCode.objects.bulk_create(
            [RecoveryCode(factor=factor, digest=sealing.digests(code)[0]) for code in codes]
        )
        tag = "recovery_codes:regenerated" if former else "recovery_codes:generated"
        audit.record(tag, subject=subject(user), by=by)
        announce(facts.RecoveryCodesGenerated(user.pk))
    return codes


def use_code(user: User, code: str) -> Method:
    """Let *user* in with the code of an authenticator app or a recovery code, which is thereby used up.

    Raises ``FactorRefused``, and ``TooManyRequests`` before anything is looked at.
    """
    typed = "".join(code[:64].split()).lower()
    is_recovery_code = len(typed) == RECOVERY_CODE_LENGTH and set(typed) <= set("0123456789abcdef")
    with _try(user):
        return _burn(user, typed) if is_recovery_code else _use_step(user, code)


def remind_of_recovery_codes(user: User) -> None:
    """Write to whoever has no recovery codes left, once a month at most."""
    if queries.codes_left(user):
        return
    with transaction.atomic():
        emails.recovery_code_reminder(user, cause=f"{user.uid} {clock.now():%Y-%m}")


def use_key(user: User, state: object, answer: str) -> Key:
    """Let *user* in with the browser's *answer* to the challenge in *state*.

    Raises ``FactorRefused``, and ``TooManyRequests`` before anything is looked at.
    """
    with _try(user):
        return _use_answer(user, state, answer)


def key_of_answer(answer: str) -> Key:
    """The key that the answer claims to be of, whoever has it.  Raises ``FactorRefused``."""
    with limits.attempt(limits.unknown_second_factor()) as attempt:
        try:
            credential_id = webauthn.credential_id_of(answer)
            key = Key.objects.select_related("factor__user").get(credential_id=credential_id)
        except (webauthn.AnswerRefused, Key.DoesNotExist) as error:
            raise FactorRefused("invalid_webauthn") from error
        attempt.succeeded()
    return key


def _use_step(user: User, code: str) -> Method:
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if factor is None or "secret" not in factor.data:
        raise FactorRefused("invalid_totp")
    step = totp.matching_step(sealing.unseal(factor.data["secret"]), code, clock.now().timestamp())
    if step is None or not TimeStep.objects.filter(factor=factor, step__lt=step).update(step=step):
        raise FactorRefused("invalid_totp")
    _note_use(factor)
    return "totp"


def _burn(user: User, code: str) -> Method:
    mine = RecoveryCode.objects.filter(factor__user=user, digest__in=sealing.digests(code))
    with transaction.atomic():
        if not RecoveryCode.objects.filter(pk__in=mine.values("pk"), used=None).update(used=clock.now()):
            raise FactorRefused("burned_recovery_code" if mine.exists() else "invalid_recovery_code")
        left = queries.codes_left(user)
        audit.record("recovery_codes:used", subject=subject(user), by=user, additional={"left": left})
        announce(facts.RecoveryCodeUsed(user.pk, left))
    return "recovery-code"


def _use_answer(user: User, state: object, answer: str) -> Key:
    try:
        key = queries.keys_of(user).get(credential_id=webauthn.credential_id_of(answer))
        counter = webauthn.signed_counter(state, bytes(key.credential), answer)
    except (webauthn.AnswerRefused, Key.DoesNotExist) as error:
        raise FactorRefused("invalid_webauthn") from error
    challenge = webauthn.challenge_of(state)
    # Authenticators without a counter always say 0; all others must count up (WebAuthn, 7.2, step 22).
    fresh = Q(sign_count=0) if counter == 0 else Q(sign_count__lt=counter)
    written = Key.objects.filter(fresh, pk=key.pk).exclude(last_challenge=challenge)
    if not written.update(sign_count=counter, last_challenge=challenge):
        raise FactorRefused("invalid_webauthn")
    _note_use(key.factor)
    return key


def _note_use(factor: Authenticator) -> None:
    Authenticator.objects.filter(pk=factor.pk).update(last_used_at=clock.now())


@contextmanager
def _try(user: User) -> Iterator[None]:
    """One try of a second factor, counted before it is looked at, forgiven when it was right."""
    with limits.attempt(limits.second_factor(user)) as attempt:
        try:
            yield
        except FactorRefused as refused:
            metrics.count("packhouse_authentications", "second-factor", "refused")
            with transaction.atomic():
                told = {"reason": refused.reason}
                audit.record("login:failure", subject=subject(user), by=None, additional=told)
            raise
        attempt.succeeded()
    metrics.count("packhouse_authentications", "second-factor", "accepted")


def _added(user: User, method: str, label: str, *, by: audit.Actor) -> None:
    told = {"method": method, "label": label}
    audit.record("two_factor:method_added", subject=subject(user), by=by, additional=told)
    announce(facts.FactorAdded(user.pk, method, label))


def _remove(factor: Authenticator, *, by: audit.Actor) -> None:
    user, method, label = factor.user, str(factor.type), factor.data.get("name", "")
    factor.delete()
    told = {"method": method, "label": label}
    audit.record("two_factor:method_removed", subject=subject(user), by=by, additional=told)
    announce(facts.FactorRemoved(user.pk, method, label))


def _lock(user: User) -> None:
    """One at a time changes a user's factors, so that none is the last one twice and no name is there twice."""
    User.objects.select_for_update().get(pk=user.pk)
