"""The cost sheet's arithmetic."""

from dataclasses import replace

import pytest

from bench import cost
from bench.drains import ION, Drain
from bench.idle import Run
from bench.rounds import Figure
from bench.sinks import Offer
from ion.settings import Pipelining
from ionctl.local import alarms
from ionctl.local.names import names_of
from ionctl.ops import prices

MESSAGE_BYTES = 4096
DEFAULTS = {"emails_per_s": 1000.0, "cpu_s_per_1000": 0.1}
IDLE = Run(
    0,
    1.0,
    {"sqs.ReceiveMessage": 3, "sqs.GetQueueAttributes": 3, "cloudwatch.SetAlarmState": 1},
    read=7,
)
ALONE = Run(1, 1.0, {"sqs.ReceiveMessage": 4, "sqs.DeleteMessageBatch": 1}, read=7)


def drain(**figures: float) -> Drain:
    numbers = DEFAULTS | figures
    return Drain(
        figure=Figure(
            name=ION[Pipelining.ENVELOPE],
            rtt_ms=0.0,
            connections=4,
            offer=Offer.TLS,
            memory_mb=60.0,
            slowest=0.0,
            fastest=0.0,
            aws_calls_per_1000=400.0,
            **numbers,
        ),
        requests_per_1000={"sqs.ReceiveMessage": 100.0, "sqs.DeleteMessageBatch": 100.0},
        call_ms={},
        call_cpu_s_per_1000=0.5,
        written_per_1000=2000.0,
        read_per_1000=1.0,
        log_bytes_per_email=400.0,
        emulator_cpu_s_per_1000=1.0,
    )


def test_a_million_emails_from_a_full_queue() -> None:
    bill = cost.backlog(drain(), MESSAGE_BYTES)
    assert bill.publishing == pytest.approx(0.50)
    assert bill.queue == pytest.approx(1.2 * 0.40)  # in by one, out and away by ten
    assert bill.ledger == pytest.approx(2 * 0.625 + 0.001 * 0.125 + 0.65 * 0.45)
    assert bill.total == pytest.approx(sum(bill.parts.values()))


def test_a_receive_of_more_than_64_kb_counts_several_times() -> None:
    small, large = (cost.backlog(drain(), size).queue for size in (MESSAGE_BYTES, 10_000))
    assert large - small == pytest.approx(0.1 * prices.SQS_REQUEST * 1e6)


def test_an_email_takes_at_least_its_cpu_in_a_small_function() -> None:
    assert cost.function_seconds(drain()) == pytest.approx(0.001)
    slow = drain(cpu_s_per_1000=2.0)
    assert cost.function_seconds(slow) == pytest.approx(0.002 * 1769 / 512)


def test_alone_an_email_pays_for_a_run_and_its_lingering() -> None:
    alone = cost.steady(drain(), 1e-6, ALONE)
    assert alone.emails_per_run == pytest.approx(1, rel=1e-3)
    assert alone.bill.function == pytest.approx(0.2 + 1.2 * 0.5 * 13.3334, rel=1e-2)
    assert alone.bill.log > 10  # setting the alarm back
    in_and_out, looks = 1 + ALONE.sqs_requests, 2 * 1.2 / 5
    assert alone.bill.queue == pytest.approx((in_and_out + looks) * 0.40, rel=1e-2)


def test_a_month_without_email_has_the_schedules_looks_in_it() -> None:
    more = replace(IDLE, requests={**IDLE.requests, "sqs.ReceiveMessage": 103})
    a_month = 30 * 24 * 12
    assert cost.sweeping(more) - cost.sweeping(IDLE) == pytest.approx(a_month * 100 * 0.40 / 1e6)
    assert cost.sweeping(IDLE, minutes=1) == pytest.approx(5 * cost.sweeping(IDLE))
    of_queues = 3  # input, bulk, later
    told = alarms.alarms(names_of("http://127.0.0.1"))
    count = of_queues + sum(len(one.inputs) or 1 for one in told)
    standing = cost.sweeping(IDLE) + count * prices.ALARM_MONTH
    assert cost.standing_charge(IDLE) == pytest.approx(standing)


def test_the_more_a_second_the_less_each() -> None:
    bills = [cost.steady(drain(), rate, ALONE).bill.total for rate in (0.1, 1, 10, 100)]
    assert bills == sorted(bills, reverse=True)


def test_a_function_that_never_ends_costs_its_time_and_no_more() -> None:
    steady = cost.steady(drain(), 100, ALONE)
    a_month = steady.bill.function * 100 * cost.MONTH_SECONDS / 1e6
    assert a_month == pytest.approx(cost.always_running(), rel=1e-2)
    assert steady.busy == pytest.approx(1)


def test_a_rate_beyond_one_function_takes_several() -> None:
    assert cost.steady(drain(), 5000, ALONE).busy == pytest.approx(5)
