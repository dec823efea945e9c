#!/usr/bin/env bash
# Runs all tests with line coverage of loom, in the processes that tests start too, and prints it at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build/coverage
rm -f build/coverage/.coverage*
export COVERAGE_PROCESS_START=$PWD/tests/coveragerc COVERAGE_FILE=$PWD/build/coverage/.coverage
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
status=0
coverage run --rcfile=tests/coveragerc -m pytest -c ros_ws/src/loom/pytest.ini --rootdir . -q --durations=10 "$@" || status=$?
coverage combine --quiet --rcfile=tests/coveragerc build/coverage
coverage report --rcfile=tests/coveragerc --skip-covered --sort=cover | tail -n 40
exit $status
