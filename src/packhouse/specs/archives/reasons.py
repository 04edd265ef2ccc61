"""Every reason for which an archive can be refused; the reference documentation is made from it."""

from packhouse.specs.archives import inspect, limits, paths, sdists, tars, wheels, zips

REASONS: dict[str, str] = {
    code: sentence
    for module in (limits, inspect, paths, zips, tars, wheels, sdists)
    for code, sentence in module.REASONS.items()
}
