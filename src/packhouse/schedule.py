"""What runs by the clock.  The whole list, readable in one place."""

from datetime import time

from packhouse.queue import tasks as queue
from packhouse.queue.periodic import Daily, Every

SCHEDULE: list[Every | Daily] = [
    Daily(queue.prune_finished, at=time(3, 10)),
]
