"""Pages in a real browser: Chromium from Debian's packages, driven by Playwright, against the index in this process.

``pages.PAGES`` lists the pages; each is checked for accessibility, for width and for errors, in light and dark, and
``make screenshots`` draws them all into ``build/screenshots/``.
"""
