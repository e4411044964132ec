//! What the shipped program costs: size, start, memory and wakeups, measured beside peers in the same run.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cargo::{Workspace, cache_folder, make_folder};
use crate::packages::{self, has_command};
use crate::tier::BUILD;
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask bench footprint [--binary PATH] [--idle SECONDS]

  Builds the release program and runs `hookswitch --home DIR run --headless` with no device and no tenant, and its two
  roles apart (`service run`, and `run` beside it), beside peers for scale: `sleep infinity`, Python's HTTP server and
  fwupd's daemon, if they are installed.
  Start: from launch until endpoint.json is there and its port accepts a connection; the median of 10 starts after a
  first one that makes the certificate. Memory: after 10 s of idling, summed by the kernel over all mappings; pages of
  the program's file count in the portions the page cache holds it in, so a fresh copy of it may show 1 MB more.
  Wakeups: context switches of all threads, whoever asked for them. (Linux only: it reads /proc.)

  --binary PATH    measure this program instead of building one
  --idle SECONDS   how long wakeups are counted (60)
";

/// The aims: 10 MB resident, of the roles apart 6.5 MB and 9 MB, no wakeups, 25 ms to ready, 14 MB on disk (1 MB = 1,000,000 bytes).
const AIM_RSS_BYTES: f64 = 10e6;
const AIM_SERVICE_BYTES: f64 = 6.5e6;
const AIM_USER_BYTES: f64 = 9e6;
const AIM_WAKEUPS: f64 = 0.0;
const AIM_START_MS: f64 = 25.0;
const AIM_BINARY_BYTES: f64 = 14e6;

/// The daemon that updates firmware on Linux desktops.
const FWUPD: &str = "/usr/libexec/fwupd/fwupd";
const SERVICE: &str = "machine role";
const USER: &str = "user role";
/// Below the folder of `--home`.
const SERVICE_SOCKET: &str = "service/run/machine.sock";

const STARTS: usize = 10;
const SETTLE: Duration = Duration::from_secs(10);
const START_LIMIT: Duration = Duration::from_secs(30);
const MB: f64 = 1e6;

/// A program that is ended with its measurement, however that ends.
pub(crate) struct Running(Child);

impl Drop for Running {
    /// Asks first, as a session does that ends, so that the next start finds what an ordinary one finds.
    fn drop(&mut self) {
        let asked = Command::new("sh").args(["-c", "kill \"$0\""]).arg(self.0.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while asked.is_ok() && Instant::now() < deadline && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // it has ended by now, or it is ended without being asked: neither can fail in a way that matters
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What one idle process costs.
#[derive(Debug)]
struct Cost {
    name: &'static str,
    /// Milliseconds of each start; empty where nothing tells when it is ready.
    starts_ms: Vec<f64>,
    memory: Memory,
    wakeups: u64,
    threads: usize,
}

/// Resident bytes.
#[derive(Debug)]
struct Memory {
    all: f64,
    anonymous: f64,
}

pub(crate) fn run(asked: &Asked) -> Outcome {
    let binary = match &asked.binary {
        Some(path) => path.clone(),
        None => build(asked)?,
    };
    let size = fs::metadata(&binary)
        .map_err(|why| stop(format!("cannot read the size of {}: {why}.", binary.display())))?
        .len() as f64;
    let folder = cache_folder()?.join("footprint");
    drop(fs::remove_dir_all(&folder));
    make_folder(&folder)?;
    let outcome = measure(&binary, &folder, asked.idle_s);
    drop(fs::remove_dir_all(&folder));
    let (costs, first_ms) = outcome?;
    report(&binary, size, first_ms, &costs, asked.idle_s);
    Ok(())
}

fn build(asked: &Asked) -> Outcome<PathBuf> {
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD], asked)?;
    workspace.build_shipped()?;
    Ok(workspace.shipped())
}

/// A program that idles, and how long its starts took before.
type Idle = (&'static str, Vec<f64>, Running);

/// Gives the costs, the product's first, and how long its very first start took.
fn measure(binary: &Path, folder: &Path, idle_s: u64) -> Outcome<(Vec<Cost>, f64)> {
    let (agent, first_ms) = start_agent(binary, &folder.join("home"))?;
    let mut idle = vec![agent];
    idle.extend(start_apart(binary, &folder.join("apart"))?);
    let mut sleep = Command::new("sleep");
    idle.push(("sleep", Vec::new(), launch(sleep.arg("infinity"), None)?.0));
    if has_command("python3") {
        idle.push(start_python(folder)?);
    }
    let bus = start_fwupd(folder, &mut idle)?;
    println!("Idling for {} s, then counting wakeups for {idle_s} s.", SETTLE.as_secs());
    std::thread::sleep(SETTLE);
    let before = idle.iter().map(|(_, _, child)| switches(child.0.id())).collect::<Outcome<Vec<_>>>()?;
    let memory = idle.iter().map(|(_, _, child)| memory(child.0.id())).collect::<Outcome<Vec<_>>>()?;
    std::thread::sleep(Duration::from_secs(idle_s));
    // All are counted before the first one ends: the roles hear of each other's end.
    let after = idle.iter().map(|(_, _, child)| switches(child.0.id())).collect::<Outcome<Vec<_>>>()?;
    let mut costs = Vec::new();
    for ((((name, starts_ms, _), before), after), memory) in idle.iter().zip(before).zip(after).zip(memory) {
        let (name, starts_ms) = (*name, starts_ms.clone());
        let wakeups = after.iter().map(|(thread, count)| count - earlier(&before, *thread)).sum();
        costs.push(Cost { name, starts_ms, memory, wakeups, threads: after.len() });
    }
    drop(bus);
    Ok((costs, first_ms))
}

fn start_agent(binary: &Path, home: &Path) -> Outcome<(Idle, f64)> {
    let ready = || port_of(home);
    let start = || {
        drop(fs::remove_file(home.join("endpoint.json")));
        launch(&mut agent(binary, home), Some(&ready))
    };
    let (first, first_ms) = start()?;
    drop(first);
    let mut starts_ms = Vec::new();
    for _ in 0..STARTS {
        let (running, took_ms) = start()?;
        drop(running);
        starts_ms.push(took_ms);
    }
    Ok((("hookswitch", starts_ms, start()?.0), first_ms))
}

/// The machine role as a service, and the user role that finds it.
fn start_apart(binary: &Path, home: &Path) -> Outcome<[Idle; 2]> {
    make_folder(home)?;
    let service = launch_service(&mut service(binary, home), home)?;
    let (user, _) = launch(&mut agent(binary, home), Some(&|| port_of(home)))?;
    Ok([(SERVICE, Vec::new(), service), (USER, Vec::new(), user)])
}

/// The call of an agent that has all of its own below `home`, and any port that is free.
pub(crate) fn agent(binary: &Path, home: &Path) -> Command {
    let mut call = Command::new(binary);
    call.arg("--home").arg(home).args(["run", "--headless"]).env("HOOKSWITCH_REST_PORT", "0");
    call
}

/// The call of a machine role alone, below the same `home` as the agents that shall find it.
pub(crate) fn service(binary: &Path, home: &Path) -> Command {
    let mut call = Command::new(binary);
    call.arg("--home").arg(home).args(["service", "run"]);
    call
}

/// Until agents find it.
pub(crate) fn launch_service(call: &mut Command, home: &Path) -> Outcome<Running> {
    let (service, _) = launch(call, None)?;
    let socket = home.join(SERVICE_SOCKET);
    let began = Instant::now();
    while !socket.exists() {
        if began.elapsed() > START_LIMIT {
            return Err(stop(format!("`hookswitch service run` did not make {}.", socket.display())));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(service)
}

/// The port of the agent below `home`, once it has one.
pub(crate) fn port_of(home: &Path) -> Option<u16> {
    port_in(&fs::read_to_string(home.join("endpoint.json")).ok()?)
}

/// On a bus of its own, which is given back: the one of the system stays as it is.
fn start_fwupd(folder: &Path, idle: &mut Vec<Idle>) -> Outcome<Option<Running>> {
    if !Path::new(FWUPD).is_file() || !has_command("dbus-daemon") {
        return Ok(None);
    }
    let address = format!("unix:path={}", folder.join("bus").display());
    let mut bus = Command::new("dbus-daemon");
    let (bus, _) = launch(bus.args(["--session", "--nofork", "--address", &address]), None)?;
    let (fwupd, _) = launch(Command::new(FWUPD).env("DBUS_SYSTEM_BUS_ADDRESS", &address), None)?;
    idle.push(("fwupd", Vec::new(), fwupd));
    Ok(Some(bus))
}

/// Python cannot be told "any free port" and say which in time, so the port is chosen for it.
fn start_python(folder: &Path) -> Outcome<Idle> {
    let port = free_port()?;
    let start = || {
        let mut call = Command::new("python3");
        call.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]).current_dir(folder);
        launch(&mut call, Some(&|| Some(port)))
    };
    let mut starts_ms = Vec::new();
    for _ in 0..3 {
        let (running, took_ms) = start()?;
        drop(running);
        starts_ms.push(took_ms);
    }
    Ok(("python3 HTTP", starts_ms, start()?.0))
}

/// Starts a program and gives the milliseconds until the port that `ready` finds accepts a connection; without
/// `ready` it is only started.
pub(crate) fn launch(call: &mut Command, ready: Option<&dyn Fn() -> Option<u16>>) -> Outcome<(Running, f64)> {
    call.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut running = Running(call.spawn().map_err(|why| crate::cargo::cannot_start(call, &why))?);
    let Some(ready) = ready else { return Ok((running, 0.0)) };
    loop {
        if ready().is_some_and(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return Ok((running, began.elapsed().as_secs_f64() * 1e3));
        }
        let shown = crate::cargo::show(call);
        if let Some(status) = running.0.try_wait().ok().flatten() {
            return Err(stop(format!(
                "`{shown}` ended with {status} before it was ready; run it to see why."
            )));
        }
        if began.elapsed() > START_LIMIT {
            return Err(stop(format!("`{shown}` was not ready within {} s.", START_LIMIT.as_secs())));
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The port of the address after `"url":` in endpoint.json.
fn port_in(json: &str) -> Option<u16> {
    let (_, after) = json.split_once("\"url\"")?;
    let address = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix("\"https://127.0.0.1:")?;
    let (port, _) = address.split_once(['"', '/'])?;
    port.parse().ok().filter(|port| *port != 0)
}

fn free_port() -> Outcome<u16> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|why| stop(format!("no free port on 127.0.0.1: {why}.")))
}

/// The number of a `Name:  123 kB` line in a status file of /proc.
fn status_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// From smaps_rollup: the figures of `status` are counters that lag behind by up to some hundred KiB.
fn memory(pid: u32) -> Outcome<Memory> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let status = fs::read_to_string(&path).map_err(|why| stop(format!("cannot read {path}: {why}.")))?;
    let bytes = |name: &str| {
        let kib = status_field(&status, name).ok_or_else(|| stop(format!("{path} has no {name}.")))?;
        Ok(kib as f64 * 1024.0)
    };
    Ok(Memory { all: bytes("Rss")?, anonymous: bytes("Anonymous")? })
}

/// Each thread's context switches so far, those it was forced to included.
fn switches(pid: u32) -> Outcome<Vec<(u32, u64)>> {
    let path = format!("/proc/{pid}/task");
    let threads = fs::read_dir(&path).map_err(|why| stop(format!("cannot read {path}: {why}.")))?;
    let mut counts = Vec::new();
    for thread in threads.flatten() {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let id = thread.file_name().to_string_lossy().parse();
        let field = |name| status_field(&status, name);
        let both = field("voluntary_ctxt_switches").zip(field("nonvoluntary_ctxt_switches"));
        if let (Ok(id), Some((asked, forced))) = (id, both) {
            counts.push((id, asked + forced));
        }
    }
    Ok(counts)
}

/// A thread that was not there before has made all its switches since.
fn earlier(before: &[(u32, u64)], thread: u32) -> u64 {
    before.iter().find(|(id, _)| *id == thread).map_or(0, |(_, count)| *count)
}

/// Smallest, middle and largest value.
fn spread(values: &[f64]) -> Option<(f64, f64, f64)> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (first, last, middle) = (*values.first()?, *values.last()?, values.len() / 2);
    let median = if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    };
    Some((first, median, last))
}

fn report(binary: &Path, size: f64, first_ms: f64, costs: &[Cost], idle_s: u64) {
    println!("\n{}", binary.display());
    println!(
        "{:<14} {:>22} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "start ms (min..max)", "RSS MB", "anon MB", "file MB", "wakeups", "threads"
    );
    for cost in costs {
        let start = spread(&cost.starts_ms)
            .map_or("-".to_owned(), |(min, median, max)| format!("{median:.1} ({min:.1}..{max:.1})"));
        let Memory { all, anonymous } = cost.memory;
        println!(
            "{:<14} {start:>22} {:>8.2} {:>8.2} {:>8.2} {:>8} {:>8}",
            cost.name,
            all / MB,
            anonymous / MB,
            (all - anonymous) / MB,
            cost.wakeups,
            cost.threads
        );
    }
    let Some((ours, peers)) = costs.split_first() else { return };
    println!("(first start, which makes the certificate: {first_ms:.1} ms)");
    let start_of = |cost: &Cost| spread(&cost.starts_ms).map(|(_, median, _)| median);
    for peer in peers {
        let start = match (start_of(ours), start_of(peer)) {
            (Some(ours), Some(theirs)) => format!(", start {:.2}", ours / theirs),
            _ => String::new(),
        };
        println!("ratio to {}: RSS {:.2}{start}", peer.name, ours.memory.all / peer.memory.all);
    }
    println!("\n{:<34} {:>10} {:>10}", "aim", "at most", "measured");
    aim("resident memory, MB", AIM_RSS_BYTES / MB, ours.memory.all / MB);
    for (name, at_most) in [(SERVICE, AIM_SERVICE_BYTES), (USER, AIM_USER_BYTES)] {
        if let Some(cost) = costs.iter().find(|cost| cost.name == name) {
            aim(&format!("resident memory, {name}, MB"), at_most / MB, cost.memory.all / MB);
        }
    }
    aim(&format!("wakeups in {idle_s} s"), AIM_WAKEUPS, ours.wakeups as f64);
    aim("start to REST ready, ms", AIM_START_MS, start_of(ours).unwrap_or(f64::NAN));
    aim("program, MB", AIM_BINARY_BYTES / MB, size / MB);
}

fn aim(name: &str, at_most: f64, measured: f64) {
    let verdict =
        if measured <= at_most { "met".to_owned() } else { format!("missed by {:.2}", measured - at_most) };
    println!("{name:<34} {at_most:>10.2} {measured:>10.2}  {verdict}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_port_and_not_a_part_of_one() {
        let file = r#"{"url":"https://127.0.0.1:32018","ca":"/x/ca.pem","token":"0","pid":7}"#;
        assert_eq!(port_in(file), Some(32018));
        assert_eq!(port_in(r#"{ "url" : "https://127.0.0.1:1/" }"#), Some(1));
        assert_eq!(port_in(r#"{"url":"https://127.0.0.1:0"}"#), None);
        assert_eq!(port_in(r#"{"url":"https://127.0.0.1:99999"}"#), None);
        assert_eq!(port_in(r#"{"url":"https://127.0.0.1:320"#), None, "a file that is being written");
    }

    #[test]
    fn reads_a_status_field_by_its_whole_name() {
        let status =
            "Rss_:\t1 kB\nRss:\t    1234 kB\nnonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t7\n";
        assert_eq!(status_field(status, "Rss"), Some(1234));
        assert_eq!(status_field(status, "voluntary_ctxt_switches"), Some(7));
        assert_eq!(status_field(status, "Anonymous"), None);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some((1.0, 2.5, 4.0)));
        assert_eq!(spread(&[9.0, 1.0, 5.0]), Some((1.0, 5.0, 9.0)));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn measures_a_process_that_is_there() {
        let this = std::process::id();
        let memory = memory(this).expect("own mappings");
        assert!(memory.all > memory.anonymous && memory.anonymous > 0.0);
        assert!(!switches(this).expect("own threads").is_empty());
    }
}
