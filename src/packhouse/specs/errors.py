"""The one refusal that checks of the specifications raise."""


class Refused(ValueError):
    """Something does not follow its specification.

    ``code`` is the stable name of the reason (kebab-case): metric label, log field, anchor of the documentation.
    ``message`` is for the person who sent it; ``field`` names the core metadata field, where one is to blame.
    """

    def __init__(self, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
