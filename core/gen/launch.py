"""Several processes on one machine, through torch's elastic launcher (torch is imported only here and in workers)."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen.processes import EXPECTED

__all__ = ["launch"]


def launch(arguments: Sequence[str], processes: int) -> int:
    """Runs `gen ARGUMENTS` in `processes` processes; returns the exit status of the first to fail, or 0.

    `accelerate launch --cpu` would start a single process without a word; torch's launcher does what it is told. The
    workers check that as many came up as were asked for. The first process speaks for all; another is
    heard when it failed first.
    """
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException, Std
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    os.environ[EXPECTED] = str(processes)
    # torch 2.13 restarts and teardown are reliable only with a store of their own (pytorch #135712).
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the workers say what went wrong
    with tempfile.TemporaryDirectory(prefix="gen-launch-") as folder:
        quiet = dict.fromkeys(range(1, processes), Std.ERR)
        config = _config(processes, DefaultLogsSpecs(log_dir=folder, redirects=quiet))
        try:
            elastic_launch(config, sys.executable)("-m", "gen", *arguments)
        except SignalException as stopped:
            return 128 + int(stopped.sigval)
        except ChildFailedError as failed:
            rank, first = failed.get_first_failure()
            codes = {failure.local_rank: failure.exitcode for failure in failed.failures.values()}
            if codes.get(0) != first.exitcode:  # the first process fell with another, or was ended for its sake
                sys.stderr.writelines(file.read_text() for file in Path(folder).glob(f"*/*/{rank}/stderr.log"))
            return first.exitcode if first.exitcode > 0 else 128 - first.exitcode
    return 0


def _config(processes: int, logs: Any) -> Any:
    from torch.distributed.launcher.api import LaunchConfig

    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        run_id=f"gen-{os.getpid()}",
        max_restarts=0,
        monitor_interval=0.1,
        logs_specs=logs,
    )
