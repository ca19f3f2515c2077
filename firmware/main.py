# Starts the board's program. See doorward_node/supervisor.py.

import gc

# Loading a module leaves rubbish between what stays. Collected at once, the next module fills the
# gaps; collected only when the heap is full, a third of it is gaps that nothing fits into.
gc.threshold(1024)

from doorward_node.supervisor import main  # noqa: E402

main()
