"""Agents from files, loaded anew beside those that run: nothing comes from a bytecode cache or an earlier import."""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType

from loom.agents.agent import Agent
from loom.core.errors import ConfigError, LoomError

# What a file holds, as far as it matters here; empty: there is no such file.
Digests = dict[Path, str]


class Program:
    """What one load of a file made: its agents, and its modules, which are found by name while it is installed."""

    def __init__(self, folder: Path, package: str) -> None:
        self.agents: tuple[Agent, ...] = ()
        self.digests: Digests = {}
        self.finder = _Finder(folder, package, self.digests)
        self._modules: dict[str, ModuleType] = {}

    def install(self) -> None:
        """Lets its code import what is beside it, also later from inside a handler."""
        sys.meta_path.insert(0, self.finder)
        for name, module in self._modules.items():
            _name(name, module)

    def withdraw(self) -> None:
        """Takes its modules away from `import`; its own code goes on with those it has."""
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)
        for name, module in self.modules().items():
            self._modules[name] = module
            _unname(name)

    def modules(self) -> dict[str, ModuleType]:
        """Its modules that can be imported now, by name."""
        return {name: module for name, module in _fresh().items() if _loader(module).finder is self.finder}


class Source:
    """A file of agents: `name` is the one it is imported by, `attribute` its only agent that counts, empty: all."""

    def __init__(self, file: Path, name: str = '', attribute: str = '') -> None:
        self.file = file
        self._name = name or file.stem
        self._attribute = attribute
        self._package = self._name.rpartition('.')[0]
        self.digests: Digests = {}

    def look(self) -> Digests:
        """How the files of the last load are now."""
        return {path: digest(path) for path in list(self.digests)}

    def load(self, elsewhere: Collection[Path] = ()) -> Program:
        """Runs the file as it is now; ConfigError with file and line where that fails.

        Agents that it only imports, from a file in `elsewhere`, are left to that one.
        """
        program = Program(self.file.parent, self._package)
        # Also where it is missing: the load is tried again when it comes.
        program.digests[self.file] = ''
        self.digests = program.digests
        if not self.file.is_file():
            raise ConfigError(f'{self.file} is gone')
        with _alone(self._own_imports()):
            if self._name in sys.modules:
                raise ConfigError(f'{self.file}: a file of agents must not be named like a module that is loaded '
                                  f'already, got {self._name!r}')
            program.install()
            try:
                module = importlib.import_module(self._name)
                program.agents = tuple(self._agents(module, program, elsewhere))
            except (Exception, SystemExit) as error:
                raise ConfigError(located(error, program.digests)) from error
            finally:
                program.withdraw()
        return program

    def _agents(self, module: ModuleType, program: Program, elsewhere: Collection[Path]) -> Iterator[Agent]:
        if self._attribute:
            found = getattr(module, self._attribute, None)
            if not isinstance(found, Agent):
                raise ConfigError(f'{self.file}: {self._attribute!r} must be a loom.Agent, got {type(found).__name__}')
            yield found
            return
        others = [other for other in program.modules().values() if Path(other.__file__ or '') in elsewhere]
        left = {id(value) for other in others if other is not module for value in vars(other).values()}
        agents = {id(value): value for value in vars(module).values() if isinstance(value, Agent)}
        if not agents.keys() - left:
            raise ConfigError(f"{self.file}: holds no agent; write one, like guard = Agent('guard')")
        yield from (agent for key, agent in agents.items() if key not in left)

    def _own_imports(self) -> list[str]:
        """What somebody imported the usual way from the package of this file."""
        folder = self.file.parent
        return [name for name, module in list(sys.modules.items()) if self._package
                and name.rpartition('.')[0] == self._package and _file(module).parent == folder]


def sources(target: str) -> list[Source]:
    """The sources that a file, a folder, or `module:attribute` stands for; ConfigError where there are none."""
    path = Path(target).absolute()
    if path.is_dir():
        return [Source(file) for file in agent_files(path)]
    if target.endswith('.py') or path.is_file():
        if not path.is_file() or not path.stem.isidentifier():
            raise ConfigError(f'a file of agents must be there and named like a module, as guard.py; got {target!r}')
        return [Source(path)]
    module, colon, attribute = target.partition(':')
    try:
        spec = find_spec(module) if colon else None
    except (ImportError, ValueError) as error:
        raise ConfigError(f'{target!r} can not be loaded: {error}') from error
    if spec is None or not spec.origin or not spec.origin.endswith('.py'):
        raise ConfigError(f'agents must be a file, a folder or module:attribute that is there, got {target!r}')
    return [Source(Path(spec.origin), module, attribute)]


def agent_files(folder: Path) -> list[Path]:
    """The files of a folder in which agents are declared; its tests are none."""
    return [file for file in sorted(folder.glob('[a-z]*.py')) if not file.name.startswith('test_')
            and file.name != 'conftest.py' and file.stem.isidentifier() and b'Agent(' in _content(file)]


def digest(path: Path) -> str:
    """Tells contents apart; times of files are too coarse for that."""
    content = _content(path)
    return hashlib.sha256(content).hexdigest() if content or path.is_file() else ''


def located(error: BaseException, files: Collection[Path]) -> str:
    """What is wrong, with the innermost line of these files that has to do with it."""
    own = tuple(f'{file}:' for file in files)
    if isinstance(error, SyntaxError) and error.filename and not isinstance(error, LoomError):
        return f'{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}'
    text = str(error) if isinstance(error, LoomError) else f'{type(error).__name__}: {error}'
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if f'{frame.filename}:' in own]
    return text if not frames or text.startswith(own) else f'{frames[-1].filename}:{frames[-1].lineno}: {text}'


class _Loader(SourceFileLoader):
    """Compiles what the file says now, and notes what it was."""

    def __init__(self, fullname: str, path: str, finder: _Finder) -> None:
        super().__init__(fullname, path)
        self.finder = finder

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code

    def get_data(self, path: str) -> bytes:
        content = super().get_data(path)
        self.finder.digests[Path(path)] = hashlib.sha256(content).hexdigest()
        return content


class _Finder(MetaPathFinder):
    """Finds the modules that lie in one folder, by name or as those of a package, and packages below them."""

    def __init__(self, folder: Path, package: str, digests: Digests) -> None:
        self.digests = digests
        self._folder = folder
        self._package = package
        self._own: set[str] = set()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
                  ) -> ModuleSpec | None:
        parent, _, tail = fullname.rpartition('.')
        if parent != self._package and parent not in self._own:
            return None
        for place in (path or ()) if parent in self._own else (str(self._folder),):
            spec = FileFinder(place, (SourceFileLoader, ['.py'])).find_spec(fullname)
            # A folder without __init__.py must not hide the installed package of that name.
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(fullname, str(spec.origin), self)
                self._own.add(fullname)
                return spec
            self.digests.setdefault(Path(place) / f'{tail}.py', '')
        return None


@contextmanager
def _alone(names: Collection[str]) -> Iterator[None]:
    """While in `with`, what is imported from files of agents, and these names, are not there."""
    finders = [finder for finder in sys.meta_path if isinstance(finder, _Finder)]
    aside = {**_fresh(), **{name: sys.modules[name] for name in names}}
    for finder in finders:
        sys.meta_path.remove(finder)
    for name in aside:
        _unname(name)
    try:
        yield
    finally:
        sys.meta_path[:0] = finders
        for name, module in aside.items():
            _name(name, module)


def _name(name: str, module: ModuleType) -> None:
    sys.modules[name] = module
    parent, _, tail = name.rpartition('.')
    if parent in sys.modules:
        setattr(sys.modules[parent], tail, module)


def _unname(name: str) -> None:
    module = sys.modules.pop(name, None)
    parent, _, tail = name.rpartition('.')
    # `from package import module` looks here first.
    if module is not None and getattr(sys.modules.get(parent), tail, None) is module:
        delattr(sys.modules[parent], tail)


def _fresh() -> dict[str, ModuleType]:
    return {name: module for name, module in list(sys.modules.items()) if isinstance(_loader(module), _Loader)}


def _loader(module: ModuleType) -> _Loader:
    return getattr(getattr(module, '__spec__', None), 'loader', None)  # type: ignore[return-value]


def _file(module: ModuleType) -> Path:
    return Path(getattr(module, '__file__', None) or '')


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b''
