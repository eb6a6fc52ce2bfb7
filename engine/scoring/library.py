"""LightGBM's shared library, found and loaded without importing its Python package.

It does: load the library once, on first use, and turn its error codes into exceptions. It does not:
import the package, which drags scipy in and takes seconds. The rule it keeps: nothing is looked for or
loaded before the first model is.
"""

import ctypes
import importlib.util
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_void_p
from functools import cache
from typing import Final

_FILES: Final = tuple(
    f"{folder}/lib_lightgbm{suffix}" for folder in ("lib", "bin") for suffix in (".so", ".dylib", ".dll")
)
_SIGNATURES: Final[dict[str, tuple[object, ...]]] = {
    "LGBM_BoosterLoadModelFromString": (c_char_p, POINTER(c_int), POINTER(c_void_p)),
    "LGBM_BoosterFree": (c_void_p,),
    "LGBM_BoosterGetNumFeature": (c_void_p, POINTER(c_int)),
    "LGBM_BoosterPredictForMatSingleRowFastInit": (
        c_void_p, c_int, c_int, c_int, c_int, c_int32, c_char_p, POINTER(c_void_p),
    ),
    "LGBM_BoosterPredictForMatSingleRowFast": (c_void_p, c_void_p, POINTER(c_int64), c_void_p),
    "LGBM_FastConfigFree": (c_void_p,),
    "LGBM_BoosterPredictForMat": (
        c_void_p, c_void_p, c_int, c_int32, c_int32, c_int, c_int, c_int, c_int, c_char_p, POINTER(c_int64),
        c_void_p,
    ),
    "LGBM_GetMaxThreads": (POINTER(c_int),),
    "LGBM_SetMaxThreads": (c_int,),
}  # fmt: skip


class LibraryMissing(RuntimeError):
    """LightGBM's shared library cannot be used on this machine; the message says what to install."""


class LibraryError(RuntimeError):
    """LightGBM answered a call with an error; the message is its own."""


@cache
def library() -> ctypes.CDLL:
    """The loaded library with its signatures set; raises LibraryMissing with the remedy."""
    spec = importlib.util.find_spec("lightgbm")  # reads the folder's place, runs none of its code
    if spec is None or spec.submodule_search_locations is None:
        raise LibraryMissing("LightGBM is not installed: install the locked requirements")
    tried: list[str] = []
    for place in spec.submodule_search_locations:
        for file in _FILES:
            try:
                loaded = ctypes.CDLL(f"{place}/{file}")
            except OSError as error:
                tried.append(str(error))
            else:
                return _with_signatures(loaded)
    raise LibraryMissing(remedy(tried))


def remedy(errors: list[str]) -> str:
    """What to do about the loader's messages: a minimal Debian lacks the OpenMP run-time the wheel needs."""
    if any("libgomp" in error for error in errors):
        return "LightGBM needs the OpenMP run-time libgomp.so.1: apt-get install libgomp1"
    if any("libomp" in error for error in errors):
        return "LightGBM needs the OpenMP run-time libomp: brew install libomp"
    return "LightGBM's shared library could not be loaded: " + "; ".join(errors)


def call(function: str, *arguments: object) -> None:
    """Call one of the functions above; raises LibraryError with LightGBM's message when it answers not 0."""
    loaded = library()
    if getattr(loaded, function)(*arguments) != 0:
        raise LibraryError(str(loaded.LGBM_GetLastError().decode("utf-8", "replace")))


def max_threads() -> int:
    """LightGBM's process-wide cap on threads, -1 where there is none."""
    found = c_int(0)
    call("LGBM_GetMaxThreads", byref(found))
    return found.value


def _with_signatures(loaded: ctypes.CDLL) -> ctypes.CDLL:
    for name, arguments in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.argtypes = arguments
        function.restype = c_int
    loaded.LGBM_GetLastError.argtypes = ()
    loaded.LGBM_GetLastError.restype = c_char_p
    return loaded
