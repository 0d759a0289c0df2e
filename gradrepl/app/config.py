"""What somebody prefers: settings, the file that keeps them, and how a value is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradrepl.app.options import Options
from gradrepl.app.places import place
from gradrepl.i18n import Translate, mark

Value = str | bool
_SWITCH = (True, False)
_WORDS: dict[str, Value] = {"on": True, "off": False, "true": True, "false": False}
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name in the file and behind `:set`, its field of Options, its values, what it is for."""

    name: str
    field: str
    values: tuple[Value, ...]
    text: str

    def accepts(self, value: object) -> bool:
        """Whether the value is one of this setting's, of the same type: 1 is not true."""
        return any(type(value) is type(known) and value == known for known in self.values)

    def parse(self, word: str) -> Value:
        """The value that a word stands for; raises ValueError where it is none of this setting's."""
        value = _WORDS.get(word.lower(), word.lower()) if True in self.values else word.lower()
        if not self.accepts(value):
            raise ValueError(word)
        return value

    @property
    def choices(self) -> str:
        """Such as "emacs, vi"."""
        return ", ".join(written(value) for value in self.values)


SETTINGS = (
    Setting("lang", "speech", ("en", "vi", "both"), mark("language")),
    Setting("engine", "engine", ("builtin", "torch"), mark("whose tensors")),
    Setting("theme", "theme", ("auto", "light", "dark"), mark("which colours")),
    Setting("keys", "keys", ("emacs", "vi"), mark("keys of the prompt")),
    Setting("suggest", "suggest", _SWITCH, mark("lines typed before, offered behind the cursor")),
    Setting("table", "table", ("always", "changed", "off"), mark("when the table shows")),
    Setting("color", "color", ("auto", "always", "never"), mark("colours and tables")),
    Setting("history", "history", _SWITCH, mark("keep what is typed for next time")),
)


NO_SETTING = mark("there is no setting {found}; there are: {expected}. It is left out.")
NO_VALUE = mark("{key} = {found} is none of: {expected}. The default holds.")
NO_TOML = mark("this is not TOML ({found}). The defaults hold.")
NO_FILE = mark("can't be read ({found}). The defaults hold.")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the file that can't be used, at `line` or in the file as a whole.

    text: a marked message; found: the key, the value or the parser's words; expected: the values or keys there are.
    """

    text: str
    found: str
    key: str = ""
    expected: str = ""
    line: int | None = None

    def said(self, path: Path, _: Translate) -> str:
        """One line: where, what was found, what is expected, what holds instead."""
        place = f"{path}:{self.line}" if self.line else str(path)
        return f"{place}: {_(self.text).format(found=self.found, key=self.key, expected=self.expected)}"


def named(name: str) -> Setting | None:
    """The setting of that name."""
    return next((setting for setting in SETTINGS if setting.name == name), None)


def written(value: Value) -> str:
    """A value as `:set` shows it: "on" for True."""
    return value if isinstance(value, str) else "on" if value else "off"


def default_path() -> Path:
    """The file's place in the user's configuration folder."""
    return Path(place("config", "config.toml"))


def load(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Values by field of Options, and what is wrong in the file; a file that isn't there says nothing."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Problem(NO_FILE, getattr(error, "strerror", None) or str(error))]
    import tomllib

    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [_broken(str(error))]
    values: dict[str, Any] = {}
    problems = []
    for key, value in entries.items():
        setting = named(key)
        if setting is not None and setting.accepts(_meant(setting, value)):
            values[setting.field] = _meant(setting, value)
        else:
            problems.append(_refused(setting, key, value, _line_of(key, text)))
    return values, problems


def save(path: Path, name: str, value: Value) -> None:
    """Write one setting, each other line as it is; raises OSError."""
    text = path.read_text("utf-8-sig") if path.exists() else ""
    line = f"{name} = {_toml(value)}"
    lines = text.splitlines()
    place = _line_of(name, text)
    if place is not None:
        comment = re.search(r"\s+#[^\"']*$", lines[place - 1])
        lines[place - 1] = line + (comment.group() if comment else "")
    else:
        # Behind a [table] it would belong to that.
        lines.insert(next((i for i, known in enumerate(lines) if known.lstrip().startswith("[")), len(lines)), line)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def of(options: Options, setting: Setting) -> Value:
    """The value that a setting has now."""
    value: Value = getattr(options, setting.field)
    return value


def _meant(setting: Setting, value: object) -> Value:
    """ "on" and "off" may stand for true and false."""
    if isinstance(value, str) and True in setting.values:
        return _WORDS.get(value, value)
    return value  # type: ignore[return-value]


def _refused(setting: Setting | None, key: str, value: object, line: int | None) -> Problem:
    if setting is None:
        return Problem(NO_SETTING, key, expected=", ".join(known.name for known in SETTINGS), line=line)
    return Problem(NO_VALUE, _toml(value), key, setting.choices, line)


def _broken(message: str) -> Problem:
    place = _PLACE.search(message)
    number = place.group(1) if place else None
    return Problem(NO_TOML, _PLACE.sub("", message), line=int(number) if number else None)


def _line_of(key: str, text: str) -> int | None:
    pattern = re.compile(rf"\s*(?:\[\s*)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
