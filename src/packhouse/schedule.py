"""What runs by the clock.  The whole list, readable in one place."""

from datetime import time

from packhouse.accounts import tasks as accounts
from packhouse.attestations import tasks as attestations
from packhouse.audit import tasks as audit
from packhouse.documents import tasks as documents
from packhouse.downloads import tasks as downloads
from packhouse.index import tasks as index
from packhouse.integrations import tasks as integrations
from packhouse.mail import tasks as mail
from packhouse.publishers import tasks as publishers
from packhouse.purge import tasks as purge
from packhouse.queue import tasks as queue
from packhouse.queue.periodic import Daily, Every
from packhouse.search import tasks as search
from packhouse.throttle import tasks as throttle
from packhouse.uploads import tasks as uploads

SCHEDULE: list[Every | Daily] = [
    Every(documents.prune_changes, seconds=600),
    Every(throttle.forget_expired, seconds=3600),
    Every(purge.sweep, seconds=300),
    Every(uploads.render_again, seconds=300),
    Every(index.remove_doomed, seconds=3600),
    Every(integrations.mark_new_releases, seconds=60),
    Every(accounts.announce_terms, seconds=600),
    Every(publishers.tell_of_tokens, seconds=600),
    Daily(queue.prune_finished, at=time(3, 10)),
    Daily(mail.forget_old, at=time(3, 20)),
    Daily(audit.forget_old, at=time(3, 25)),
    Daily(accounts.erase_deleted_accounts, at=time(3, 30)),
    Daily(accounts.check_domains, at=time(4, 0)),
    Daily(downloads.forget_old, at=time(3, 50)),
    Daily(publishers.expire_pending, at=time(2, 0)),
    Daily(publishers.remind_of_pending, at=time(3, 0)),
    Daily(publishers.forget_expired, at=time(6, 0)),
    Daily(search.rebuild, at=time(4, 20)),
    Daily(index.sweep_temporaries, at=time(3, 40)),
    Daily(attestations.update_root, at=time(5, 0)),
    Daily(index.look_over, at=time(4, 40)),
]
