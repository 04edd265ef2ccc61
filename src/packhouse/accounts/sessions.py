"""Where sessions are kept: Django's table, read with a question that is compiled once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from packhouse.base import clock
from packhouse.base.statements import Question

_SESSION = Question(lambda key: Session.objects.filter(session_key=key), str)


class SessionStore(db.SessionStore):
    """Django's sessions in the database; every page that somebody has signed in for begins with reading one."""

    def _get_session_from_db(self) -> Session | None:
        session: Session | None = _SESSION.object(Session, self.session_key)
        if session is not None and session.expire_date > clock.now():
            return session
        self._session_key = None
        return None
