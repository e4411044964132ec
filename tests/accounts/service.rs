//! One machine role as root, the user roles of two people, one headset, and somebody who means no good.

use crate::rig::softphone::Softphone;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::{PATIENCE, Program};
use crate::screen::Screen;
use crate::{Machine, SIMULATED, agent, as_user, home, hookswitch, problems, scratch};
use serde_json::{Value, json};
use simulator::Button;
use simulator::control::Client;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const SOCKET: &str = "/run/hookswitch/machine.sock";
const DARK: &str = "lights.off_hook=false,lights.ring=false,lights.mute=false";
/// What does not happen is waited for this long.
const A_WHILE: Duration = Duration::from_millis(700);

/// The service with the headset, as root.
struct Service(Program);

impl Service {
    async fn start(screen: Option<&Screen>) -> Told<Self> {
        let mut command = as_user("root", SIMULATED, &["service", "run"])?;
        command.env("SIM_CONTROL", control()?);
        let nowhere = "unix:path=/nonexistent/bus";
        command.env("DBUS_SYSTEM_BUS_ADDRESS", screen.map_or(nowhere, Screen::bus));
        let _ = std::fs::remove_file(control()?);
        let program = Program::start("the service", &mut command, &scratch()?.join("service.log"))?;
        wait_for("the service", PATIENCE, async || Ok(Path::new(SOCKET).exists().then_some(()))).await?;
        Ok(Self(program))
    }
}

fn control() -> Told<PathBuf> {
    Ok(scratch()?.join("headset.sock"))
}

async fn hand() -> Told<Client> {
    let path = control()?;
    wait_for("the headset's control door", PATIENCE, async || Ok(Client::connect(&path).ok())).await
}

fn sees(hand: &mut Client, condition: &str) -> Told<()> {
    hand.wait(condition, PATIENCE).at(condition).map(drop)
}

/// A hand is slower than the answer of a headset to its lights, which is no press.
async fn press(hand: &mut Client) -> Told<()> {
    tokio::time::sleep(A_WHILE).await;
    let reacted = hand.press(Button::Hook).at("the hook")?;
    if reacted { Ok(()) } else { Err("the headset did not react".into()) }
}

/// One person with an agent and a softphone.
struct Person {
    name: &'static str,
    agent: Program,
    phone: Softphone,
}

impl Person {
    async fn come(name: &'static str) -> Told<Self> {
        let (agent, _) = agent(name, &[], &[]).await?;
        let endpoint = home(name)?.join(".local/state/hookswitch/run/endpoint.json");
        let phone = Softphone::connect(&endpoint).await?;
        let this = Self { name, agent, phone };
        this.status("the service's word", |status| status["devices"][0]["status"]["state"] == "ready")
            .await?;
        Ok(this)
    }

    /// The status, as soon as it is as wanted.
    async fn status(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Told<Value> {
        let mut last = String::new();
        let found = wait_for(what, PATIENCE, async || {
            last = hookswitch(self.name, &["status", "--json"])?.stdout;
            let status: Value = serde_json::from_str(&last).at("status --json")?;
            Ok(wanted(&status).then_some(status))
        });
        let found = found.await;
        found.map_err(|e| format!("{}: {e}: {last}", self.name))
    }

    async fn is_at_the_headset(&self, is: bool) -> Told<()> {
        self.status("the seat", |status| status["headset"].is_string() == is).await.map(drop)
    }

    async fn rings(&self) -> Told<u64> {
        let call = json!({ "direction": "incoming", "contact": self.name });
        let call = self.phone.post("/v1/calls", &call).await?;
        call["id"].as_u64().ok_or_else(|| format!("no call: {call}"))
    }

    async fn call(&self, id: u64) -> Told<Value> {
        let calls = self.phone.get("/v1/calls").await?;
        let calls = calls.as_array().or(calls["calls"].as_array()).cloned().unwrap_or_default();
        let call = calls.into_iter().find(|call| call["id"] == id);
        call.map(|call| call["state"].clone()).ok_or_else(|| format!("{}'s call is gone", self.name))
    }
}

#[tokio::test]
async fn the_headset_is_of_the_person_at_the_seat() -> Told<()> {
    let _machine = Machine::take()?;
    let screen = Screen::start(&["anna", "eve"]).await?;
    screen.shows(Some("anna")).await?;
    let service = Service::start(Some(&screen)).await?;
    let mode = std::fs::metadata(SOCKET).at("the socket")?;
    assert_eq!((mode.uid(), mode.permissions().mode() & 0o777), (0, 0o666));
    let data = std::fs::metadata("/var/lib/hookswitch").at("its data")?;
    assert_eq!(data.permissions().mode() & 0o777, 0o700);
    let (mut anna, mut eve) = (Person::come("anna").await?, Person::come("eve").await?);
    for person in [&anna, &eve] {
        let status = person.status("their name", |_| true).await?;
        assert_eq!(status["user"], person.name);
        assert!(!home(person.name)?.join(".local/share/hookswitch/hookswitch.sqlite").exists());
    }
    anna.is_at_the_headset(true).await?;
    eve.is_at_the_headset(false).await?;
    let mut hand = hand().await?;

    // Eve's call does not ring anna's headset, and anna's press does not answer it.
    let of_eve = eve.rings().await?;
    tokio::time::sleep(A_WHILE).await;
    sees(&mut hand, DARK)?;
    let of_anna = anna.rings().await?;
    sees(&mut hand, "lights.ring=true")?;
    press(&mut hand).await?;
    anna.phone.call_event("answered", "device").await?;
    sees(&mut hand, "lights.off_hook=true,lights.ring=false")?;
    assert_eq!((anna.call(of_anna).await?, eve.call(of_eve).await?), (json!("answered"), json!("ringing")));

    // In her call the screen becomes eve's: the light of hers, the press hers.
    screen.shows(Some("eve")).await?;
    sees(&mut hand, "lights.off_hook=false,lights.ring=true")?;
    anna.is_at_the_headset(false).await?;
    press(&mut hand).await?;
    eve.phone.call_event("answered", "device").await?;
    sees(&mut hand, "lights.off_hook=true,lights.ring=false")?;
    assert_eq!((anna.call(of_anna).await?, eve.call(of_eve).await?), (json!("answered"), json!("answered")));

    // Nobody at the screen: nobody's.
    screen.shows(None).await?;
    sees(&mut hand, DARK)?;
    // Back to anna, whose call went on.
    screen.shows(Some("anna")).await?;
    sees(&mut hand, "lights.off_hook=true")?;
    press(&mut hand).await?;
    anna.phone.call_event("ended", "device").await?;
    sees(&mut hand, DARK)?;
    assert_eq!(eve.call(of_eve).await?, json!("answered"), "not hers to end");

    anna.agent.end().await?;
    eve.agent.end().await?;
    service.0.end().await?;
    assert!(!Path::new(SOCKET).exists());
    Ok(())
}

/// `kill -9` of each of the three in turn loses nothing.
#[tokio::test]
async fn each_of_the_three_may_die_in_a_call() -> Told<()> {
    let _machine = Machine::take()?;
    let screen = Screen::start(&["anna", "eve"]).await?;
    screen.shows(Some("anna")).await?;
    let mut service = Service::start(Some(&screen)).await?;
    let (mut anna, eve) = (Person::come("anna").await?, Person::come("eve").await?);
    anna.is_at_the_headset(true).await?;
    let lit = async |person: &mut Person, hand: &mut Client| -> Told<u64> {
        let call = person.rings().await?;
        sees(hand, "lights.ring=true")?;
        press(hand).await?;
        person.phone.call_event("answered", "device").await?;
        sees(hand, "lights.off_hook=true")?;
        Ok(call)
    };
    let mut at_hand = hand().await?;
    lit(&mut anna, &mut at_hand).await?;
    let of_eve = eve.rings().await?;

    // The user role in the call: the headset is dark, the next one begins as ever.
    anna.agent.kill()?;
    sees(&mut at_hand, DARK)?;
    let mut anna = Person::come("anna").await?;
    let of_anna = lit(&mut anna, &mut at_hand).await?;

    // The one that is not at the seat: nothing at all.
    let state = eve.call(of_eve).await?;
    assert_eq!(state, "ringing");
    eve.agent.kill()?;
    tokio::time::sleep(A_WHILE).await;
    sees(&mut at_hand, "lights.off_hook=true")?;
    let eve = Person::come("eve").await?;

    // The machine role: calls and streams live on, everybody is told, and the light comes back with it.
    service.0.kill()?;
    let told =
        anna.status("the loss", |status| problems(status).contains(&"machine-away".to_owned())).await?;
    assert_eq!(told["service"], true);
    let poll = hookswitch("anna", &["poll"])?;
    assert_eq!(poll.code, Some(75), "{poll:?}");
    assert!(poll.stderr.contains("speaks to the headsets is not running"), "{poll:?}");
    assert_eq!(anna.call(of_anna).await?, "answered");
    service = Service::start(Some(&screen)).await?;
    let mut at_hand = hand().await?;
    sees(&mut at_hand, "lights.off_hook=true")?;
    for person in [&anna, &eve] {
        person.status("its return", |status| problems(status).is_empty()).await?;
    }
    press(&mut at_hand).await?;
    anna.phone.call_event("ended", "device").await?;
    sees(&mut at_hand, DARK)?;
    anna.agent.end().await?;
    eve.agent.end().await?;
    service.0.end().await
}

/// The token is root's alone: the service speaks with the tenant, and no person's agent misses anything.
#[tokio::test]
async fn with_the_service_nobody_but_root_reads_the_token() -> Told<()> {
    let _machine = Machine::take()?;
    crate::write(
        crate::SHARED,
        "schema = 1\nserver_url = \"https://127.0.0.1:9\"\ntenant_id = \"acme\"\n",
        "644",
    )?;
    crate::write(crate::PRIVATE, "tenant_token = \"token-of-acme\"\n", "600")?;
    let service = Service::start(None).await?;
    let anna = Person::come("anna").await?;
    let managed = |status: &Value| status["tenant"]["problem"].is_object();
    let status = anna.status("the service's try to enrol", managed).await?;
    assert_eq!(status["tenant"]["mode"], "server", "{status:#}");
    assert!(!problems(&status).iter().any(|code| code.starts_with("settings-")), "{status:#}");
    let listed = hookswitch("anna", &["settings", "list"])?;
    assert_eq!(listed.stderr, "", "{listed:?}");
    anna.agent.end().await?;
    service.0.end().await
}

/// With nobody who tells whose turn it is, whoever came first has the headset, and keeps it.
#[tokio::test]
async fn without_logind_whoever_came_first_has_the_headset() -> Told<()> {
    let _machine = Machine::take()?;
    let service = Service::start(None).await?;
    let anna = Person::come("anna").await?;
    let eve = Person::come("eve").await?;
    anna.is_at_the_headset(true).await?;
    eve.is_at_the_headset(false).await?;
    anna.agent.end().await?;
    eve.is_at_the_headset(true).await?;
    eve.agent.end().await?;
    service.0.end().await
}

#[tokio::test]
async fn a_service_is_root_s_and_there_is_one() -> Told<()> {
    let _machine = Machine::take()?;
    let refused = hookswitch("eve", &["service", "run"])?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let service = Service::start(None).await?;
    let second = hookswitch("root", &["service", "run"])?;
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("is running already"), "{second:?}");
    service.0.end().await
}

/// Each line is what one connection does; the last two answer with what they were told.
const HOSTILE: &str = r#"
    use Socket; $SIG{PIPE} = "IGNORE"; $| = 1;
    sub door { socket(my $s, AF_UNIX, SOCK_STREAM, 0) or return; connect($s, pack_sockaddr_un($ARGV[0])) or return; $s }
    my $s = door() or die "nobody listens"; syswrite($s, "\0\xff garbage {[\n" x 100);
    $s = door(); syswrite($s, "x" x 65536) for 1..160;
    $s = door(); syswrite($s, "{\"type\":\"hello\",\"protocol\":3}"); close $s;
    $s = door(); syswrite($s, "[" x 60000 . "\n");
    my @many; for (1..3000) { my $t = door(); push @many, $t if $t && @many < 900 }
    print "flooded\n"; <STDIN>; @many = ();
    select(undef, undef, undef, 0.5);
    $s = door(); syswrite($s, "{\"type\":\"hello\",\"protocol\":99}\n"); print scalar <$s>; print defined(<$s>) ? "more\n" : "ended\n";
    $s = door(); syswrite($s, "{\"type\":\"hello\",\"protocol\":3,\"user\":\"anna\",\"account\":\"0\",\"active\":true}\n"); print scalar <$s>;
    for my $on ("true", "false") {
        syswrite($s, "{\"type\":\"set-indicators\",\"device\":\"$ARGV[1]\",\"indicators\":{\"off_hook\":$on,\"ring\":$on,\"mute\":$on,\"hold\":$on}}\n");
    }
    syswrite($s, "{\"type\":\"install-update\",\"request\":7,\"offer\":\"x\"}\n");
    while (<$s>) { if (/"answer"/) { print; last } }
    print "done\n"; <STDIN>;
"#;

#[tokio::test]
async fn a_hostile_account_harms_nobody() -> Told<()> {
    let _machine = Machine::take()?;
    let screen = Screen::start(&["anna"]).await?;
    screen.shows(Some("anna")).await?;
    let service = Service::start(Some(&screen)).await?;
    let mut anna = Person::come("anna").await?;
    anna.is_at_the_headset(true).await?;
    let mut hand = hand().await?;
    let call = anna.rings().await?;
    sees(&mut hand, "lights.ring=true")?;
    let device =
        anna.status("the headset", |_| true).await?["headset"].as_str().unwrap_or_default().to_owned();

    let mut hostile = as_user("nobody", "perl", &["-e", HOSTILE, SOCKET, &device])?;
    let mut hostile = hostile.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().at("perl")?;
    let mut go = hostile.stdin.take().ok_or("its ears")?;
    let out = hostile.stdout.take().ok_or("its words")?;
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    let mut next = || -> Told<String> { lines.next().ok_or("it ended")?.at("its words") };
    assert_eq!(next()?, "flooded");
    // While the flood stands: her headset works, and a new agent of hers finds the service.
    press(&mut hand).await?;
    anna.phone.call_event("answered", "device").await?;
    sees(&mut hand, "lights.off_hook=true,lights.ring=false")?;
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", service.0.id())).at("/proc")?.count();
    assert!(descriptors < 100, "{descriptors} descriptors");
    anna.agent.end().await?;
    sees(&mut hand, DARK)?;
    let mut anna = Person::come("anna").await?;
    anna.is_at_the_headset(true).await?;
    std::io::Write::write_all(&mut go, b"\n").at("its ears")?;

    let refused: Value = serde_json::from_str(&next()?).at("an answer")?;
    assert_eq!(refused, json!({ "type": "refused", "protocol": hub::protocol::PROTOCOL_VERSION }));
    assert_eq!(next()?, "ended");
    let hello: Value = serde_json::from_str(&next()?).at("a hello")?;
    assert_eq!(
        (&hello["type"], &hello["user"], &hello["active"]),
        (&json!("hello"), &json!("nobody"), &json!(false))
    );
    let answer: Value = serde_json::from_str(&next()?).at("an answer")?;
    assert_eq!(answer["problem"]["code"], "not-at-the-seat");
    assert_eq!(next()?, "done");
    sees(&mut hand, DARK)?;
    let status = anna.status("her groups", |_| true).await?;
    assert_eq!((&status["user"], status["calls"].as_array().map(Vec::len)), (&json!("anna"), Some(0)));
    assert_eq!(problems(&status), [""; 0]);
    let again = anna.rings().await?;
    assert_ne!(again, call);
    sees(&mut hand, "lights.ring=true")?;
    press(&mut hand).await?;
    anna.phone.call_event("answered", "device").await?;
    drop(go);
    hostile.wait().at("perl")?;
    let logs: u64 = ["CloudConnector", "DeviceManager", "DFUManager", "SessionManager"]
        .iter()
        .filter_map(|name| std::fs::metadata(format!("/var/log/hookswitch/{name}.log")).ok())
        .map(|meta| meta.len())
        .sum();
    assert!(logs < 512 * 1024, "{logs} bytes of logs");
    anna.agent.end().await?;
    service.0.end().await
}
