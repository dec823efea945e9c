"""Robot and worlds as USD for Isaac Sim: `python -m loom.sim.usd` converts them anew and checks the result.

The converters pin another MuJoCo and clash with usd-core, so each gets an environment of its own in build/usd.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from loom.core.errors import SimulationError
from loom.sim.mujoco_model import build_world
from loom.sim.world import read_world

CONVERTERS = ('urdf-usd-converter==0.3.4', 'mujoco-usd-converter==0.8.0')
CHECKER = ('usd-core==26.11',)
TIMEOUT_S = 600.0
CHECK = '''
import sys
from pxr import Usd, UsdValidation
for path in sys.argv[1:]:
    stage = Usd.Stage.Open(path)
    registry = UsdValidation.ValidationRegistry()
    context = UsdValidation.ValidationContext(registry.GetOrLoadAllValidators())
    errors = [e for e in context.Validate(stage) if e.GetType() == UsdValidation.ValidationErrorType.Error]
    for error in errors:
        print(path, error.GetErrorAsString(), file=sys.stderr)
    if errors or not stage.GetDefaultPrim():
        sys.exit(1)
'''


def convert(sim: Path, work: Path) -> list[Path]:
    """Writes sim/usd/<name>.usdc for every robot and world, and gives the files once the checker accepts them."""
    work.mkdir(parents=True, exist_ok=True)
    tools, checker = _environment(work / 'convert', CONVERTERS), _environment(work / 'check', CHECKER)
    files = [_convert(tools / 'urdf_usd_converter', urdf, work, sim / 'usd')
             for urdf in sorted((sim / 'robots').glob('*.urdf'))]
    for sdf in sorted((sim / 'worlds').glob('*.sdf')):
        files.append(_convert(tools / 'mujoco_usd_converter', _as_mjcf(sdf, work), work, sim / 'usd'))
    _run([str(checker / 'python'), '-c', CHECK, *map(str, files)])
    return files


def _as_mjcf(sdf: Path, work: Path) -> Path:
    spec = build_world(read_world(sdf))
    spec.compile()
    file = work / f'{sdf.stem}.xml'
    file.write_text(spec.to_xml(), encoding='utf-8')
    return file


def _convert(tool: Path, source: Path, work: Path, target: Path) -> Path:
    made = work / 'made' / source.stem
    shutil.rmtree(made, ignore_errors=True)
    _run([str(tool), '--no-layer-structure', str(source), str(made)])
    shutil.copytree(made, target, dirs_exist_ok=True)
    return next(target / file.name for file in made.glob('*.usd*'))


def _environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """The bin folder of a virtual environment with these packages."""
    marker = folder / '.packages'
    if not marker.is_file() or marker.read_text() != ' '.join(packages):
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / 'bin' / 'python'), '-m', 'pip', '--quiet', '--disable-pip-version-check']
        _run([*pip, 'install', *packages])
        marker.write_text(' '.join(packages))
    return folder / 'bin'


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SimulationError(f'{Path(command[0]).name} must succeed, ended with {done.returncode}: '
                              f'{(done.stderr or done.stdout).strip()[-600:]}')


if __name__ == '__main__':
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
