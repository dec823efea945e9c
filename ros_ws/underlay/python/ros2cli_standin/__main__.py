"""Run the stand-in ``ros2``; its own folder goes to the end of the path, so that real packages win."""

import os
import sys

if not __package__:
    sys.path.append(os.path.dirname(os.path.abspath(sys.path.pop(0))))

from ros2cli_standin.ending import end_process
from ros2cli_standin.main import main

if __name__ == '__main__':
    end_process(main())
