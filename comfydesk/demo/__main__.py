"""The demo pod as a child process; see demo.process."""

import sys

from comfydesk.demo.service import main

if __name__ == "__main__":
    main(sys.argv[1:])
