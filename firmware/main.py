# Starts the board's program. See doorward_node/supervisor.py.

from doorward_node.supervisor import main

main()
