"""The command line itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from gradrepl import __version__
from gradrepl.app import cli
from gradrepl.i18n import from_environment, translator

Run = Callable[..., CompletedProcess[str]]


def test_version(gradrepl: Run) -> None:
    assert gradrepl("--version").stdout == f"gradrepl {__version__}\n"


@pytest.mark.parametrize("command", [(), ("learn",), ("play",), ("lessons",), ("check",), ("run",)])
def test_help_is_there_in_both_languages(gradrepl: Run, command: tuple[str, ...]) -> None:
    english, vietnamese = (gradrepl(*command, "--help", "--lang", speech).stdout for speech in ("en", "vi"))
    assert "--engine" in english
    assert "ngôn ngữ" in vietnamese
    assert "ngôn ngữ" not in english


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("--lang", "fr"),
        ("--engine", "jax"),
        ("play",),
        ("learn", "--json"),
        ("check", "--json"),
        ("run",),
    ],
)
def test_a_usage_error_has_status_2_and_prints_nothing(gradrepl: Run, arguments: tuple[str, ...]) -> None:
    done = gradrepl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.parametrize("options", [["--lang", "vi", "play", "1"], ["play", "1", "--lang", "vi"]])
def test_options_stand_before_or_after_the_command(options: list[str]) -> None:
    parsed = cli.parser(translator("en")).parse_args(options)
    assert (parsed.lang, parsed.command, parsed.lessons, parsed.engine) == ("vi", "play", ["1"], None)


@pytest.mark.parametrize(
    ("variables", "speech"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "vi"}, "vi"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN"}, "vi"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "vi:en"}, "vi"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "vi"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "vi_VN"}, "vi"),
    ],
)
def test_the_language_comes_from_the_locale(variables: dict[str, str], speech: str) -> None:
    assert from_environment(variables) == speech


def test_a_missing_pytorch_says_how_to_install_it(gradrepl: Run, tmp_path: object) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from gradrepl.app.cli import main; sys.exit(main(['--engine', 'torch', '-c', '1', '--lang', sys.argv[1]]))"
    )
    for speech, words in (("en", "not installed"), ("vi", "chưa được cài")):
        done = subprocess.run([sys.executable, "-c", code, speech], capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert "pip install torch" in done.stderr
        assert done.stderr.count("\n") == 1


def modules_of(gradrepl_arguments: list[str]) -> set[str]:
    code = (
        "import sys\nfrom gradrepl.app.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *gradrepl_arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], {"prompt_toolkit", "rich", "numpy", "markdown_it", "torch"}),
        (["--help"], {"prompt_toolkit", "rich", "numpy", "markdown_it", "torch"}),
        (["-c", "1"], {"prompt_toolkit", "rich", "markdown_it", "torch", "asyncio"}),
        (["play", "1", "--plain"], {"prompt_toolkit", "rich", "torch", "rich.markdown", "pygments"}),
        (["play", "1", "--color", "always"], {"prompt_toolkit", "rich.traceback", "rich.markdown", "torch"}),
        (["play", "1", "--json"], {"prompt_toolkit", "rich", "torch"}),
    ],
)
def test_nothing_is_imported_that_is_not_needed(arguments: list[str], unwanted: set[str]) -> None:
    assert not unwanted & modules_of(arguments)
