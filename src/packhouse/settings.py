"""Django's settings, made from the one ``Config``.  Nothing else in the house reads the environment."""
