"""A local cluster has as many workers as were asked for, of one thread each."""

import os

import pytest
import torch

pytest.importorskip("distributed")

from massgan_core.surveying_cluster import check_scheduler, client_of


def threads(dask_worker):
    """Of a worker: Dask's, and those that products may take."""
    return dask_worker.state.nthreads, os.environ["OMP_NUM_THREADS"], torch.get_num_threads()


@pytest.mark.parametrize("count", [1, 2])
def test_local_workers_are_as_many_as_asked_for_with_a_thread_each(count):
    with client_of(f"local:{count}") as client:
        found = client.run(threads)
    assert list(found.values()) == [(1, "1", 1)] * count


@pytest.mark.parametrize("words", ["local:0", "nowhere", "local:x"])
def test_other_words_are_refused(words):
    with pytest.raises(ValueError, match="--dask"):
        check_scheduler(words)
