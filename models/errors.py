"""What can be wrong with a model or its features; light to import, so that a failing command fails at once."""


class ModelError(Exception):
    """A model that is missing, damaged, or of another version; the message says which, and what to do."""


class TuningError(ValueError):
    """A search for settings that cannot begin or go on; the message says why, and what to do."""


class FeatureError(ValueError):
    """Features that do not fit the model; the message says which columns, and no values."""
