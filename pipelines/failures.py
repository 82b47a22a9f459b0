"""From an error to what a person reads and a scheduler gets."""

from __future__ import annotations

import errno

from touchline.pipelines.exits import Exit


def explain(error: Exception) -> tuple[Exit, str]:
    """The exit code and message of an error; `Exit.BUG` for those that nobody foresaw."""
    from touchline.features import BusyError, CatalogError, DataError
    from touchline.models.errors import FeatureError, ModelError, TuningError
    from touchline.playbook import PlaybookError
    from touchline.serve.store.errors import StoreError, StoreUnavailableError

    foreseen = {
        PlaybookError: Exit.BAD_PLAYBOOK,
        DataError: Exit.BAD_DATA,
        CatalogError: Exit.USAGE,
        BusyError: Exit.TRY_LATER,
        ModelError: Exit.NO_MODEL,
        StoreError: Exit.NO_STORE,
        StoreUnavailableError: Exit.TRY_LATER,
        FeatureError: Exit.USAGE,
        TuningError: Exit.USAGE,
    }
    if type(error) in foreseen:
        return foreseen[type(error)], str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return Exit.TRY_LATER, "The disk is full. Make room and run the job again; nothing was changed."
    if isinstance(error, OSError) and error.filename is not None:
        return Exit.USAGE, f"{error.filename}: {error.strerror}. Name another place, or change its rights."
    return Exit.BUG, f"Touchline failed where it should not: {type(error).__name__}"
