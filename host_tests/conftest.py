"""pytest's part of the shared tests: what only a board can run is left to the runner."""

collect_ignore = ["on_board", "contract", "run.py", "school_broker.py"]
