"""``sinks``: what waits, what was given up, and what a person does about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scanner.ledger.outbox import Outbox
from scanner.ledger.store import open_ledger
from scanner.surfaces.cli import cli
from tests.sinks.making import HOST, Recorder, event, put


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose ledger holds one event that waits and two that were given up."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    file = tmp_path / "agent.yaml"
    file.write_text(
        f"shares: [{tmp_path}]\npolicy: {tmp_path}/p.yaml\nledger: {tmp_path}/ledger.db\n"
        f"sinks: [{{type: jsonl, path: {tmp_path}/out.jsonl}}]\n"
    )
    with open_ledger(str(tmp_path / "ledger.db"), create=True) as ledger:
        outbox = Outbox(ledger.engine, host=HOST)
        put(ledger, outbox, [event(1), event(2), event(3)], [Recorder("siem")])
        batch = outbox.ready("siem", 9)[0]
        outbox.dead("siem", {each.seq: "HTTP 400" for each in batch[1:]})
    return file


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["sinks", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_what_waits_and_what_was_given_up_is_listed(config: Path) -> None:
    code, text = run("list", "--config", config)
    assert code == 0
    assert "siem (not in the configuration): 1 waiting, the oldest since 20" in text
    assert "2 given up" in text
    assert "jsonl (jsonl): 0 waiting" in text
    code, text = run("list", "--json", "--config", config)
    assert {each["sink"]: each["dead"] for each in json.loads(text)} == {"siem": 2, "jsonl": 0}
    code, text = run("dead", "--config", config)
    assert code == 1
    assert [line.split()[0] for line in text.splitlines()] == [event(2).id, event(3).id]
    assert "1 try: HTTP 400" in text
    assert len(json.loads(run("dead", "--json", "--limit", 1, "--config", config)[1])) == 1


def test_what_was_given_up_is_sent_again_or_let_go(config: Path) -> None:
    code, text = run("resend", "--id", event(2).id, "--config", config)
    assert (code, text.splitlines()[0]) == (0, "1 wait again")
    assert "no agent answers" in text
    assert run("drop", "--sink", "siem", "--config", config) == (0, "1 are gone\n")
    assert run("dead", "--config", config) == (0, "")
    assert run("resend", "--config", config) == (0, "0 wait again\n")
    assert "2 waiting" in run("list", "--config", config)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dead", "--sink", "sjem"), "nothing was ever kept for a sink sjem; there is siem"),
        (("resend", "--id", "evt_0"), "no event evt_0 was given up"),
        (("resend", "--id", event(1).id), "was given up"),  # it waits
        (("drop",), "name what to let go of"),
    ],
)
def test_what_is_named_must_be_there(config: Path, arguments: tuple[str, ...], said: str) -> None:
    code, text = run(*arguments, "--config", config)
    assert code == 2
    assert said in text
    assert "2 given up" in run("list", "--config", config)[1]


def test_there_must_be_a_ledger(config: Path, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").unlink()
    code, text = run("list", "--config", config)
    assert code == 2
    assert "no such ledger" in text
