"""Attestations: who built a published file, signed and written down where everybody can look (PEP 740).

Words: an *attestation* is a signed statement about one file; its *predicate* is what kind of statement that is; an
*attester* is the trusted publisher whose statements are believed; the *trusted root* holds the certificates and keys
that signatures lead back to (Sigstore's, or those of an installation of one's own); a file's *provenance* is the
object with its attestations that the index serves.  Provenance is verified once, before the file is published, and
never changes afterwards.
Doors: ``verify`` (heavy: import it where an upload has attestations), ``attester``, ``actions``, ``queries``,
``status``, ``facts``, ``models``.
"""
