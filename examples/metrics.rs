//! A ring's statistics for Prometheus: a collector over [`Ring::stats`], and a page that it can be scraped from.
//!
//! A core publishes to a journal, to a gateway that comes after it, and to a dashboard that is too slow. What the ring knows about
//! them is read when somebody asks, and costs the core nothing in between.
//!
//!     cargo run --release --example metrics                                       # one second, then prints the metrics
//!     cargo run --release --example metrics -- --listen 127.0.0.1:9464            # until Ctrl-C
//!     cargo run --release --example metrics -- --listen 127.0.0.1:9464 --seconds 60
//!     curl http://127.0.0.1:9464/metrics
//!
//! The text is in the format `OpenMetrics`, which Prometheus reads. A run that ends by itself prints it, and ends with an error if
//! one of its lines is malformed, or if the consumers do not account for what was published.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};
use ringbus::stats::{ConsumerState, ConsumerStats, Histogram, Stats};
use ringbus::worker::on_each;
use ringbus::{Event, Producer, PublishError, Ring, Sequence};

/// Exports a ring's statistics for Prometheus.
#[derive(Parser, Debug)]
struct Arguments {
    /// Serve the metrics there, at `/metrics`; port 0 is any that is free.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// How long to run; without it, one second, and with `--listen` until Ctrl-C.
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<Duration>,
    /// Slots of the ring, a power of two of at least 128.
    #[arg(long, value_name = "SLOTS", default_value_t = 1 << 10)]
    capacity: usize,
    /// Measure the latency of one event in so many.
    #[arg(long, value_name = "N", default_value = "16")]
    sample: NonZero<u64>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, such as 2.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("metrics: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let (mut producer, ring) = Ring::<u64>::builder()
        .name("core")
        .capacity(arguments.capacity)
        .sample_latency(arguments.sample)
        .build()?;
    let journal = ring.required("journal").join()?;
    let gateway = ring.required("gateway").after(&[&journal]).join()?;
    let dashboard = ring.optional("dashboard").join()?;
    let handled = || on_each(|_: &u64, _sequence, _end_of_batch| Ok::<(), String>(()));
    let slowly = on_each(|_: &u64, _sequence, end_of_batch| {
        if end_of_batch {
            thread::sleep(Duration::from_millis(50));
        }
        Ok::<(), String>(())
    });
    let journal = journal.into_worker().spawn(handled())?;
    let gateway = gateway.into_worker().spawn(handled())?;
    let dashboard = dashboard.into_worker().spawn(slowly)?;

    let mut registry = Registry::default();
    registry.register_collector(Box::new(RingCollector { ring: ring.clone() }));
    let registry = Arc::new(registry);
    if let Some(address) = arguments.listen {
        let listener = TcpListener::bind(address)?;
        eprintln!("http://{}/metrics", listener.local_addr()?);
        let registry = Arc::clone(&registry);
        // It ends with the process.
        thread::Builder::new().name("metrics".into()).spawn(move || serve(&listener, &registry))?;
    }

    let unasked = arguments.listen.is_none().then_some(Duration::from_secs(1));
    // (A time that no clock can tell is one without an end.)
    let end = arguments.seconds.or(unasked).and_then(|length| Instant::now().checked_add(length));
    let last = core(&mut producer, end)?;

    // While all are there: a consumer that has left is not in the statistics any more.
    let through = gateway.progress().ok_or("the gateway is required")?;
    through.wait_for(last, Instant::now() + Duration::from_secs(60))?;
    let exposition = expose(&registry)?;
    print!("{exposition}");
    check(&exposition, last.get() + 1)?;

    producer.close()?;
    journal.join()?;
    gateway.join()?;
    dashboard.join()?;
    Ok(())
}

/// Publishes a batch each millisecond until `end`. Returns the last sequence.
fn core(producer: &mut Producer<u64>, end: Option<Instant>) -> Result<Sequence, PublishError> {
    let mut next = 0;
    loop {
        let batch: [u64; 32] = std::array::from_fn(|place| next + place as u64);
        producer.publish_batch(&batch)?;
        next += batch.len() as u64;
        if end.is_some_and(|end| Instant::now() >= end) {
            return Ok(Sequence::new(next - 1));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The registry's metrics as text.
fn expose(registry: &Registry) -> Result<String, fmt::Error> {
    let mut exposition = String::new();
    text::encode(&mut exposition, registry)?;
    Ok(exposition)
}

// ---- From statistics to metrics

/// Reads a ring's statistics each time it is asked.
///
/// A consumer's state is a metric of its own and not a label of the others: a change of state would begin new series of all of
/// them, and rates would be wrong.
#[derive(Debug)]
struct RingCollector<E: Event> {
    ring: Ring<E>,
}

impl<E: Event + fmt::Debug> Collector for RingCollector<E> {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.ring.stats();
        let mut families = Families { encoder, names: unique_names(&stats), stats: &stats };
        families.of_the_ring()?;
        families.of_its_consumers()?;
        families.of_their_states()?;
        families.of_their_latencies()
    }
}

/// Two consumers may have one name, but no two series may have the same labels.
fn unique_names(stats: &Stats) -> Vec<String> {
    let mut taken = HashSet::new();
    let unique = |consumer: &ConsumerStats| {
        let numbered = (2..).map(|number| format!("{}#{number}", consumer.name));
        let mut names = std::iter::once(consumer.name.to_string()).chain(numbered);
        let name = names.find(|name| !taken.contains(name)).expect("there is no end of numbers");
        taken.insert(name.clone());
        name
    };
    stats.consumers.iter().map(unique).collect()
}

/// A metric's number.
enum Value {
    Count(u64),
    Total(f64),
    Gauge(u64),
}

impl Value {
    fn metric_type(&self) -> MetricType {
        match self {
            Self::Count(_) | Self::Total(_) => MetricType::Counter,
            Self::Gauge(_) => MetricType::Gauge,
        }
    }

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        type NoExemplar<'a> = Option<&'a Exemplar<[(&'static str, &'static str); 0], f64>>;
        let none: NoExemplar<'_> = None;
        match self {
            Self::Count(count) => encoder.encode_counter(count, none),
            Self::Total(total) => encoder.encode_counter(total, none),
            Self::Gauge(gauge) => encoder.encode_gauge(gauge),
        }
    }
}

/// What is known about one consumer, by a function.
type OfConsumer = fn(&Stats, &ConsumerStats) -> Value;

struct Families<'encoder, 'stats> {
    encoder: DescriptorEncoder<'encoder>,
    stats: &'stats Stats,
    /// Of the consumers, in the same order.
    names: Vec<String>,
}

impl Families<'_, '_> {
    fn of_the_ring(&mut self) -> fmt::Result {
        let events = Unit::Other("events".into());
        let stats = self.stats;
        // (The counters' names get `_total` at their end.)
        let families = [
            ("ringbus_events_published", "Events published.", None, Value::Count(stats.published())),
            ("ringbus_capacity", "Slots of the ring.", Some(&events), Value::Gauge(stats.capacity as u64)),
            (
                "ringbus_closed",
                "Whether the stream has ended.",
                None,
                Value::Gauge(stats.end.is_some().into()),
            ),
            (
                "ringbus_producer_refused",
                "Calls that did not wait, or no longer, and found no room.",
                None,
                Value::Count(stats.refused),
            ),
        ];
        for (name, help, unit, value) in families {
            let mut family = self.encoder.encode_descriptor(name, help, unit, value.metric_type())?;
            value.encode(family.encode_family(&[("ring", &*stats.ring)])?)?;
        }
        Ok(())
    }

    fn of_its_consumers(&mut self) -> fmt::Result {
        let events = Unit::Other("events".into());
        let families: [(&str, &str, Option<&Unit>, OfConsumer); 8] = [
            (
                "ringbus_consumer_position",
                "The next sequence it reads or acknowledges.",
                None,
                |_, consumer| Value::Gauge(consumer.position.get()),
            ),
            ("ringbus_consumer_lag", "Events published and not delivered.", Some(&events), |_, consumer| {
                Value::Gauge(consumer.lag)
            }),
            ("ringbus_consumer_delivered", "Events delivered.", Some(&events), |_, consumer| {
                Value::Count(consumer.delivered)
            }),
            ("ringbus_consumer_missed", "Events lost.", Some(&events), |_, consumer| {
                Value::Count(consumer.missed)
            }),
            ("ringbus_consumer_let_pass", "Events let pass while paused.", Some(&events), |_, consumer| {
                Value::Count(consumer.let_pass)
            }),
            ("ringbus_producer_waits", "Waits of the producer for this consumer.", None, |_, consumer| {
                Value::Count(consumer.waits.count)
            }),
            (
                "ringbus_producer_wait",
                "Time that the producer waited for this consumer.",
                Some(&Unit::Seconds),
                |_, consumer| Value::Total(consumer.waits.total.as_secs_f64()),
            ),
            (
                "ringbus_consumer_gating",
                "Whether the producer would wait for it.",
                None,
                |stats, consumer| {
                    let gates = stats.gated_by().is_some_and(|slowest| std::ptr::eq(slowest, consumer));
                    Value::Gauge(gates.into())
                },
            ),
        ];
        let Some(any) = self.stats.consumers.first() else { return Ok(()) };
        for (name, help, unit, value_of) in families {
            let metric_type = value_of(self.stats, any).metric_type();
            let mut family = self.encoder.encode_descriptor(name, help, unit, metric_type)?;
            for (consumer, name) in self.stats.consumers.iter().zip(&self.names) {
                let labels = labels(self.stats, consumer, name);
                value_of(self.stats, consumer).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    /// One series for each state, of which one is 1.
    fn of_their_states(&mut self) -> fmt::Result {
        let help = "Whether the consumer is in this state.";
        let mut family =
            self.encoder.encode_descriptor("ringbus_consumer_state", help, None, MetricType::Gauge)?;
        for (consumer, name) in self.stats.consumers.iter().zip(&self.names) {
            for state in [ConsumerState::Running, ConsumerState::Paused, ConsumerState::Failed] {
                let text = state.to_string();
                let [ring, consumer_name, kind] = labels(self.stats, consumer, name);
                let labels = [ring, consumer_name, kind, ("state", text)];
                family.encode_family(&labels)?.encode_gauge(&u64::from(consumer.state == state))?;
            }
        }
        Ok(())
    }

    fn of_their_latencies(&mut self) -> fmt::Result {
        let help = "From when the producer had room for an event to its acknowledgement, sampled.";
        let mut family = self.encoder.encode_descriptor(
            "ringbus_consumer_latency",
            help,
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (consumer, name) in self.stats.consumers.iter().zip(&self.names) {
            let Some(latency) = &consumer.latency else { continue };
            let labels = labels(self.stats, consumer, name);
            let (sum, buckets) = in_seconds(latency);
            family.encode_family(&labels)?.encode_histogram::<[(&str, &str); 0]>(
                sum,
                latency.len(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }
}

fn labels(stats: &Stats, consumer: &ConsumerStats, unique_name: &str) -> [(&'static str, String); 3] {
    [
        ("ring", stats.ring.to_string()),
        ("consumer", unique_name.to_owned()),
        ("kind", consumer.kind.to_string()),
    ]
}

/// A histogram of nanoseconds as Prometheus wants it: the sum, and for each upper bound in seconds how many values lie between
/// it and the bound before. (The bounds are exact to the histogram's two digits.)
fn in_seconds(nanoseconds: &Histogram<u64>) -> (f64, Vec<(f64, u64)>) {
    /// 100 ns to 1 s.
    const BOUNDS: [u64; 15] = [
        100,
        250,
        500,
        1_000,
        2_500,
        5_000,
        10_000,
        25_000,
        50_000,
        100_000,
        1_000_000,
        5_000_000,
        10_000_000,
        100_000_000,
        1_000_000_000,
    ];
    let mut counts = [0; BOUNDS.len() + 1];
    let mut sum = 0.0;
    for value in nanoseconds.iter_recorded() {
        let nanos = value.value_iterated_to();
        counts[BOUNDS.partition_point(|bound| *bound < nanos)] += value.count_at_value();
        sum += nanoseconds.median_equivalent(nanos) as f64 * 1e-9 * value.count_at_value() as f64;
    }
    // (Divided, so that a bound is written `2.5e-7` and not as what a product is rounded to.)
    let bounds = BOUNDS.map(|bound| bound as f64 / 1e9).into_iter().chain([f64::INFINITY]);
    (sum, bounds.zip(counts).collect())
}

// ---- The page

/// The longest head of a request that is read, and the longest that anybody may take for it.
const LONGEST_HEAD: usize = 4_096;
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers one request after the other, for good. What is wrong with one is its client's affair.
fn serve(listener: &TcpListener, registry: &Registry) {
    for stream in listener.incoming() {
        match stream.and_then(|stream| answer(stream, registry)) {
            Ok(()) => {}
            Err(error) => {
                eprintln!("metrics: a request failed: {error}");
                // For errors that come at once each time: no descriptors left, for instance.
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn answer(mut stream: TcpStream, registry: &Registry) -> io::Result<()> {
    let (status, content_type, body) = match request_line(&mut stream)? {
        Ok(line) => respond_to(&line, registry),
        Err(status) => (status, TEXT, format!("{status}\n")),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
        body.len(),
        if status == NOT_ALLOWED { "Allow: GET\r\n" } else { "" },
    );
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.shutdown(Shutdown::Write)
}

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const NOT_ALLOWED: &str = "405 Method Not Allowed";

fn respond_to(line: &str, registry: &Registry) -> (&'static str, &'static str, String) {
    let error = |status| (status, TEXT, format!("{status}\n"));
    match *line.split(' ').collect::<Vec<_>>() {
        ["GET", target, "HTTP/1.0" | "HTTP/1.1"] => match target.split('?').next() {
            Some("/metrics") => match expose(registry) {
                Ok(exposition) => ("200 OK", OPEN_METRICS, exposition),
                Err(_) => error("500 Internal Server Error"),
            },
            _ => error("404 Not Found"),
        },
        [_, _, "HTTP/1.0" | "HTTP/1.1"] => error(NOT_ALLOWED),
        _ => error("400 Bad Request"),
    }
}

/// The first line of a request, or with what status to refuse it. Reads the whole head: a connection that is closed with
/// something unread in it is reset, and its client may never see the answer.
fn request_line(stream: &mut TcpStream) -> io::Result<Result<String, &'static str>> {
    let deadline = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Err("408 Request Timeout"));
        }
        if head.len() >= LONGEST_HEAD {
            return Ok(Err("431 Request Header Fields Too Large"));
        }
        stream.set_read_timeout(Some(left))?;
        let mut bytes = [0; 512];
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(Err("400 Bad Request")),
            Ok(count) => head.extend_from_slice(&bytes[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8(line.to_vec()).map_err(|_| "400 Bad Request"))
}

// ---- The check

/// Whether each line is a comment or `name{labels} value`, no two series are the same, and the numbers are those of a ring on
/// which so many events were published and which the gateway has read to the end.
fn check(exposition: &str, published: u64) -> Result<(), String> {
    let mut samples = HashMap::new();
    for line in exposition.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = sample(line).ok_or_else(|| format!("a malformed line: {line}"))?;
        if samples.insert(series, value).is_some() {
            return Err(format!("a series twice: {series}"));
        }
    }
    if !exposition.ends_with("\n# EOF\n") {
        return Err("no end".into());
    }
    let value_of = |series: &str| samples.get(series).copied().ok_or_else(|| format!("no series {series}"));
    for (consumer, kind) in [("journal", "required"), ("gateway", "required"), ("dashboard", "optional")] {
        let labels = format!(r#"{{ring="core",consumer="{consumer}",kind="{kind}"}}"#);
        let mut account = 0.0;
        for of in ["delivered_events_total", "missed_events_total", "let_pass_events_total", "lag_events"] {
            account += value_of(&format!("ringbus_consumer_{of}{labels}"))?;
        }
        let total = value_of(r#"ringbus_events_published_total{ring="core"}"#)?;
        if (account, total) != (published as f64, published as f64) {
            return Err(format!("{consumer} accounts for {account} of {total} events, {published} in truth"));
        }
    }
    let delivered = value_of(
        r#"ringbus_consumer_delivered_events_total{ring="core",consumer="gateway",kind="required"}"#,
    )?;
    if delivered != published as f64 {
        return Err(format!("the gateway has {delivered} of {published} events"));
    }
    let all = r#"ringbus_consumer_latency_seconds_bucket{le="+Inf",ring="core",consumer="gateway",kind="required"}"#;
    let count = r#"ringbus_consumer_latency_seconds_count{ring="core",consumer="gateway",kind="required"}"#;
    if value_of(all)? != value_of(count)? || value_of(count)? == 0.0 {
        return Err("the latencies do not add up".into());
    }
    Ok(())
}

/// The series and the value of a line. `None`: it is malformed.
fn sample(line: &str) -> Option<(&str, f64)> {
    let name_end = line.find(|byte: char| !(byte.is_ascii_alphanumeric() || byte == '_'))?;
    let series_end = match line[name_end..].strip_prefix('{') {
        Some(labels) => name_end + 1 + labels_end(labels)?,
        None => name_end,
    };
    let value = line[series_end..].strip_prefix(' ')?;
    let is_named = line.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    (is_named && !value.contains(' ')).then(|| Some((&line[..series_end], value.parse().ok()?)))?
}

/// Where `name="value",..}` ends.
fn labels_end(labels: &str) -> Option<usize> {
    let mut rest = labels;
    loop {
        let (name, value) = rest.split_once("=\"")?;
        if name.is_empty() || !name.chars().all(|byte| byte.is_ascii_alphanumeric() || byte == '_') {
            return None;
        }
        let mut is_escaped = false;
        let end = value.find(|byte| {
            let is_end = byte == '"' && !is_escaped;
            is_escaped = byte == '\\' && !is_escaped;
            is_end
        })?;
        rest = &value[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return Some(labels.len() - after.len());
        }
        rest = rest.strip_prefix(',')?;
    }
}
