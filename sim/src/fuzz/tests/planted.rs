//! Each law is broken on purpose: a true life is doctored, and that law must say so.

use crate::choice::Choices;
use crate::fuzz::Broken;
use crate::fuzz::laws::{End, Judge, Kept, LAWS};
use crate::fuzz::life::Life;
use crate::fuzz::past::Frame;
use order_manager_core::bybit::Request;
use order_manager_core::command::Command;
use order_manager_core::event::{Change, CreateAnswer, Event, Seq};
use order_manager_core::input::Input;
use order_manager_core::journal::Digest;
use order_manager_core::manager::Durable;
use order_manager_core::unit::{ExchangeTime, Quantity, Text, Timestamp};
use order_manager_core::{Manager, Step};

/// A step with all that the laws look at, free to be changed.
#[derive(Clone)]
struct Story {
    seq: Seq,
    exchange: ExchangeTime,
    kept: Kept,
    durable: Durable,
    wake: Option<Timestamp>,
    ready: bool,
}

/// The first life of the seeds in which such an event happens.
fn life_with(wanted: fn(&Event) -> bool) -> Life {
    let lives = (0..5_000).map(|seed| {
        let mut life = Life::new(Choices::seeded(seed));
        life.run(Some(60)).map(|_| life).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"))
    });
    let found = lives.into_iter().find(|life| life.kept().iter().any(|kept| kept.events.iter().any(wanted)));
    found.expect("some seed has such a life")
}

fn story_of(life: &Life) -> Vec<Story> {
    let (mut manager, mut step) = (Manager::new(), Step::default());
    let steps = life.kept().iter().enumerate().map(|(index, kept)| {
        manager.step(kept.at, &kept.input, &mut step).unwrap();
        Story {
            seq: Seq(index as u64 + 1),
            exchange: life.exchange(kept.at),
            kept: kept.clone(),
            durable: manager.durable().clone(),
            wake: manager.wake().map(|(at, _)| at),
            ready: manager.is_ready(),
        }
    });
    steps.collect()
}

fn judge(law: &'static str, story: &[Story]) -> Result<(), Broken> {
    let mut judge = Judge::only(law);
    let nobody = Manager::new();
    for Story { seq, exchange, kept, durable, wake, ready } in story {
        let frame = kept.frame(0, *exchange, &nobody);
        judge.step(&Frame { seq: *seq, durable, wake: *wake, ready: *ready, ..frame })?;
    }
    Ok(())
}

/// Where the first such event stands.
fn find(story: &[Story], wanted: impl Fn(&Event) -> bool) -> (usize, usize) {
    let place = |step: &Story| step.kept.events.iter().position(&wanted);
    story.iter().enumerate().find_map(|(index, step)| Some((index, place(step)?))).expect("it happened")
}

/// The same event once more, at the end of its step.
fn twice(story: &mut [Story], wanted: impl Fn(&Event) -> bool) {
    let (index, place) = find(story, wanted);
    let again = story[index].kept.events[place].clone();
    story[index].kept.events.push(again);
}

fn without(story: &mut [Story], unwanted: impl Fn(&Event) -> bool) {
    story.iter_mut().for_each(|step| step.kept.events.retain(|event| !unwanted(event)));
}

/// The first such event, to be changed.
fn change(story: &mut [Story], wanted: impl Fn(&Event) -> bool, change: impl FnOnce(&mut Event)) {
    let (index, place) = find(story, wanted);
    change(&mut story[index].kept.events[place]);
}

fn told(which: Change) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::OrderTold(told) if told.change == which)
}

/// The first step that asks for something that must be signed.
fn asks(step: &Story) -> bool {
    step.kept.commands.iter().any(|c| matches!(c, Command::Send(out) if out.request != Request::ServerTime))
}

/// A law, an event that the life must have, and what is done to it.
type Plant = (&'static str, fn(&Event) -> bool, fn(&mut Vec<Story>));

macro_rules! is {
    ($pattern:pat) => {
        |event: &Event| matches!(event, $pattern)
    };
}

const PLANTED: &[Plant] = &[
    ("o2_no_defect", is!(_), |s| s[1].kept.events.push(Event::Defect { symbol: None, what: Text::EMPTY })),
    ("o1_an_id_is_used_again_only_where_it_never_lived", is!(Event::OrderSent { .. }), |s| {
        twice(s, is!(Event::OrderIntended { .. }));
    }),
    ("o1_no_create_while_the_last_may_exist", is!(Event::OrderSent { .. }), |s| twice(s, is!(Event::OrderSent { .. }))),
    ("o2_only_an_answer_answers", is!(Event::OrderAnswered { answer: CreateAnswer::Accepted { .. }, .. }), |s| {
        change(s, is!(Event::OrderAnswered { answer: CreateAnswer::Accepted { .. }, .. }), |event| {
            if let Event::OrderAnswered { answer, .. } = event {
                *answer = CreateAnswer::NotSent { why: Text::EMPTY };
            }
        });
    }),
    ("o2_absence_is_proven", is!(Event::OrderAbsent { .. }), |s| {
        change(s, is!(Event::OrderAbsent { .. }), |event| {
            if let Event::OrderAbsent { proof, .. } = event {
                proof.answers.swap_remove(0);
            }
        });
    }),
    ("o2_evidence_is_the_frame_at_hand", is!(Event::OrderSeen { .. }), |s| {
        change(s, is!(Event::OrderSeen { .. }), |event| {
            if let Event::OrderSeen { evidence, .. } = event {
                *evidence = Seq(0);
            }
        });
    }),
    ("o3_an_execution_is_booked_once", is!(Event::OrderExecuted { .. }), |s| {
        twice(s, is!(Event::OrderExecuted { .. }));
    }),
    ("e1_created_comes_first", is!(Event::OrderExecuted { .. }), |s| without(s, told(Change::Created))),
    ("e1_an_order_ends_once", |e| told(Change::Cancelled)(e), |s| twice(s, told(Change::Cancelled))),
    (
        "e2_what_was_told_only_grows",
        |e| told(Change::PartiallyFilled)(e),
        |s| {
            change(s, told(Change::PartiallyFilled), |event| {
                if let Event::OrderTold(told) = event {
                    told.increment.quantity = Quantity::ZERO;
                }
            });
        },
    ),
    ("s5_lanes_are_first_in_first_out", is!(Event::SignalStarted { .. }), |s| {
        twice(s, is!(Event::SignalStarted { .. }));
    }),
    ("s7_a_signal_is_accepted_once_and_settled_once", is!(Event::SignalSettled { .. }), |s| {
        twice(s, is!(Event::SignalSettled { .. }));
    }),
    ("t1_nothing_is_planned_before_all_is_known", is!(Event::Planned { .. }), |s| {
        without(s, is!(Event::Reconciled { .. }));
    }),
    ("t3_the_watermark_is_not_ahead", is!(Event::Reconciled { .. }), |s| {
        change(s, is!(Event::Reconciled { .. }), |event| {
            if let Event::Reconciled { until, .. } = event {
                *until = ExchangeTime(u64::MAX);
            }
        });
    }),
    ("s7_nothing_that_lives_is_forgotten", is!(Event::SignalStarted { .. }), |s| {
        change(s, is!(Event::SignalStarted { .. }), |event| {
            if let Event::SignalStarted { signal } = *event {
                *event = Event::SignalForgotten { signal };
            }
        });
    }),
    ("t1_events_make_the_state", is!(_), |s| s[1].durable.life += 1),
    ("t1_a_record_reads_back", is!(_), |s| s[1].kept.record = s[0].kept.record.clone()),
    ("s1_a_delivery_has_one_receipt", is!(Event::SignalAccepted { .. }), |s| {
        s.iter_mut().for_each(|step| step.kept.commands.retain(|c| matches!(c, Command::Send(_))));
    }),
    ("o1_what_is_sent_was_said", is!(Event::OrderSent { .. }), |s| without(s, is!(Event::OrderSent { .. }))),
    ("o2_requests_carry_the_exchanges_time", is!(Event::OrderSent { .. }), |s| {
        s.iter_mut().filter(|step| asks(step)).for_each(|step| step.exchange.0 += 2);
    }),
    ("d3_a_cancel_has_a_reason", is!(Event::CancelWanted { .. }), |s| without(s, is!(Event::CancelWanted { .. }))),
    ("o5_budgets_are_kept", is!(Event::OrderSent { .. }), |s| {
        let (index, _) = find(s, is!(Event::OrderSent { .. }));
        let commands = &mut s[index].kept.commands;
        *commands = std::iter::repeat_n(commands.clone(), 11).flatten().collect();
    }),
    ("s5_no_signal_is_lost", is!(Event::Planned { .. }), |s| s.iter_mut().for_each(|step| step.durable.lanes.clear())),
    ("t4_positions_are_the_sum_of_what_was_told", is!(Event::ForeignExecuted { .. }), |s| {
        s.iter_mut().for_each(|step| step.durable.positions.clear());
    }),
    ("o3_what_is_explained_is_told", is!(Event::OrderExecuted { .. }), |s| {
        for step in s.iter_mut() {
            let links: Vec<_> = step.durable.book.iter().map(|order| order.spec.link).collect();
            for link in links {
                step.durable.book.change(link, |order| order.told.totals = Default::default());
            }
        }
    }),
    ("o4_live_orders_are_indexed", is!(Event::OrderSent { .. }), |s| {
        for step in s.iter_mut() {
            let mut book = serde_json::to_value(&step.durable.book).unwrap();
            book["live"] = serde_json::Value::Array(Vec::new());
            step.durable.book = serde_json::from_value(book).unwrap();
        }
    }),
    ("t1_readiness_is_earned", is!(_), |s| s[0].ready = true),
    ("no_wake_in_the_past", is!(_), |s| s[0].wake = Some(s[0].kept.at)),
];

#[test]
fn each_law_on_steps_can_fail_and_says_so() {
    for (law, wanted, plant) in PLANTED {
        let mut story = story_of(&life_with(*wanted));
        assert_eq!(judge(law, &story), Ok(()), "{law}, before it is broken");
        plant(&mut story);
        let broken = judge(law, &story).expect_err(law);
        assert_eq!(broken.law, *law);
        assert!(!broken.what.is_empty());
    }
}

/// What is done to a whole life.
type EndPlant = fn(&mut End<'_>);

const PLANTED_AT_THE_END: &[(&str, EndPlant)] = &[
    ("t1_a_restored_manager_is_the_one_that_died", |end| end.kept = &end.kept[..end.kept.len() - 1]),
    ("t1_a_checkpoint_and_the_rest_is_the_whole", |end| end.kept = &end.kept[..end.kept.len() - 1]),
    ("timers_are_bounded", |end| end.timers = Some(Some(100_000))),
];

#[test]
fn each_law_on_whole_lives_can_fail_and_says_so() {
    let long = (0..5_000).map(|seed| {
        let mut life = Life::new(Choices::seeded(seed));
        life.run(Some(60)).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        life
    });
    let with_rest = |life: &Life| life.end().checkpoint.is_some_and(|(count, _)| count + 1 < life.kept().len());
    let life = long.into_iter().find(with_rest).expect("some seed takes a checkpoint");
    let judge = |law, end: &End<'_>| Judge::only(law).end(end);
    for (law, plant) in PLANTED_AT_THE_END {
        assert_eq!(judge(law, &life.end()), Ok(()), "{law}, before it is broken");
        let mut end = life.end();
        plant(&mut end);
        assert_eq!(judge(law, &end).expect_err(law).law, *law);
    }
    let mut other: Vec<Kept> = life.kept().to_vec();
    other.last_mut().unwrap().digest = Digest(1);
    for law in REPLAYS {
        assert_eq!(judge(law, &life.end()), Ok(()), "{law}, before it is broken");
        assert_eq!(judge(law, &End { kept: &other, ..life.end() }).expect_err(law).law, law);
    }
}

const REPLAYS: [&str; 2] = ["a_replay_decides_the_same", "a_replay_from_a_checkpoint_decides_the_same"];

#[test]
fn no_law_is_left_out() {
    let ends = PLANTED_AT_THE_END.iter().map(|(law, _)| *law).chain(REPLAYS);
    let mut planted: Vec<_> = PLANTED.iter().map(|(law, ..)| *law).chain(ends).collect();
    let mut laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
    planted.sort_unstable();
    laws.sort_unstable();
    assert_eq!(planted, laws);
    assert!(matches!(story_of(&life_with(is!(_)))[0].kept.input, Input::Started(_)));
}
