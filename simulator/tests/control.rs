//! The control door, the program and the frozen form of the state.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "sockets, files and processes are what is tested")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use simulator::control::{self, Answer, Client, Request};
use simulator::{Bus, Button, Fault, HeadsetHandle, How, Setup, firmware};

const PROGRAM: &str = env!("CARGO_BIN_EXE_hookswitch-sim");

/// A directory of one test's own, removed at its end.
struct Nest(PathBuf);

impl Nest {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sim-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }
}

impl Drop for Nest {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn headset() -> HeadsetHandle {
    let bus = Bus::new();
    bus.plug("1-1", Setup::default());
    bus.headset("1-1")
}

#[test]
fn every_request_goes_there_and_back() {
    let (nest, headset) = (Nest::new("round-trip"), headset());
    let server = control::serve(headset.clone(), &nest.socket()).expect("serves");
    let mut client = Client::connect(server.path()).expect("connects");
    assert_eq!(client.state().expect("state"), headset.state());
    assert!(client.press(Button::Hook).expect("press"));
    assert!(client.wait("hook=true,lights.ring=false", Duration::from_secs(5)).expect("holds").hook);
    assert!(!client.press(Button::Mute).expect("press"), "no call: ignored");
    client.unplug().expect("unplug");
    assert!(!client.state().expect("state").plugged);
    client.plug().expect("plug");
    client.fail(Fault { at_block: 7, how: How::ErrVerify }).expect("fail");
    client.clear_faults().expect("clear");
    let log = client.log().expect("log");
    assert!(log.iter().any(|entry| entry.text == "unplugged"), "{log:?}");

    let error = client.wait("ring=true", Duration::from_millis(20)).expect_err("nobody rings");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    for bad in ["ring", "no_such=1", "lights=1", ""] {
        let error = client.wait(bad, Duration::ZERO).expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{bad:?}: {error}");
    }
    // A waiting client does not keep others waiting.
    let waiting = std::thread::spawn({
        let path = server.path().to_owned();
        move || Client::connect(path).expect("connects").wait("plugged=false", Duration::from_secs(5))
    });
    std::thread::sleep(Duration::from_millis(30));
    client.unplug().expect("unplug");
    assert!(!waiting.join().expect("no panic").expect("holds").plugged);
}

#[test]
fn the_socket_is_private_replaces_a_dead_one_and_goes_with_its_server() {
    let nest = Nest::new("modes");
    let path = nest.socket();
    let server = control::serve(headset(), &path).expect("serves");
    let mode = std::fs::metadata(&path).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let error = control::serve(headset(), &path).expect_err("taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let mut client = Client::connect(&path).expect("connects");
    drop(server);
    assert!(!path.exists());
    assert!(client.state().is_err(), "open connections end");

    // A socket left behind by a crash.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("binds"));
    assert!(path.exists());
    let server = control::serve(headset(), &path).expect("replaces the dead one");
    assert!(Client::connect(server.path()).is_ok());
    drop(server);

    std::fs::write(&path, "precious").expect("a file");
    let error = control::serve(headset(), &path).expect_err("not a socket");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
    let left: Vec<_> = std::fs::read_dir(&nest.0).expect("listing").collect();
    assert_eq!(left.len(), 1, "no debris: {left:?}");
}

#[test]
fn what_is_no_request_is_refused() {
    let nest = Nest::new("refused");
    let server = control::serve(headset(), &nest.socket()).expect("serves");
    let stream = UnixStream::connect(server.path()).expect("connects");
    let mut reader = BufReader::new(&stream);
    let mut ask = |line: &str| {
        (&mut &stream).write_all(line.as_bytes()).expect("written");
        let mut answer = String::new();
        reader.read_line(&mut answer).expect("an answer");
        serde_json::from_str::<Answer>(&answer).expect("an answer by the types")
    };
    for bad in [
        "not json\n",
        "{}\n",
        "{\"op\":\"fly\"}\n",
        "{\"op\":\"unplug\",\"port\":1}\n",
        "{\"op\":\"press\",\"button\":\"hook\",\"twice\":true}\n",
        "{\"op\":\"press\",\"button\":\"self-destruct\"}\n",
        "{\"op\":\"fail\",\"fault\":{\"at_block\":-1,\"how\":\"unplug\"}}\n",
    ] {
        assert!(matches!(ask(bad), Answer::Refused { .. }), "{bad}");
    }
    assert!(matches!(ask("{\"op\":\"state\"}\n"), Answer::State { .. }), "the connection goes on");
    assert!(matches!(ask(&"x".repeat(4096)), Answer::Refused { .. }), "over-long, and that is the end of it");
    let mut rest = String::new();
    assert!(matches!(reader.read_line(&mut rest), Ok(0) | Err(_)), "{rest}");
}

#[test]
fn requests_and_answers_have_a_frozen_form() {
    let requests = [
        (Request::Press { button: Button::SpeedDial }, r#"{"op":"press","button":"speed_dial"}"#),
        (Request::Press { button: Button::Unmute }, r#"{"op":"press","button":"unmute"}"#),
        (Request::PressByHand { button: Button::Hook }, r#"{"op":"press_by_hand","button":"hook"}"#),
        (Request::Unplug {}, r#"{"op":"unplug"}"#),
        (Request::UnplugByHand {}, r#"{"op":"unplug_by_hand"}"#),
        (Request::PlugByHand {}, r#"{"op":"plug_by_hand"}"#),
        (
            Request::Wait { condition: "ring=true".into(), timeout_ms: 5 },
            r#"{"op":"wait","condition":"ring=true","timeout_ms":5}"#,
        ),
        (
            Request::Fail { fault: Fault { at_block: 3, how: How::UnplugUnanswered } },
            r#"{"op":"fail","fault":{"at_block":3,"how":"unplug_unanswered"}}"#,
        ),
        (Request::ClearFaults {}, r#"{"op":"clear_faults"}"#),
    ];
    for (request, json) in requests {
        assert_eq!(serde_json::to_string(&request).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<Request>(json).expect("a request"), request);
    }
    assert_eq!(serde_json::to_string(&Answer::Done {}).expect("JSON"), r#"{"answer":"done"}"#);
}

// The program.

struct Running(Child);

impl Running {
    fn start(socket: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["run", "--door", "none", "--control"])
            .arg(socket)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(line.starts_with("attached 1209:0001 SIM0001 firmware "), "{line}");
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sim(socket: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).arg("--control").arg(socket).output().expect("the program runs")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn the_state_as_json_matches_golden_file_and_schema() {
    let nest = Nest::new("golden");
    let _running = Running::start(&nest.socket(), &["--layout", "split", "--version", "1.05"]);
    let text = stdout(&sim(&nest.socket(), &["state", "--json"]));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_to_string(root.join("tests/golden/state.json")).expect("golden file");
    assert_eq!(text, golden, "the form of the state changed: that breaks its readers");

    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let schema = root.join("schema/state.schema.json");
    let schema = compiler.compile(&schema.to_string_lossy(), &mut schemas).expect("the schema compiles");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    schemas.validate(&value, schema).expect("the state keeps to its schema");
    for (pointer, wrong) in
        [("/hook", "up"), ("/dfu/state", "idle"), ("/firmware/version", "1"), ("/mode", "x")]
    {
        let mut bad = value.clone();
        *bad.pointer_mut(pointer).expect("a field") = wrong.into();
        assert!(schemas.validate(&bad, schema).is_err(), "{pointer}={wrong} passed");
    }
    let mut more = value;
    more["surprise"] = true.into();
    assert!(schemas.validate(&more, schema).is_err());
}

#[test]
fn the_program_presses_pulls_waits_and_ends_cleanly() {
    let nest = Nest::new("program");
    let socket = nest.socket();
    let mut running = Running::start(&socket, &[]);
    stdout(&sim(&socket, &["press", "accept"]));
    let state = stdout(&sim(&socket, &["state", "--wait", "hook=true", "--timeout-s", "5"]));
    assert!(state.contains("hook up"), "{state}");
    let refused = sim(&socket, &["press", "hold"]);
    assert!(refused.status.success(), "flash needs no call");
    let refused = sim(&socket, &["press", "mute"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("mute pressed outside a call"));
    stdout(&sim(&socket, &["fail", "--at-block", "3", "--how", "unplug-unanswered"]));
    stdout(&sim(&socket, &["fail", "--clear"]));
    assert_eq!(sim(&socket, &["fail", "--at-block", "3"]).status.code(), Some(2), "--how is missing");
    for idle in ["unmute", "resume", "dial"] {
        let refused = sim(&socket, &["press", idle]);
        assert_eq!(refused.status.code(), Some(1), "{idle}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(&format!("{idle} pressed with")), "{idle}");
    }
    stdout(&sim(&socket, &["press", "unplug"]));
    stdout(&sim(&socket, &["state", "--wait", "plugged=false"]));
    stdout(&sim(&socket, &["press", "plug"]));
    stdout(&sim(&socket, &["state", "--wait", "plugged=true"]));
    stdout(&sim(&socket, &["unplug"]));
    let late = sim(&socket, &["state", "--wait", "plugged=true", "--timeout-s", "0.05"]);
    assert_eq!(late.status.code(), Some(1));
    stdout(&sim(&socket, &["plug"]));
    let log = stdout(&sim(&socket, &["log"]));
    assert!(log.contains("unplugged") && log.contains("call button: hook up"), "{log}");

    let id = i32::try_from(running.0.id()).expect("a process id");
    // SAFETY: kill has no memory effects; the process is our own child and not yet waited for.
    assert_eq!(unsafe { libc::kill(id, libc::SIGTERM) }, 0);
    assert!(running.0.wait().expect("ends").success());
    assert!(!socket.exists(), "the socket goes with it");
    let alone = sim(&socket, &["state"]);
    assert_eq!(alone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("hookswitch-sim run"));
}

#[test]
fn the_program_writes_firmware_the_headset_accepts() {
    let nest = Nest::new("firmware");
    let file = nest.0.join("fw.bin");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("firmware").args(arguments).arg("--output").arg(&file);
        command.output().expect("the program runs")
    };
    stdout(&run(&["--version", "1.20", "--bytes", "5000"]));
    let image = std::fs::read(&file).expect("the image");
    assert_eq!((image.len(), firmware::verify(&image)), (5000, Ok(0x0120)));
    assert_eq!(run(&["--version", "1.2", "--bytes", "5000"]).status.code(), Some(2));
    assert_eq!(run(&["--version", "1.20", "--bytes", "5"]).status.code(), Some(1));
}
