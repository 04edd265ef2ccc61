"""Trusted publishing: jobs of GitHub, GitLab, Google Cloud and ActiveState publish without a secret that could leak.

Words: an *issuer* signs the identity tokens of jobs (OpenID Connect); a *provider* knows what the claims of one kind of
issuer mean; a *publisher* is whom a project trusts, one row for all projects that trust the same; a *pending* publisher
belongs to a project that does not exist yet, and starts it.  To *mint* is to give a job a token of this index for its
identity token.

Doors: ``models``, ``queries.identify``, ``actions``, ``rules.may_upload``, ``facts``, ``handlers``, ``tasks``.

An upload that came with a minted token has ``identity.kind == "publisher"``, and ``identity.publisher`` (see
``base.identity.Publisher``) says who that is: ``identity.publisher.attestation_identity`` is what attestations have to
name (kind, issuer, repository, workflow, environment, or e-mail; None where the provider has no such thing).
"""
