//! Consumer graphs under load: stages that come after others, that come and go, that pause.

use super::*;

/// What a stage has done with an event, for the stages after it: written before it acknowledges, without any ordering of its own.
type Marks = Arc<[AtomicU64]>;

fn marks(capacity: usize) -> Marks {
    (0..capacity).map(|_| AtomicU64::new(0)).collect()
}

/// Reads one batch, checks it and that every stage before has been through it, marks it, and acknowledges all or a part.
fn pass_on<W: WaitStrategy>(
    consumer: &mut RequiredConsumer<[u64; 8], W>,
    before: &[Marks],
    own: &Marks,
    random: &mut Random,
) -> Result<(), End> {
    let position = consumer.position().get();
    let batch = consumer.read()?;
    let count = if random.one_in(3) { random.below(batch.len() as u64 + 1) } else { batch.len() as u64 };
    for (sequence, event) in batch.iter().take(count as usize) {
        let sequence = sequence.get();
        check(sequence, event);
        let slot = sequence as usize % own.len();
        for marks in before {
            assert_eq!(marks[slot].load(Ordering::Relaxed), sequence + 1, "read before it was acknowledged");
        }
        own[slot].store(sequence + 1, Ordering::Relaxed);
    }
    batch.acknowledge_first(count as usize).expect("no more than there are");
    assert_eq!(consumer.position().get(), position + count);
    if count == 0 {
        thread::yield_now();
    }
    Ok(())
}

/// A stage that is there from the first event to the last, and leaves as soon as it has drained.
fn stage(
    mut consumer: RequiredConsumer<[u64; 8], Yield>,
    before: Vec<Marks>,
    own: Marks,
    end: u64,
    mut random: Random,
) -> Reader {
    Box::new(move || {
        let ended = loop {
            if let Err(end) = pass_on(&mut consumer, &before, &own, &mut random) {
                break end;
            }
        };
        assert_eq!((ended, consumer.position().get()), (End::Closed, end));
        let delivered = consumer.delivered();
        in_turn(|| drop(consumer));
        Counts { joined: 1, delivered, ..Counts::default() }
    })
}

/// A diamond, and a stage after it: all get everything, each after the ones before.
pub(super) fn diamond(events: u64, random: &mut Random) -> String {
    const CAPACITY: usize = 64;
    let (producer, ring) = build::<8>(CAPACITY, 16, 0);
    let [journal, left, right, last] = std::array::from_fn(|_| marks(CAPACITY));
    let first = join_required(&ring, "journal", usize::MAX);
    let second = ring.required("left").after(&[&first]).wait(Yield).join().expect("there is a place");
    let third =
        ring.required("right").after(&[&first]).batch_limit(5).wait(Yield).join().expect("there is a place");
    let fourth =
        ring.required("last").after(&[&second, &third]).wait(Yield).join().expect("there is a place");
    let readers = vec![
        stage(first, vec![], Arc::clone(&journal), events, random.split()),
        stage(second, vec![Arc::clone(&journal)], Arc::clone(&left), events, random.split()),
        stage(third, vec![Arc::clone(&journal)], Arc::clone(&right), events, random.split()),
        stage(fourth, vec![journal, left, right], last, events, random.split()),
    ];
    let counts = run(mixed(producer, &ring, events, random), readers);
    assert_eq!(counts.delivered, 4 * events);
    format!("{counts}")
}

/// One stage stays; others come after it for a while, two at a time, and leave again.
pub(super) fn dependants_come_and_go(events: u64, random: &mut Random) -> String {
    const CAPACITY: usize = 64;
    let (producer, ring) = build::<8>(CAPACITY, 16, 0);
    let journal = marks(CAPACITY);
    let first = join_required(&ring, "journal", usize::MAX);
    let visitor = |mut random: Random| -> Reader {
        let (ring, journal, upstream) = (ring.clone(), Arc::clone(&journal), first.progress());
        Box::new(move || {
            let mut counts = Counts::default();
            let own = marks(CAPACITY);
            loop {
                let builder = ring.required("visitor").after(&[&upstream]).wait(Yield);
                let mut consumer = match in_turn(|| builder.join()) {
                    Ok(consumer) => consumer,
                    // The stage has drained the closed ring, and gone.
                    Err(JoinError::UpstreamGone { .. }) => return counts,
                    Err(other) => panic!("{other}"),
                };
                counts.joined += 1;
                let until = consumer.joined_at().get() + random.below(SHORT_STAY);
                let mut end = None;
                while consumer.position().get() < until && end.is_none() {
                    end = pass_on(&mut consumer, &[Arc::clone(&journal)], &own, &mut random).err();
                }
                counts.delivered += consumer.delivered();
                if let Some(end) = end {
                    assert_eq!((end, consumer.position().get()), (End::Closed, events));
                }
                leave(consumer);
            }
        })
    };
    let mut readers = vec![visitor(random.split()), visitor(random.split())];
    readers.push(stage(first, vec![], Arc::clone(&journal), events, random.split()));
    let counts = run(mixed(producer, &ring, events, random), readers);
    format!("{counts}")
}

/// A stage and one after it that pauses at random: it gets a run without gaps from where it resumes.
pub(super) fn pauses(events: u64, random: &mut Random) -> String {
    const CAPACITY: usize = 32;
    let (producer, ring) = build::<8>(CAPACITY, 8, 0);
    let (journal, own) = (marks(CAPACITY), marks(CAPACITY));
    let first = join_required(&ring, "journal", usize::MAX);
    let mut second = ring.required("pausing").after(&[&first]).wait(Yield).join().expect("there is a place");
    let before = Arc::clone(&journal);
    let mut chance = random.split();
    let pausing: Reader = Box::new(move || {
        let (mut pauses, mut let_pass) = (0, 0);
        loop {
            if chance.one_in(4) {
                let paused = in_turn(|| second.pause()).expect("nobody comes after it");
                (0..chance.below(20)).for_each(|_| thread::yield_now());
                let_pass += in_turn(|| paused.resume());
                pauses += 1;
            }
            if let Err(end) = pass_on(&mut second, &[Arc::clone(&before)], &own, &mut chance) {
                assert_eq!((end, second.position().get()), (End::Closed, events));
                break;
            }
        }
        assert_eq!((second.let_pass(), second.delivered() + let_pass), (let_pass, events));
        let delivered = second.delivered();
        in_turn(|| drop(second));
        Counts { joined: pauses, delivered, missed: let_pass, halfway: 0 }
    });
    let readers = vec![stage(first, vec![], journal, events, random.split()), pausing];
    let counts = run(mixed(producer, &ring, events, random), readers);
    assert_eq!(counts.delivered + counts.missed, 2 * events);
    format!("{} pauses, {} let pass, {} delivered", counts.joined - 1, counts.missed, counts.delivered)
}
