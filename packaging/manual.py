"""The manual page and the shells' completions, made from the command itself."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

#: Where each shell looks for completions.
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/sharewatch",
    "zsh": "usr/share/zsh/vendor-completions/_sharewatch",
    "fish": "usr/share/fish/vendor_completions.d/sharewatch.fish",
}

#: Runs in the packaged environment: the commands with their help, and click's completion scripts, as JSON.
_ASK = """
import json
import click
from click.shell_completion import get_completion_class
from scanner.surfaces.cli import cli

def described(command, context):
    options = [each.get_help_record(context) for each in command.params if isinstance(each, click.Option)]
    usage = command.collect_usage_pieces(context)
    found = [{"path": context.command_path, "usage": usage, "help": command.help or "",
              "options": [each for each in options if each]}]
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            found += described(inner, click.Context(inner, info_name=name, parent=context))
    return found

scripts = {name: get_completion_class(name)(cli, {}, "sharewatch", "_SHAREWATCH_COMPLETE").source()
           for name in ("bash", "zsh", "fish")}
commands = described(cli, click.Context(cli, info_name="sharewatch"))
print(json.dumps({"commands": commands, "scripts": scripts}))
"""

_HEAD = """\
.TH SHAREWATCH 1 "{day}" "sharewatch {version}" "User Commands"
.SH NAME
sharewatch \\- find personal data in files shared with vendors and say what each should not have
.SH SYNOPSIS
.B sharewatch
.I command
[\\fIoptions\\fR] [\\fIarguments\\fR]
.SH DESCRIPTION
"""

_TAIL = """\
.SH EXIT STATUS
.TP
.B 0
complete, and nothing over-shared
.TP
.B 1
over-shared, or what
.B \\-\\-fail\\-on
names
.TP
.B 2
wrong usage, or an error in a configuration or a policy
.TP
.B 3
nothing over-shared, but something could not be read
.TP
.B 4
nothing to scan
.SH FILES
.TP
.I /etc/sharewatch/agent.yaml
what the watcher watches and where it tells
.TP
.I /etc/sharewatch/policy.yaml
which vendor may receive what
.TP
.I /var/lib/sharewatch/ledger.db
the account of exposures, with its key
.I ledger.db.key
.TP
.I /var/log/sharewatch/findings.jsonl
one event a line
.TP
.I /usr/share/doc/sharewatch/
the documentation
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1),
.BR systemd.exec (5)
"""


def texts(python: Path, version: str, moment: int) -> dict[str, str]:
    """The page under ``man``, and each shell's completion under its name."""
    asked = subprocess.run([str(python), "-I", "-c", _ASK], check=True, capture_output=True, text=True)
    found = json.loads(asked.stdout)
    day = datetime.fromtimestamp(moment, UTC).date().isoformat()
    top, *commands = found["commands"]
    page = _HEAD.format(day=day, version=version) + _paragraphs(top["help"])
    page += ".SH COMMANDS\n" + "".join(_command(each) for each in commands) + _TAIL
    return {"man": page, **found["scripts"]}


def _command(each: dict[str, Any]) -> str:
    usage = " ".join([each["path"], *each["usage"]])
    lines = [f".SS {_escaped(usage)}\n", _paragraphs(each["help"])]
    for name, text in each["options"]:
        lines.append(f".TP\n.B {_escaped(name)}\n{_escaped(text)}\n")
    return "".join(lines)


def _paragraphs(text: str) -> str:
    """Paragraphs as click shows them; one that starts with a backspace keeps its lines."""
    out = []
    for paragraph in text.strip().split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines and lines[0] == "\b":
            out.append(".PP\n.nf\n" + "".join(f"{_escaped(line)}\n" for line in lines[1:]) + ".fi\n")
        else:
            out.append(f".PP\n{_escaped(' '.join(lines))}\n")
    return "".join(out)


def _escaped(text: str) -> str:
    """Text that roff takes as it is: no line may start a request, and a hyphen stays one."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in {".", "'"} else text
