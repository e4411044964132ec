//! Who decides on the tenant of a computer.

use crate::rig::told::{Context, Told};
use crate::{Machine, PRIVATE, SHARED, agent, home, hookswitch, problems, sh, write};
use std::net::TcpListener;

const MANAGED: &str = "schema = 1\nserver_url = \"https://127.0.0.1:9\"\ntenant_id = \"acme\"\n";
const TOKEN: &str = "tenant_token = \"token-of-acme\"\n";

/// What a user would name instead, in every way there is.
struct Rogue {
    server: TcpListener,
    text: String,
    environment: Vec<(&'static str, String)>,
}

impl Rogue {
    fn new() -> Told<Self> {
        let server = TcpListener::bind("127.0.0.1:0").at("the rogue server")?;
        server.set_nonblocking(true).at("the rogue server")?;
        let url = format!("https://{}", server.local_addr().at("the rogue server")?);
        let text = format!("server_url = \"{url}\"\ntenant_id = \"evil\"\ntenant_token = \"evil\"\n");
        let environment =
            vec![("SERVER_URL", url), ("TENANT_ID", "evil".to_owned()), ("TENANT_TOKEN", "evil".to_owned())];
        Ok(Self { server, text, environment })
    }

    /// In anna's own file, in the files of a home of her own, and in her environment.
    fn plant(&self) -> Told<()> {
        let anna = home("anna")?;
        for folder in [".config/hookswitch", "own/config", "own/machine"] {
            let folder = anna.join(folder);
            std::fs::create_dir_all(&folder).at("a folder")?;
            write(folder.join("hookswitch.toml"), &self.text, "600")?;
        }
        sh(&format!("chown -R anna: {}", anna.display()))
    }

    async fn agent(&self, own_home: bool) -> Told<serde_json::Value> {
        let own = home("anna")?.join("own").display().to_string();
        let arguments: &[&str] = if own_home { &["--home", &own] } else { &[] };
        let environment: Vec<_> = self.environment.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let (agent, status) = agent("anna", arguments, &environment).await?;
        agent.end().await?;
        Ok(status)
    }

    fn was_asked(&self) -> bool {
        self.server.accept().is_ok()
    }
}

/// Each way in which the computer's settings cannot be read, with the problem that says so.
fn errors() -> [(&'static str, String, &'static str); 11] {
    let managed = format!("printf '{}' > {SHARED}", (MANAGED.to_owned() + TOKEN).replace('\n', "\\n"));
    let rest = |script: &str| format!("{managed}; {script}");
    [
        ("root's alone", rest(&format!("chmod 600 {SHARED}")), "settings-withheld"),
        ("the folder root's alone", rest("chmod 700 /etc/hookswitch"), "settings-withheld"),
        (
            "the secret root's alone",
            format!("printf 'tenant_token = \"x\"' > {PRIVATE}; chmod 600 {PRIVATE}"),
            "settings-withheld",
        ),
        ("not UTF-8", format!("printf 'server_url = \"\\377\"' > {SHARED}"), "settings-unusable"),
        ("a folder", format!("mkdir {SHARED}"), "settings-unusable"),
        ("too big", format!("head -c 300000 /dev/zero | tr '\\0' '#' > {SHARED}"), "settings-unusable"),
        ("broken", format!("printf 'server_url = https://x' > {SHARED}"), "settings-unreadable"),
        ("a circle of links", format!("ln -s {SHARED} {SHARED}"), "settings-unusable"),
        ("a link to nowhere", format!("ln -s /nowhere {SHARED}"), "settings-unusable"),
        ("another user's", rest(&format!("chown eve {SHARED}")), "settings-unusable"),
        ("open to others", rest(&format!("chmod 666 {SHARED}")), "settings-unusable"),
    ]
}

/// Nobody takes the tenant's place, and it is not consumer mode.
#[tokio::test]
async fn an_error_is_not_absence() -> Told<()> {
    let machine = Machine::take()?;
    for (what, script, code) in errors() {
        machine.clean()?;
        let rogue = Rogue::new()?;
        rogue.plant()?;
        sh(&script)?;
        for own_home in [false, true] {
            let status = rogue.agent(own_home).await?;
            assert_eq!(status["tenant"]["mode"], "locked", "{what}, {own_home}: {status:#}");
            assert_eq!(status["tenant"]["server"], serde_json::Value::Null, "{what}, {own_home}");
            assert_eq!(status["tenant"]["problem"]["code"], code, "{what}, {own_home}: {status:#}");
            assert!(!rogue.was_asked(), "{what}, {own_home}: the rogue tenant was asked");
        }
    }
    Ok(())
}

/// A rogue tenant does enrol where nobody has managed the computer: the test above would see it.
#[tokio::test]
async fn without_the_machine_s_word_a_user_chooses() -> Told<()> {
    let _machine = Machine::take()?;
    let rogue = Rogue::new()?;
    rogue.plant()?;
    let status = rogue.agent(false).await?;
    assert_eq!(status["tenant"]["mode"], "server", "{status:#}");
    assert!(rogue.was_asked());
    Ok(())
}

#[tokio::test]
async fn the_computer_s_tenant_holds_for_whoever_may_read_it() -> Told<()> {
    let _machine = Machine::take()?;
    let rogue = Rogue::new()?;
    rogue.plant()?;
    write(SHARED, MANAGED, "644")?;
    write(PRIVATE, TOKEN, "600")?;
    for own_home in [false, true] {
        let status = rogue.agent(own_home).await?;
        assert_eq!(status["tenant"]["problem"]["code"], "settings-withheld", "{status:#}");
    }
    let said = hookswitch("anna", &["settings", "list"])?;
    assert!(
        said.stderr.contains("this account may not read its settings (/etc/hookswitch/tenant.toml)"),
        "{said:?}"
    );
    sh(&format!("chgrp anna {PRIVATE}; chmod 640 {PRIVATE}"))?;
    for own_home in [false, true] {
        let status = rogue.agent(own_home).await?;
        assert_eq!(status["tenant"]["mode"], "server", "{status:#}");
        assert_eq!(status["tenant"]["server"], "https://127.0.0.1:9/", "{status:#}");
    }
    assert!(!rogue.was_asked(), "the rogue tenant was asked");
    Ok(())
}

#[tokio::test]
async fn a_token_that_every_user_can_read_is_shown() -> Told<()> {
    let _machine = Machine::take()?;
    write(SHARED, &(MANAGED.to_owned() + TOKEN), "644")?;
    let (agent, status) = agent("anna", &[], &[]).await?;
    assert!(problems(&status).contains(&"tenant-token-exposed".to_owned()), "{status:#}");
    let shown = hookswitch("anna", &["status"])?;
    let words = "Every user of this computer can read the tenant's token";
    assert!(shown.stdout.replace('\u{2019}', "'").contains(words), "{shown:?}");
    assert!(shown.stdout.contains("/etc/hookswitch/tenant.toml, owner root, mode 0600"), "{shown:?}");
    agent.end().await?;
    write(SHARED, MANAGED, "644")?;
    write(PRIVATE, TOKEN, "640")?;
    let said = hookswitch("root", &["settings", "list"])?;
    assert_eq!(said.stderr, "", "the secret in its place is no problem");
    Ok(())
}

/// What it could not read, it does not replace.
#[test]
fn a_file_that_cannot_be_read_is_not_written() -> Told<()> {
    let _machine = Machine::take()?;
    let file = home("anna")?.join(".config/hookswitch/hookswitch.toml");
    let folder = file.parent().ok_or("a folder")?.display().to_string();
    sh(&format!("install -d -o anna -g anna {0}/.config {folder}", home("anna")?.display()))?;
    for spoil in [
        "printf '\\377' > F; chown anna F",
        "printf 'user = \"x\"' > F; chown eve F",
        "ln -s F F",
        "mkfifo F",
    ] {
        sh(&format!("rm -rf F; {spoil}").replace('F', &file.display().to_string()))?;
        let before = std::fs::symlink_metadata(&file).at("the file")?;
        let set = hookswitch("anna", &["settings", "set", "user", "anna"])?;
        assert_eq!(set.code, Some(1), "{spoil}: {set:?}");
        assert!(set.stderr.contains("The settings file cannot be used"), "{spoil}: {set:?}");
        let after = std::fs::symlink_metadata(&file).at("the file")?;
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()), "{spoil}");
    }
    Ok(())
}
