//! One machine role as root, the user roles of two people, one headset, and somebody who means no good.

use crate::people::{DARK, Person, Place, SOCKET, Service, hand, press, sees};
use crate::rig::told::{Context, Told};
use crate::screen::Screen;
use crate::{Machine, as_user, home, hookswitch, problems, seat};
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Stdio;

#[tokio::test]
async fn the_headset_is_of_the_person_at_the_seat() -> Told<()> {
    let _machine = Machine::take()?;
    seat::moves_with_the_person(Place::InTheService).await
}

#[tokio::test]
async fn each_of_the_three_may_die_in_a_call() -> Told<()> {
    let _machine = Machine::take()?;
    seat::outlives_each_of_the_three(Place::InTheService).await
}

#[tokio::test]
async fn the_service_s_data_is_root_s_and_people_have_none_of_it() -> Told<()> {
    let _machine = Machine::take()?;
    let service = Service::start(Place::InTheService, None).await?;
    let mode = std::fs::metadata(SOCKET).at("the socket")?;
    assert_eq!((mode.uid(), mode.permissions().mode() & 0o777), (0, 0o666));
    let data = std::fs::metadata("/var/lib/hookswitch").at("its data")?;
    assert_eq!(data.permissions().mode() & 0o777, 0o700);
    for name in ["anna", "eve"] {
        let person = Person::come(name).await?;
        assert_eq!(person.status("their name", |_| true).await?["user"], name);
        assert!(!home(name)?.join(".local/share/hookswitch/hookswitch.sqlite").exists());
        person.agent.end().await?;
    }
    service.0.end().await?;
    assert!(!Path::new(SOCKET).exists());
    Ok(())
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
    let service = Service::start(Place::InTheService, None).await?;
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
    let service = Service::start(Place::InTheService, None).await?;
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
    assert!(refused.stderr.contains("must be started by who rules it"), "{refused:?}");
    let service = Service::start(Place::InTheService, None).await?;
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
    $s = door(); syswrite($s, "{\"type\":\"hello\",\"protocol\":PROTOCOL}"); close $s;
    $s = door(); syswrite($s, "[" x 60000 . "\n");
    my @many; for (1..3000) { my $t = door(); push @many, $t if $t && @many < 900 }
    print "flooded\n"; <STDIN>; @many = ();
    select(undef, undef, undef, 0.5);
    $s = door(); syswrite($s, "{\"type\":\"hello\",\"protocol\":99}\n"); print scalar <$s>; print defined(<$s>) ? "more\n" : "ended\n";
    $s = door(); syswrite($s, "{\"type\":\"hello\",\"protocol\":PROTOCOL,\"user\":\"anna\",\"account\":\"0\",\"active\":true}\n"); print scalar <$s>;
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
    let service = Service::start(Place::InTheService, Some(&screen)).await?;
    let mut anna = Person::come("anna").await?;
    anna.is_at_the_headset(true).await?;
    let mut hand = hand().await?;
    let call = anna.rings().await?;
    sees(&mut hand, "lights.ring=true")?;
    let device =
        anna.status("the headset", |_| true).await?["headset"].as_str().unwrap_or_default().to_owned();

    let hostile = HOSTILE.replace("PROTOCOL", &hub::protocol::PROTOCOL_VERSION.to_string());
    let mut hostile = as_user("nobody", "perl", &["-e", &hostile, SOCKET, &device])?;
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
