"""Several processes on one machine, through torch's elastic launcher (torch is imported only here and in workers)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gen.processes import EXPECTED

__all__ = ["launch"]


def launch(arguments: Sequence[str], processes: int) -> int:
    """Runs `gen ARGUMENTS` in `processes` processes; returns the exit status of the first to fail, or 0.

    `accelerate launch --cpu` would start a single process without a word; torch's launcher does what it is told. The
    workers check that as many came up as were asked for.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ[EXPECTED] = str(processes)
    # torch 2.13 restarts and teardown are reliable only with a store of their own (pytorch #135712).
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        run_id=f"gen-{os.getpid()}",
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "gen", *arguments)
    except SignalException as stopped:
        return 128 + int(stopped.sigval)
    except ChildFailedError as failed:
        codes = [failure.exitcode for failure in failed.failures.values()]
        return next((code for code in codes if code > 0), 128 - min(codes, default=-127))
    return 0
