//! Whose folders, links and sockets are believed.

use crate::rig::told::{Context, Told};
use crate::{Machine, agent, home, hookswitch, sh, write};
use std::os::unix::fs::MetadataExt as _;

/// Her "machine" settings, her `endpoint.json`, her agent's address: nothing of it is believed.
#[tokio::test]
async fn a_foreign_folder_is_refused() -> Told<()> {
    let _machine = Machine::take()?;
    let hers = home("eve")?.join("agent");
    sh(&format!("install -d -o eve -g eve -m755 {0} {0}/machine", hers.display()))?;
    write(hers.join("machine/hookswitch.toml"), "user = \"eve\"", "644")?;
    let home_of_eve = hers.display().to_string();
    let (agent, _) = agent("eve", &["--home", &home_of_eve], &[]).await?;
    // As wide open as she can make it.
    sh(&format!("chmod -R a+rwX {home_of_eve}"))?;
    for command in [
        &["run", "--headless"][..],
        &["open", "--print"],
        &["status"],
        &["status", "--json"],
        &["devices"],
        &["settings", "list"],
        &["settings", "set", "user", "anna"],
        &["certificate", "show"],
        &["bundle", "--output", "/tmp/anna.zip"],
    ] {
        for user in ["anna", "root"] {
            let ended = hookswitch(user, &[command, &["--home", &home_of_eve]].concat())?;
            assert_eq!(ended.code, Some(1), "{user} {command:?}: {ended:?}");
            // The refusal, and nothing of what is in the folder.
            let refused = serde_json::from_str::<serde_json::Value>(&ended.stdout).ok();
            match command.contains(&"--json") {
                true => {
                    let document = refused.as_ref().and_then(|document| document.as_object());
                    let document = document.ok_or(format!("{user} {command:?}: {ended:?}"))?;
                    assert_eq!((document.len(), &document["error"]["code"]), (1, &"home-foreign".into()));
                }
                false => assert_eq!(ended.stdout, "", "{user} {command:?}"),
            }
            assert!(
                ended.stderr.contains("The folder belongs to another user: eve"),
                "{user} {command:?}: {ended:?}"
            );
        }
    }
    agent.end().await
}

#[test]
fn a_folder_that_others_may_write_is_refused() -> Told<()> {
    let _machine = Machine::take()?;
    let anna = home("anna")?;
    let own = anna.join("own");
    let list = |home: &std::path::Path| {
        hookswitch("anna", &["--home", &home.display().to_string(), "settings", "list"])
    };
    for (spoil, good) in [
        ("chmod 777 OWN", false),
        ("chmod 775 OWN; chgrp users OWN", false),
        ("chmod 1777 OWN", false),
        ("chmod 777 ANNA", false),
        ("chown eve ANNA", false),
        ("chmod 775 OWN", true),
        ("chmod 1777 ANNA; chown root ANNA", true),
        ("chmod 700 OWN", true),
    ] {
        let script = "rm -rf OWN; chown anna: ANNA; chmod 755 ANNA; install -d -o anna -g anna OWN; ";
        let script = format!("{script}{spoil}").replace("OWN", &own.display().to_string());
        sh(&script.replace("ANNA", &anna.display().to_string()))?;
        let ended = list(&own)?;
        assert_eq!(ended.code == Some(0), good, "{spoil}: {ended:?}");
        let said = ["belongs to another user", "Other users may write in the folder"];
        assert!(good || said.iter().any(|words| ended.stderr.contains(words)), "{spoil}: {ended:?}");
    }
    // A link of eve's that leads to a folder of anna's leads elsewhere tomorrow.
    let link = home("eve")?.join("link");
    sh(&format!("ln -s {0} {1}; chown -h eve {1}", own.display(), link.display()))?;
    let ended = list(&link)?;
    assert!(ended.code == Some(1) && ended.stderr.contains("belongs to another user: eve"), "{ended:?}");
    Ok(())
}

/// What she leaves where the agent's socket should be answers to nobody.
#[test]
fn the_answer_of_another_user_s_program_is_not_believed() -> Told<()> {
    let _machine = Machine::take()?;
    let own = home("anna")?.join("own");
    let run = own.join("run");
    sh(&format!("install -d -o anna -g anna -m700 {0} {1}", own.display(), run.display()))?;
    // The kernel's word for a listener is whose it was when it began to listen.
    let script = "use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un($ARGV[0])) or die; \
                  chmod 0777, $ARGV[0]; $) = \"65534 65534\"; $> = 65534; listen(S, 1); $| = 1; print \"listens\\n\"; \
                  accept(C, S); sysread(C, $asked, 4096); print \"asked <$asked>\\n\";";
    let mut fake = std::process::Command::new("perl");
    fake.args(["-e", script]).arg(run.join("agent.sock")).stdout(std::process::Stdio::piped());
    let mut fake = fake.spawn().at("perl")?;
    let out = fake.stdout.take().ok_or("its words")?;
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    assert_eq!(lines.next().ok_or("a line")?.at("a line")?, "listens");
    let ended = hookswitch("anna", &["open", "--print", "--home", &own.display().to_string()])?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("is another user"), "{ended:?}");
    assert_eq!(lines.next().ok_or("a line")?.at("a line")?, "asked <>", "it was asked nothing");
    fake.wait().at("perl").map(drop)
}

/// In a folder that both may write, eve waits with links of the names that anna's commands use.
#[test]
fn a_planted_link_is_not_followed() -> Told<()> {
    let _machine = Machine::take()?;
    let shared = crate::scratch()?.join("shared");
    let precious = home("anna")?.join("precious");
    for mode in ["1777", "777"] {
        sh(&format!("rm -rf {0}; install -d -m{mode} {0}", shared.display()))?;
        write(&precious, "precious", "644")?;
        sh(&format!("chown anna {}", precious.display()))?;
        let before = std::fs::metadata(&precious).at("precious")?.ino();
        let zip = shared.join("hookswitch-bundle.zip");
        for target in [
            precious.display().to_string(),
            "/nowhere/x".to_owned(),
            home("anna")?.join("new").display().to_string(),
        ] {
            sh(&format!("rm -f {0}; ln -s {target} {0}; chown -h eve {0}", zip.display()))?;
            let ended = hookswitch("anna", &["bundle", "--output", &zip.display().to_string()])?;
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.stderr.contains("it is a link"), "{ended:?}");
            let after = std::fs::read_to_string(&precious).at("precious")?;
            assert_eq!(
                (after.as_str(), std::fs::metadata(&precious).at("precious")?.ino()),
                ("precious", before)
            );
            assert!(!home("anna")?.join("new").exists());
        }
        // A folder that is her link.
        sh(&format!("ln -s {1} {0}/in; chown -h eve {0}/in", shared.display(), home("anna")?.display()))?;
        let ended =
            hookswitch("anna", &["bundle", "--output", &shared.join("in/precious").display().to_string()])?;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(std::fs::metadata(&precious).at("precious")?.ino(), before);
        let left = std::fs::read_dir(&shared).at("shared")?.count();
        assert_eq!(left, 2, "nothing half written is left");
        sh(&format!("rm {}", zip.display()))?;
        let ended = hookswitch("anna", &["bundle", "--output", &zip.display().to_string()])?;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let made = std::fs::symlink_metadata(&zip).at("the bundle")?;
        assert!(made.is_file() && made.mode() & 0o777 == 0o600, "{made:?}");
    }
    Ok(())
}
