"""`doorward …` that compiles no firmware which a test has compiled before: `python flash_command.py board flash …`."""

import kept_builds

from doorward.cli import main

if __name__ == "__main__":
    kept_builds.install()
    main()
