"""A pickle's instructions, carried out without Python's unpickler.

A pickle is a program for a machine with a stack. The programs that `torch.save` writes for a model's weights use few of
its instructions and name a few things to call; here those names stand for records of our own. Whatever else a file
says, a call of `os.system` above all, is an error that quotes it.
"""

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from tunegate.errors import UserError

MOST_INSTRUCTIONS = 2_000_000  # a model of 1,000 tensors has some 40,000
REMEDY = "Where you trust the file, save the model anew with transformers elsewhere and add that folder."


@dataclass(frozen=True)
class Named:
    """Something that the file names, as text: `torch FloatStorage`."""

    name: str


@dataclass(frozen=True)
class Storage:
    """A run of numbers that lies elsewhere in the file. `kind` is the name of its type, `count` how many."""

    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A part of a storage: `offset` and `strides` in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass
class _Machine:
    """`marks`: the stacks that a MARK has set aside."""

    where: str
    stack: list[Any] = field(default_factory=list)
    marks: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop_to_mark(self) -> list[Any]:
        taken, self.stack = self.stack, self.marks.pop()
        return taken

    def carry_out(self, name: str, argument: Any) -> None:
        if name in PUSHED:
            self.stack.append(PUSHED[name]() if callable(PUSHED[name]) else PUSHED[name])
        elif name in LITERALS:
            self.stack.append(argument)
        elif name in DONE:
            DONE[name](self, argument)
        elif name not in IGNORED:
            raise self.refused(f"the instruction {name}")

    def refused(self, what: str) -> UserError:
        return UserError(f"{self.where} is no file of weights alone: it holds {what}.", REMEDY)

    def call(self, named: object, arguments: object) -> Any:
        """What the few things that may be named give; none of them is looked up anywhere."""
        if not isinstance(named, Named) or not isinstance(arguments, tuple):
            raise self.refused("a call of something without a name")
        if named.name == "collections OrderedDict" and len(arguments) <= 1:
            return dict(arguments[0]) if arguments else {}
        if named.name == "torch._utils _rebuild_tensor_v2" and len(arguments) >= 4:
            storage, offset, shape, strides = arguments[:4]
            return StoredTensor(storage, offset, tuple(shape), tuple(strides))
        if named.name == "torch._utils _rebuild_parameter" and arguments:
            return arguments[0]
        raise self.refused(f"a call of {named.name!r}")


PUSHED: dict[str, Any] = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
LITERALS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
}  # fmt: skip
IGNORED = {"PROTO", "FRAME", "STOP"}


def _mark(machine: _Machine, argument: Any) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _tuple(count: int) -> "Callable[[_Machine, Any], None]":
    def made(machine: _Machine, argument: Any) -> None:
        taken = [machine.stack.pop() for _ in range(count)]
        machine.stack.append(tuple(reversed(taken)))

    return made


def _tuple_to_mark(machine: _Machine, argument: Any) -> None:
    taken = machine.pop_to_mark()
    machine.stack.append(tuple(taken))


def _list_to_mark(machine: _Machine, argument: Any) -> None:
    taken = machine.pop_to_mark()
    machine.stack.append(taken)


def _append(machine: _Machine, argument: Any) -> None:
    value = machine.stack.pop()
    machine.stack[-1].append(value)


def _appends(machine: _Machine, argument: Any) -> None:
    taken = machine.pop_to_mark()
    machine.stack[-1].extend(taken)


def _set_item(machine: _Machine, argument: Any) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.stack[-1][key] = value


def _set_items(machine: _Machine, argument: Any) -> None:
    taken = machine.pop_to_mark()
    machine.stack[-1].update(zip(taken[::2], taken[1::2], strict=True))


def _build(machine: _Machine, argument: Any) -> None:
    machine.stack.pop()  # the state of an ordered dict: `_metadata`, versions of modules, which weights do without


def _put(machine: _Machine, argument: Any) -> None:
    machine.memo[len(machine.memo) if argument is None else argument] = machine.stack[-1]


def _get(machine: _Machine, argument: Any) -> None:
    machine.stack.append(machine.memo[argument])


def _global(machine: _Machine, argument: Any) -> None:
    machine.stack.append(Named(str(argument)))


def _stack_global(machine: _Machine, argument: Any) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(Named(f"{module} {name}"))


def _reduce(machine: _Machine, argument: Any) -> None:
    arguments, named = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(machine.call(named, arguments))


def _storage(machine: _Machine, argument: Any) -> None:
    """`('storage', torch.FloatStorage, key, place, count)`, and in old files a view of it at the end."""
    said = machine.stack.pop()
    known = isinstance(said, tuple) and len(said) in (5, 6) and said[0] == "storage" and isinstance(said[1], Named)
    if not known or not isinstance(said[4], int) or (len(said) == 6 and said[5] is not None):
        raise machine.refused("a reference to something that is no run of numbers")
    machine.stack.append(Storage(said[1].name, str(said[2]), said[4]))


DONE: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _mark,
    "TUPLE": _tuple_to_mark,
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "LIST": _list_to_mark,
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "BUILD": _build,
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": _put,
    "GET": _get,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BINPERSID": _storage,
}


def read_value(file: IO[bytes], where: str) -> Any:
    """The value of one pickle, from where the file stands to the end of the pickle. Raises UserError."""
    machine = _Machine(where)
    try:
        for count, (name, argument) in enumerate(_instructions(file)):
            if count > MOST_INSTRUCTIONS:
                raise machine.refused("more instructions than any model's")
            machine.carry_out(name, argument)
        return machine.stack.pop()
    except UserError:
        raise
    except Exception as error:  # whatever a damaged program makes of the stack
        raise UserError(
            f"{where} is damaged: its list of weights ends in nonsense.", "Bring the file again."
        ) from error


def _instructions(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    for instruction, argument, _ in pickletools.genops(file):
        yield instruction.name, argument
