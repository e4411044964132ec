//! What the shipped program costs: size, start, memory and wakeups, measured beside peers in the same run.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cargo::{Workspace, cache_folder, make_folder, run as run_call};
use crate::packages::{self, BUILD, has_command};
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask bench footprint [--binary PATH] [--idle SECONDS]

  Builds the release program and runs `hookswitch --home DIR run --headless` with no device and no tenant, beside two
  peers for scale: `sleep infinity`, and Python's HTTP server if Python is installed.
  Start: from launch until endpoint.json is there and its port accepts a connection; the median of 10 starts after a
  first one that makes the certificate. Memory: after 10 s of idling. Wakeups: voluntary context switches of all
  threads together. (Linux only: it reads /proc.)

  --binary PATH    measure this program instead of building one
  --idle SECONDS   how long wakeups are counted (60)
";

/// The aims: 13 MB resident, no wakeups, 25 ms to ready, 14 MB on disk (1 MB = 1,000,000 bytes).
const AIM_RSS_BYTES: f64 = 13e6;
const AIM_WAKEUPS: f64 = 0.0;
const AIM_START_MS: f64 = 25.0;
const AIM_BINARY_BYTES: f64 = 14e6;

const STARTS: usize = 10;
const SETTLE: Duration = Duration::from_secs(10);
const START_LIMIT: Duration = Duration::from_secs(30);
const MB: f64 = 1e6;

/// A program that is ended with its measurement, however that ends.
struct Running(Child);

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
    start_ms: Option<f64>,
    rss_bytes: f64,
    anonymous_bytes: f64,
    wakeups: u64,
    threads: usize,
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
    run_call(workspace.cargo("build").args(["--release", "--package", "hookswitch", "--bin", "hookswitch"]))?;
    Ok(workspace.target.join("release/hookswitch"))
}

/// Gives the costs, the product's first, and how long its very first start took.
fn measure(binary: &Path, folder: &Path, idle_s: u64) -> Outcome<(Vec<Cost>, f64)> {
    let home = folder.join("home");
    let agent = || {
        let mut call = Command::new(binary);
        call.arg("--home").arg(&home).args(["run", "--headless"]).env("HOOKSWITCH_REST_PORT", "0");
        call
    };
    let endpoint = home.join("endpoint.json");
    let ready = || fs::read_to_string(&endpoint).ok().and_then(|text| port_in(&text));
    let start = || {
        drop(fs::remove_file(&endpoint));
        launch(&mut agent(), Some(&ready))
    };
    let (first, first_ms) = start()?;
    drop(first);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (running, took_ms) = start()?;
        drop(running);
        starts.push(took_ms);
    }
    let (agent, _) = start()?;
    let mut idle = vec![("hookswitch", Some(median(starts)), agent)];
    let mut sleep = Command::new("sleep");
    let (sleep, _) = launch(sleep.arg("infinity"), None)?;
    idle.push(("sleep", None, sleep));
    if has_command("python3") {
        // python3 cannot be told "any free port" and say which in time, so the port is chosen for it
        let port = free_port()?;
        let server = || {
            let mut call = Command::new("python3");
            call.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
            call.current_dir(folder);
            call
        };
        let mut starts = Vec::new();
        for _ in 0..3 {
            starts.push(launch(&mut server(), Some(&|| Some(port)))?.1);
        }
        idle.push(("python3 HTTP", Some(median(starts)), launch(&mut server(), Some(&|| Some(port)))?.0));
    }
    println!("Idling for {} s, then counting wakeups for {idle_s} s.", SETTLE.as_secs());
    std::thread::sleep(SETTLE);
    let before = idle.iter().map(|(_, _, child)| switches(child.0.id())).collect::<Outcome<Vec<_>>>()?;
    let memory = idle.iter().map(|(_, _, child)| memory(child.0.id())).collect::<Outcome<Vec<_>>>()?;
    std::thread::sleep(Duration::from_secs(idle_s));
    let mut costs = Vec::new();
    for (((name, start_ms, child), before), memory) in idle.iter().zip(before).zip(memory) {
        let after = switches(child.0.id())?;
        costs.push(Cost {
            name,
            start_ms: *start_ms,
            rss_bytes: memory.0,
            anonymous_bytes: memory.1,
            wakeups: after.iter().map(|(thread, count)| count - earlier(&before, *thread)).sum(),
            threads: after.len(),
        });
    }
    Ok((costs, first_ms))
}

/// Starts a program and gives the milliseconds until the port that `ready` finds accepts a connection; without
/// `ready` it is only started.
fn launch(call: &mut Command, ready: Option<&dyn Fn() -> Option<u16>>) -> Outcome<(Running, f64)> {
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

/// The number after `"port":` in endpoint.json.
fn port_in(json: &str) -> Option<u16> {
    let (_, after) = json.split_once("\"port\"")?;
    let digits = after.trim_start().strip_prefix(':')?.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok().filter(|port| *port != 0)
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

/// Resident and anonymous bytes.
fn memory(pid: u32) -> Outcome<(f64, f64)> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(|why| stop(format!("cannot read {path}: {why}.")))?;
    let bytes = |name: &str| {
        let kib = status_field(&status, name).ok_or_else(|| stop(format!("{path} has no {name}.")))?;
        Ok(kib as f64 * 1024.0)
    };
    Ok((bytes("VmRSS")?, bytes("RssAnon")?))
}

/// Each thread's voluntary context switches so far.
fn switches(pid: u32) -> Outcome<Vec<(u32, u64)>> {
    let path = format!("/proc/{pid}/task");
    let threads = fs::read_dir(&path).map_err(|why| stop(format!("cannot read {path}: {why}.")))?;
    let mut counts = Vec::new();
    for thread in threads.flatten() {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let id = thread.file_name().to_string_lossy().parse();
        if let (Ok(id), Some(count)) = (id, status_field(&status, "voluntary_ctxt_switches")) {
            counts.push((id, count));
        }
    }
    Ok(counts)
}

/// A thread that was not there before has made all its switches since.
fn earlier(before: &[(u32, u64)], thread: u32) -> u64 {
    before.iter().find(|(id, _)| *id == thread).map_or(0, |(_, count)| *count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

fn report(binary: &Path, size: f64, first_ms: f64, costs: &[Cost], idle_s: u64) {
    println!("\n{}", binary.display());
    println!(
        "{:<14} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "", "start ms", "RSS MB", "anon MB", "wakeups", "threads"
    );
    for cost in costs {
        let start = cost.start_ms.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        println!(
            "{:<14} {start:>9} {:>9.2} {:>9.2} {:>8} {:>8}",
            cost.name,
            cost.rss_bytes / MB,
            cost.anonymous_bytes / MB,
            cost.wakeups,
            cost.threads
        );
    }
    let Some((ours, peers)) = costs.split_first() else { return };
    println!("(first start, which makes the certificate: {first_ms:.1} ms)");
    for peer in peers {
        let start = match (ours.start_ms, peer.start_ms) {
            (Some(ours), Some(theirs)) => format!(", start {:.2}", ours / theirs),
            _ => String::new(),
        };
        println!("ratio to {}: RSS {:.2}{start}", peer.name, ours.rss_bytes / peer.rss_bytes);
    }
    println!("\n{:<34} {:>10} {:>10}", "aim", "at most", "measured");
    let start_ms = ours.start_ms.unwrap_or(f64::NAN);
    aim("resident memory, MB", AIM_RSS_BYTES / MB, ours.rss_bytes / MB);
    aim(&format!("wakeups in {idle_s} s"), AIM_WAKEUPS, ours.wakeups as f64);
    aim("start to REST ready, ms", AIM_START_MS, start_ms);
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
        assert_eq!(port_in(r#"{"v":1,"port": 32018,"certificate":"x"}"#), Some(32018));
        assert_eq!(port_in(r#"{"port":0}"#), None);
        assert_eq!(port_in(r#"{"port":99999}"#), None);
        assert_eq!(port_in(r#"{"port""#), None);
    }

    #[test]
    fn reads_a_status_field_by_its_whole_name() {
        let status = "VmRSSx:\t1 kB\nVmRSS:\t    1234 kB\nnonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t7\n";
        assert_eq!(status_field(status, "VmRSS"), Some(1234));
        assert_eq!(status_field(status, "voluntary_ctxt_switches"), Some(7));
        assert_eq!(status_field(status, "RssAnon"), None);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn measures_a_process_that_is_there() {
        let this = std::process::id();
        let (rss, anonymous) = memory(this).expect("own status");
        assert!(rss > anonymous && anonymous > 0.0);
        assert!(!switches(this).expect("own threads").is_empty());
    }
}
