"""Audit: who did what to what, when and from where.

Words: an *event* has a *tag* (``api_token:added``), a *subject* (whom or what it happened to) and an *actor*.
Events hold plain values, not foreign keys: they outlive what they tell about, and the room stands below all others.
Doors: ``models``, ``actions.record``, ``queries``, ``tags``.
"""
