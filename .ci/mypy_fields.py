"""Tells mypy at once what the field of a structured numpy array is.

`events["tsc"]` matches the fourth of numpy's overloads of `__getitem__`. That a string is no index mypy finds out from
recursive protocols, a quarter of a second long and anew in each module: two thirds of what checking all of them took.
The answer is the same: an array of the same shape, with elements of any type.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import Expression, StrExpr
from mypy.plugin import MethodSigContext, Plugin
from mypy.types import AnyType, FunctionLike, Instance, TypeOfAny, get_proper_type


class FieldsOfArrays(Plugin):
    """Asked by mypy for the signature of each method that is called."""

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """That of `ndarray.__getitem__`, which depends on its key."""
        return signature if fullname == "numpy.ndarray.__getitem__" else None


def signature(context: MethodSigContext) -> FunctionLike:
    """(key: str) -> the field, if the key is a string; else as numpy has it."""
    array, usual = get_proper_type(context.type), context.default_signature
    keys = context.args[0] if context.args else []
    if not (isinstance(array, Instance) and len(keys) == 1 and is_string(keys[0], context)):
        return usual
    shape, dtype = array.args
    of_any = get_proper_type(dtype)
    if not isinstance(of_any, Instance):
        return usual
    field = array.copy_modified(args=[shape, of_any.copy_modified(args=[AnyType(TypeOfAny.explicit)])])
    string = context.api.named_generic_type("builtins.str", [])
    return usual.copy_modified(
        arg_types=[string], arg_kinds=usual.arg_kinds[-1:], arg_names=[None], ret_type=field, variables=()
    )


def is_string(key: Expression, context: MethodSigContext) -> bool:
    """Whether it is one, written down or as a variable."""
    if isinstance(key, StrExpr):
        return True
    known = get_proper_type(context.api.get_expression_type(key))
    return isinstance(known, Instance) and known.type.fullname == "builtins.str"


def plugin(_version: str) -> type[Plugin]:
    """What mypy looks for."""
    return FieldsOfArrays
