"""The thread count is restored when the last user leaves."""

import SimpleITK as sitk

from engine.spatial.threading import one_thread


def test_the_count_comes_back_after_the_last_user() -> None:
    """Registrations of several phases overlap in time."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    with one_thread():
        with one_thread():
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == before
