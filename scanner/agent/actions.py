"""What is done with a delivery that the policy does not allow: report it, or take it out of reach."""

from __future__ import annotations

from pathlib import Path

from scanner.agent.config import AgentConfig
from scanner.ledger.queue import Job
from scanner.model import Outcome
from scanner.policy.model import Action, Policy


def is_wanted(policy: Policy, outcome: Outcome) -> bool:
    """Whether the policy says to do anything with a file of which something is over-shared."""
    vendor = policy.vendor_of(outcome.path)
    action = vendor.action if vendor else policy.defaults.action
    return action is Action.QUARANTINE


def act(
    config: AgentConfig, policy: Policy, job: Job, outcome: Outcome, because: str | None
) -> tuple[str, str, str] | None:
    """Do what the policy says of a file; gives what is to be told of it: a word, a sentence, a level.

    Only files are moved, not members of them; what is over-shared in a member takes the file that it is in.
    ``because`` says why something of the file is over-shared, None where nothing is.
    """
    if because is None or not is_wanted(policy, outcome):
        return None
    if config.quarantine.folder is None:
        return "quarantine_failed", "the policy asks for it, and quarantine.folder is not set", "error"
    from scanner.remedy import quarantine
    from scanner.remedy.faults import RemedyError

    try:
        record = quarantine.take(Path(job.share, job.path), Path(config.quarantine.folder), because)
    except (RemedyError, OSError) as error:
        return "quarantine_failed", f"a file could not be moved ({type(error).__name__})", "error"
    return "quarantined", f"moved out of reach as {record.id}", "warning"
