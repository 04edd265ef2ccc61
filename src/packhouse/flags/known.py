"""Every flag there is, and what it does when it is on."""

KNOWN: dict[str, str] = {
    "read-only": "Nothing can be changed: uploads are refused and no form is accepted.",
    "disallow-new-upload": "Uploads are temporarily disabled.",
    "disallow-new-project-registration": "New projects cannot be created.",
    "disallow-new-user-registration": "New accounts cannot be created.",
    "disallow-deletion": "Projects, releases and files cannot be deleted.",
    "disallow-oidc": "Trusted publishing is disabled.",
    "disallow-github-oidc": "Trusted publishing from GitHub is disabled.",
    "disallow-gitlab-oidc": "Trusted publishing from GitLab is disabled.",
    "disallow-google-oidc": "Trusted publishing from Google Cloud is disabled.",
    "disallow-activestate-oidc": "Trusted publishing from ActiveState is disabled.",
    "disable-pep740": "Attestations sent with uploads are ignored.",
    "disable-upload-scanning": "Uploaded files are not scanned.",
}
