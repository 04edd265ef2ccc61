"""The settings, without what runs by the clock: at a full hour it would mingle with the tasks that a test looks at."""

from packhouse.settings import *  # noqa: F403

PACKHOUSE_SCHEDULE = "tests.queue.unscheduled.NOTHING"
NOTHING = ()
