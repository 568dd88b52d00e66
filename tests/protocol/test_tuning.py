"""Which topics a node hears and publishes on follows from the epochs that it holds."""

from __future__ import annotations

from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol.gossip import topic_name
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.sealing import topic_secret_of
from tests.protocol.desk import Computer
from tests.protocol.meeting import NOW_MS
from tests.protocol.replicas import joined
from tests.protocol.sealed import removed, sealed_community


def test_a_node_hears_the_topics_of_its_newest_three_epochs() -> None:
    computer = Computer("desk", "ana")
    community = computer.found("garden")
    replica = computer.machine.replica(community)
    now_ms = NOW_MS
    while len(replica.epochs.usable()) < limits.TOPICS_HEARD_MAX + 2:
        now_ms = max(now_ms, computer.machine.next_wakeup_ms() or 0)
        computer.handle(i.Wakeup(), now_ms)
    newest = [key.secret for key in replica.epochs.secrets_for(replica.device or b"")]
    heard = [topic_name(topic_secret_of(s)) for s in newest[: limits.TOPICS_HEARD_MAX]]
    assert computer.machine.topics() == sorted(heard)


def test_after_a_removal_nothing_is_published_until_there_is_an_epoch_without_her() -> None:
    ana = sealed_community()
    ben, cia = joined(ana, "ben"), joined(ana, "cia")
    ana.give(ben, cia)
    before = ben.replica.told_topic_secret
    assert before is not None
    removed(ana, "cia")
    ben.take(*[run for run in ana.runs() if run.log_class != CONTENT])
    assert ben.replica.told_topic_secret is None
    assert before in ben.replica.topic_secrets
    ana.give(ben)
    assert ben.replica.told_topic_secret not in (None, before)
    assert ben.replica.told_topic_secret == ana.replica.told_topic_secret
