"""Namespaces and names of nodes."""

from __future__ import annotations

import re

from launch.substitutions import SubstitutionFailure


def prefix_namespace(base_ns: str | None, ns: str | None) -> str | None:
    """Return ``ns`` below ``base_ns``; an absolute ``ns`` as it is; None if there is neither."""
    if ns is None or (ns == '' and base_ns is not None):
        return base_ns
    if ns.startswith('/') or not base_ns:
        return ns
    return f'{base_ns.rstrip("/")}/{ns}'


def make_namespace_absolute(ns: str | None) -> str | None:
    """Return the namespace with a leading slash and without one at its end."""
    if ns is None:
        return None
    return '/' + ns.strip('/')


def check_namespace(namespace: str) -> str:
    """Return an absolute namespace; SubstitutionFailure if it is no valid one."""
    if namespace != '/' and not re.fullmatch(r'(/[A-Za-z_][A-Za-z0-9_]*)+', namespace):
        raise SubstitutionFailure(
            f'a namespace must be made of letters, digits and _ with / between, and no part may begin with a digit; '
            f'got {namespace!r}'
        )
    return namespace


def check_node_name(name: str) -> str:
    """Return a node name; SubstitutionFailure if it is no valid one."""
    if not re.fullmatch(r'[A-Za-z_][A-Za-z0-9_]*', name):
        raise SubstitutionFailure(
            f'a node name must be made of letters, digits and _ and not begin with a digit; got {name!r}'
        )
    return name
