"""Who may include what: DESIGN section 1, as data.

A path's layer is the longest prefix in LAYERS that it has. The layer says which includes are fine:
"libc" is any header of the C library; "free" those headers that C promises without one; "contract"
the files src/hal/*.h; "own" the includer's folder; any other word is a folder under src/ or tests/.
A *_priv.h is for its own folder and for tests.
"""
import os

FREESTANDING = {'stdint.h', 'stddef.h', 'stdbool.h', 'stdarg.h', 'stdatomic.h', 'limits.h',
                'stdalign.h', 'stdnoreturn.h', 'float.h', 'iso646.h'}
CONTRACT_LINKS = {'hal/machine.h', 'hal/arch.h'}

LAYERS = {
    'src/hal': ['free', 'contract'],
    'src/hal/common': ['free', 'contract', 'hal/common'],
    'src/hal/x86_64': ['free', 'contract', 'hal/common', 'own'],
    'src/hal/arm64': ['free', 'contract', 'hal/common', 'own'],
    'src/hal/host': ['free', 'libc', 'contract', 'hal/common', 'own'],
    'src/core': ['free', 'contract', 'core'],
    'src/services': ['free', 'contract', 'core', 'services', 'own'],
    'cli': ['free', 'libc', 'contract', 'hal/host', 'core', 'own'],
    'tests/kernel': ['free', 'contract', 'hal/common', 'core', 'services', 'kernel', 'own'],
    'tests/hal': ['free', 'contract', 'own', 'kernel'],
    'tests/unit': ['free', 'libc', 'contract', 'hal/common', 'core', 'services', 'kernel', 'own'],
    'tests/fuzz': ['free', 'libc', 'contract', 'hal/common', 'hal/x86_64', 'hal/arm64', 'hal/host',
                   'core', 'services', 'own'],
    'tests/bench': ['free', 'libc', 'own', 'contract', 'core', 'kernel', 'services'],
    'tests/programs': ['free', 'libc', 'own'],
}


def layer_of(path):
    best = None
    for prefix in LAYERS:
        if path.startswith(prefix + '/') and (best is None or len(prefix) > len(best)):
            best = prefix
    return best


def resolve(root, path, name):
    """The file that "name" means, relative to the root, or None."""
    if name in CONTRACT_LINKS:
        return 'src/' + name
    for folder in ('src', 'tests', '.'):
        if os.path.exists(os.path.join(root, folder, name)):
            return os.path.normpath(os.path.join(folder, name))
    return None


def refuse(root, path, name, angle):
    """Why `path` must not include `name`, or None."""
    layer = layer_of(path)
    if layer is None:
        return None
    may = LAYERS[layer]
    if angle:
        if name in FREESTANDING or 'libc' in may:
            return None
        return f'{layer} knows no C library, only {" ".join(sorted(FREESTANDING))}'
    if '/' not in name or name.startswith('.'):
        return 'includes are written from src/, so that their first word names the layer'
    target = resolve(root, path, name)
    if target is None:
        return 'there is no such file'
    folder = os.path.dirname(target)
    own = folder == os.path.dirname(path)
    if target.endswith('_priv.h') and not own and not path.startswith('tests/'):
        return 'a _priv.h is for its own folder'
    if folder == 'src/hal':
        return None if 'contract' in may else f'{layer} does not know the HAL contract'
    if 'own' in may and (own or target.startswith(layer + '/')):
        return None
    for word in may:
        for base in ('src/', 'tests/'):
            if target.startswith(base + word + '/') and word not in ('free', 'libc', 'own'):
                return None
    return f'{layer} must not know {folder}'
