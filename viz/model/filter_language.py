"""The language in which events are looked for: `kind=exit,entry`, `latency > 200us and not lane=guest`, `doorbell #48`.

    filter    = all { "or" all }
    all       = one { ["and"] one }
    one       = "not" one | "(" filter ")" | field operator value { "," value } | pattern
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">="
    pattern   = a bare word | "quoted text" | /regular expression/      looked for in what happened, in words

Mistakes are FilterErrors, one sentence each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.foreign import LONGEST, shown
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.filter import Everything, Filter, Not, NumberTest, OneOf, Says, Several, Took, When
from bellwire.viz.text.event_words import like
from bellwire.viz.text.figures import THIN

LANES = {"guest": Lane.GUEST, "vcpu": Lane.VCPU, "kvm": Lane.KVM, "io": Lane.IO_THREAD, "engine": Lane.ENGINE}
KINDS = {kind.name.lower(): kind for kind in EventKind}
NAMES: dict[str, dict[str, int]] = {"kind": {**KINDS}, "lane": {**LANES}}
NUMBERS = {"id": "id", "number": "seq", "value": "arg", "vm": "vm"}
LATENCIES = {
    "latency": "",
    "roundtrip": "round_trip",
    "doorbell": "doorbell",
    "injection": "injection",
    "store": "store_cost",
}
UNITS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
FIELDS = ("kind", "lane", *NUMBERS, *LATENCIES, "time")
TOKEN = re.compile(r'\s*(?:(/(?:\\.|[^/\\])*/?)|("[^"]*"?)|([()])|(!=|<=|>=|[=<>])|(,)|([^\s()=!<>,"]+|!))')
MOST_TOKENS = 200
HINT = tr_later("Filter: kind=exit, latency>200us, /pattern/ …")
EXPLAINED = tr_later(
    "<p style='white-space:pre'>kind=exit,entry   lane=guest   vm=1   id=0x510   "
    "number=48213   value&gt;1\n"
    "latency&gt;200us   (roundtrip, doorbell, injection, store likewise; ns, us, ms, s)\n"
    "time&gt;1.5s   since the first event\n"
    'doorbell   "read() returned 3"   /regular expression/   in what happened\n'
    "and, or, not, ( )</p>"
)


class FilterError(ValueError):
    """What is wrong with a filter, in one sentence that says what would be right."""

    def __init__(self, sentence: str) -> None:
        super().__init__(shown(sentence, LONGEST))


def parse(text: str) -> Filter:
    """The filter that a text means; everything, if it is empty. Raises FilterError."""
    parser = Parser(tokens_of(text.replace(THIN, "")))
    if len(parser.tokens) > MOST_TOKENS:
        raise FilterError(tr("This filter has more than {number} words.", number=MOST_TOKENS))
    return parser.filter() if parser.tokens else Everything()


@dataclass(frozen=True)
class Lexeme:
    """A piece of the text; `of` is its sort: word, operator, comma, bracket, pattern, quoted."""

    of: str
    text: str


def tokens_of(text: str) -> list[Lexeme]:
    """The pieces of a filter's text."""
    sorts = ("pattern", "quoted", "bracket", "operator", "comma", "word")
    found, at = [], 0
    while match := TOKEN.match(text, at):
        at = match.end()
        found.append(next(Lexeme(of, piece) for of, piece in zip(sorts, match.groups(), strict=True) if piece))
    return found


class Parser:
    """Reads the tokens from the left."""

    def __init__(self, tokens: list[Lexeme]) -> None:
        self.tokens, self._at = tokens, 0

    def filter(self) -> Filter:
        """The whole text."""
        found = self._any()
        if self._next() is not None:
            raise FilterError(tr("There is a ) without its (."))
        return found

    def _next(self, of: str = "", *texts: str) -> Lexeme | None:
        """The next token, if it is of that sort and one of those texts (if any are given)."""
        token = self.tokens[self._at] if self._at < len(self.tokens) else None
        if token is None or (of and token.of != of) or (texts and token.text.lower() not in texts):
            return None
        return token

    def _take(self, of: str = "", *texts: str) -> Lexeme | None:
        token = self._next(of, *texts)
        self._at += token is not None
        return token

    def _any(self) -> Filter:
        parts = [self._all()]
        while self._take("word", "or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Several(False, tuple(parts))

    def _all(self) -> Filter:
        parts = [self._one()]
        while self._take("word", "and") or (
            self._next() and not self._next("word", "or") and not self._next("bracket", ")")
        ):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Several(True, tuple(parts))

    def _one(self) -> Filter:
        if self._take("word", "not", "!"):
            return Not(self._one())
        if self._take("bracket", "("):
            inner = self._any()
            if not self._take("bracket", ")"):
                raise FilterError(tr("A ) is missing."))
            return inner
        token = self._take()
        if token is None:
            raise FilterError(tr("Something is missing at the end."))
        if token.of == "word" and (operator := self._take("operator")):
            return comparison(token.text.lower(), operator.text, self._values(token.text))
        return pattern(token)

    def _values(self, field: str) -> list[str]:
        values = [self._value(field)]
        while self._take("comma"):
            values.append(self._value(field))
        return values

    def _value(self, field: str) -> str:
        value = self._take("word") or self._take("pattern")
        if value is None:
            raise FilterError(tr("What should {field} be? {example}", field=field, example=example(field.lower())))
        return value.text


def pattern(token: Lexeme) -> Filter:
    """A word, a quoted text or a regular expression, looked for in what happened."""
    if token.of == "operator":
        raise FilterError(tr("Before {word} there must be one of {fields}.", word=token.text, fields=", ".join(FIELDS)))
    if token.of in ("comma", "bracket"):
        raise FilterError(tr("{word} stands where it says nothing.", word=token.text))
    if token.of == "word":
        return Says(literal(token.text))
    closed = len(token.text) > 1 and token.text[-1] == token.text[0]
    inner = token.text[1:-1] if closed else token.text[1:]
    return Says(literal(inner)) if token.of == "quoted" else Says(regular(inner))


def literal(text: str) -> str:
    """A pattern that means just this text."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def regular(text: str) -> str:
    """A regular expression (RE2) that holds."""
    import pyarrow as pa

    inner = text.replace(r"\/", "/")
    try:
        like(pa.array([""]), inner)
    except ValueError as error:
        why = str(error).removeprefix("Invalid regular expression: ").rsplit(":", 1)[0]
        raise FilterError(tr("/{text}/ is no regular expression: {why}.", text=text, why=why)) from error
    return inner


def comparison(field: str, operator: str, values: list[str]) -> Filter:
    """A field against values. Raises FilterError."""
    if field not in FIELDS:
        raise FilterError(tr("{field} is none of {fields}.", field=field, fields=", ".join(FIELDS)))
    if len(values) > 1 and operator not in ("=", "!="):
        raise FilterError(tr("{field} {operator} needs one value.", field=field, operator=operator))
    if field in LATENCIES or field == "time":
        return timed(field, operator, values)
    if field in NUMBERS and operator not in ("=", "!="):
        return NumberTest(NUMBERS[field], operator, number(field, values[0]))
    if operator not in ("=", "!="):
        raise FilterError(tr("{field} is one of its values or not: {example}", field=field, example=example(field)))
    found = OneOf(NUMBERS.get(field, field), tuple(value_of(field, value) for value in values))
    return Not(found) if operator == "!=" else found


def timed(field: str, operator: str, values: list[str]) -> Filter:
    """A latency, or the time since the start."""
    if operator in ("=", "!="):
        raise FilterError(tr("{field} is above or below something: {example}", field=field, example=example(field)))
    ns = nanoseconds(field, values[0])
    return When(operator, ns) if field == "time" else Took(LATENCIES[field], operator, ns)


def value_of(field: str, text: str) -> int:
    """A lane, a kind or a number."""
    names = NAMES.get(field)
    if names is None:
        return number(field, text)
    if text.lower() not in names:
        raise FilterError(
            tr("There is no {field} {text}; there are {names}.", field=field, text=text, names=", ".join(names))
        )
    return names[text.lower()]


def number(field: str, text: str) -> int:
    """A whole number, decimal or 0x..."""
    try:
        value = int(text.removeprefix("#"), 0)
    except ValueError:
        value = -1
    if not 0 <= value < 2**64:
        raise FilterError(tr("{text} is no number: {example}", text=text, example=example(field)))
    return value


def nanoseconds(field: str, text: str) -> float:
    """A time with its unit."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s)?", text.lower())
    if match is None:
        raise FilterError(tr("{text} is no time: {example}", text=text, example=example(field)))
    if not match[2]:
        raise FilterError(tr("{text} what? {example}", text=text, example=example(field)))
    return float(match[1]) * UNITS[match[2]]


def example(field: str) -> str:
    """How to say it."""
    examples = {"kind": "kind=exit,entry", "lane": "lane=guest", "id": "id=0x510", "vm": "vm=1", "time": "time>1.5s"}
    if field in LATENCIES:
        return tr("say {example} (ns, us, ms or s).", example=f"{field}>200us")
    return tr("say {example}.", example=examples.get(field, f"{field}=48213"))


# -- while it is typed


def suggestions(text: str) -> list[str]:
    """How the last word of a text could go on; whole words."""
    word = re.split(r"[\s(]", text)[-1]
    field, operator, value = re.fullmatch(r"([^=!<>]*)(!=|=|)(.*)", word).groups()  # type: ignore[union-attr]
    if re.search("[<>]", word) or (value and not operator):  # of "i!" nobody knows what it will be
        return []
    if not operator:
        words = [f"{name}=" for name in ("kind", "lane", *NUMBERS)] + [f"{name}>" for name in (*LATENCIES, "time")]
        return [w for w in (*words, "and", "or", "not") if w.startswith(field.lower()) and field]
    names = NAMES.get(field.lower(), {})
    start = f"{field}{operator}{value[: value.rfind(',') + 1]}"
    typed = value[value.rfind(",") + 1 :].lower()
    return [start + name for name in names if name.startswith(typed)]
