//! What other processes do in these tests.

use std::process::{Command, Stdio};
use std::thread;

use ringbus::bus::Bus;
use ringbus::shared::{ObserveError, Observer, Shared, SharedError, remove_stale};
use ringbus::{BuildError, Producer, ReadFrom, Ring, Sequence};

use super::drained::drain;
use super::pattern::{CAPACITY, PAYLOAD, emit_a_block, event, publish_some};
use super::process::{Random, Role, end_with_the_test, say, told, wait_for};
use super::{core_role, room};

/// Plays the role of this process.
pub(crate) fn play() {
    let role = Role::mine();
    match &*role.name {
        "publisher" if role.numbers[0] == 8 => publisher::<8>(&role),
        "publisher" => publisher::<32>(&role),
        "bus" => bus(&role),
        "observer" => observer(&role),
        "observer at a word" => observer_at_a_word(&role),
        "beater" => beater(&role),
        "starter" => starter(&role),
        "parent" => parent(&role),
        "restarter" => restarter(&role),
        "remover" => remover(&role),
        "core" => core_role::core(&role),
        "short of room" => room::short_of_room(&role),
        other => panic!("there is no role `{other}`"),
    }
}

/// Both sides of a ring of so many words an event.
type Sides<const WORDS: usize> = (Producer<[u64; WORDS]>, Ring<[u64; WORDS]>);

/// A ring of so many words an event.
pub(crate) fn build<const WORDS: usize>(role: &Role, first: u64) -> Result<Sides<WORDS>, BuildError> {
    let first = Sequence::new(first);
    Ring::builder().capacity(CAPACITY).first_sequence(first).shared(&role.path).build()
}

/// Publishes in all ways, as fast as it can, until it is killed. Numbers: the words of an event, a seed, the first sequence.
fn publisher<const WORDS: usize>(role: &Role) {
    end_with_the_test();
    let (mut producer, _ring) = build::<WORDS>(role, role.numbers[2]).unwrap();
    let mut random = Random::new(role.numbers[1]);
    producer.publish(&event(producer.next_sequence().get())).unwrap();
    say("publishes");
    loop {
        publish_some(&mut producer, &mut random);
    }
}

/// Emits blocks, as fast as it can, until it is killed. Numbers: a seed, the first sequence.
fn bus(role: &Role) {
    end_with_the_test();
    let builder = Bus::<PAYLOAD>::builder("killed").capacity(CAPACITY).shared(&role.path);
    let (mut writer, _bus) = builder.first_sequence(Sequence::new(role.numbers[1])).build().unwrap();
    let mut random = Random::new(role.numbers[0]);
    for height in 1.. {
        emit_a_block(&mut writer, height, &mut random);
        if height == 1 {
            say("publishes");
        }
    }
}

/// Reads to the end, and says what it got. Numbers: whether many at once.
fn observer(role: &Role) {
    end_with_the_test();
    let observer = Observer::<[u64; 8]>::attach(&role.path).unwrap();
    say(format!("attached {}", observer.position()));
    let drained = drain(observer, role.numbers[0] == 1);
    say(format!("ended {}", drained.numbers()));
}

/// Reads what is there, each time it is told to.
fn observer_at_a_word(role: &Role) {
    let oldest = ReadFrom::Oldest { headroom: 0 };
    let mut observer = Observer::<[u64; 8]>::builder(&role.path).start(oldest).attach().unwrap();
    say("attached");
    while told().is_some() {
        loop {
            match observer.try_recv() {
                Ok((sequence, found)) => assert_eq!(found, event(sequence.get())),
                Err(ObserveError::Empty) => break,
                Err(other) => panic!("{other}"),
            }
        }
        say(format!("read {}", observer.position()));
    }
}

/// A core that publishes nothing but what it is told to, and says that it is alive all the while, or never. Numbers: whether it does.
fn beater(role: &Role) {
    let (mut producer, _ring) = build::<8>(role, 0).unwrap();
    if role.numbers[0] == 0 {
        say("built");
        while told().is_some() {}
        return;
    }
    producer.heartbeat();
    say("built");
    end_with_the_test();
    loop {
        producer.heartbeat();
        thread::yield_now();
    }
}

/// Starts a ring, publishes, closes it, as it is told: `start MOMENT FIRST`, `publish COUNT`, `close`.
fn starter(role: &Role) {
    let mut built = None;
    say("ready");
    while let Some(words) = told() {
        let number = |at: usize| words[at].parse().expect("a number");
        match &*words[0] {
            "start" => {
                wait_for(number(1));
                match build::<8>(role, number(2)) {
                    Ok(ring) => {
                        built = Some(ring);
                        say("started");
                    }
                    Err(BuildError::Shared(SharedError::InUse { path, process_id })) => {
                        assert_eq!(path, role.path);
                        say(format!("refused {}", process_id.unwrap_or(0)));
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            "publish" => {
                let (producer, _) = built.as_mut().expect("it has started a ring");
                for _ in 0..number(1) {
                    producer.publish(&event(producer.next_sequence().get())).unwrap();
                }
                say(format!("published {}", producer.next_sequence()));
            }
            "close" => {
                drop(built.take().expect("it has started a ring"));
                say("closed");
            }
            other => panic!("nobody knows how to {other}"),
        }
    }
}

/// A core that has started another program, which lives on when the core is killed.
fn parent(role: &Role) {
    let (mut producer, _ring) = build::<8>(role, 0).unwrap();
    producer.publish(&event(0)).unwrap();
    let mut program =
        Command::new("sleep").arg("600").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    say(format!("has_started {}", program.id()));
    while told().is_some() {}
    program.kill().and_then(|()| program.wait()).unwrap();
}

/// Starts ring after ring at one path, until it is killed.
fn restarter(role: &Role) {
    end_with_the_test();
    for round in 0.. {
        let shared = Shared::at(&role.path).report_every(None);
        let (mut producer, _ring) =
            Ring::<[u64; 8]>::builder().capacity(CAPACITY).shared(shared).build().unwrap();
        producer.publish(&event(0)).unwrap();
        if round == 0 {
            say("restarts");
        }
    }
}

/// Removes what is stale, as it is told: `remove MOMENT`.
fn remover(role: &Role) {
    say("ready");
    while let Some(words) = told() {
        wait_for(words[1].parse().expect("a number"));
        match remove_stale(&role.path) {
            Ok(()) => say("removed"),
            Err(ringbus::shared::RemoveError::InUse { path }) => {
                assert_eq!(path, role.path);
                say("refused");
            }
            Err(other) => panic!("{other}"),
        }
    }
}
