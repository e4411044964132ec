//! Help, wrong usage and completions, in the person's language.

use crate::rig::told::{Context, Told};
use crate::scene::{Ended, ended};
use crate::{golden, hookswitch, one_clear_line};
use hub::locale::Locale;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

fn run(home: &Path, arguments: &[&str]) -> Told<Ended> {
    ended(&mut hookswitch(home, arguments))
}

fn looked_only(home: &Path) -> Told<()> {
    assert_eq!(std::fs::read_dir(home).at("home")?.count(), 0, "looking leaves nothing behind");
    Ok(())
}

#[test]
fn every_command_has_help_with_its_options() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let commands: [(&[&str], &[&str]); 27] = [
        (&[], &["--home", "--headless", "--minimized", "--language", "75 try later"]),
        (&["run"], &["--headless", "--minimized", "--language"]),
        (&["devices"], &["--json", "--watch"]),
        (&["descriptor"], &["--json", "FILE.hex"]),
        (&["update"], &["list", "install", "defer"]),
        (&["update", "list"], &["--json"]),
        (&["update", "install"], &["[OFFER]"]),
        (&["update", "defer"], &["[OFFER]"]),
        (&["update", "recover"], &["[OFFER]"]),
        (&["update", "history"], &["--json"]),
        (&["firmware"], &["inspect", "pack"]),
        (&["firmware", "inspect"], &["--json", "<PACKAGE>"]),
        (&["firmware", "pack"], &["--output", "<RULES>"]),
        (&["softphones"], &["list", "approve", "revoke"]),
        (&["softphones", "list"], &["--json"]),
        (&["softphones", "approve"], &["<SOFTPHONE>", "https://softphone.example"]),
        (&["softphones", "revoke"], &["<SOFTPHONE>"]),
        (&["groups"], &["--json"]),
        (&["status"], &["--json"]),
        (&["poll"], &[]),
        (&["bundle"], &["--output", "--preview"]),
        (&["settings"], &["list", "get", "set"]),
        (&["settings", "list"], &["--json"]),
        (&["settings", "set"], &["--machine", "<NAME>", "[VALUE]"]),
        (&["certificate"], &["show"]),
        (&["open"], &["--print"]),
        (&["completions"], &["bash", "zsh", "fish"]),
    ];
    for (command, mentioned) in commands {
        let ended = run(folder.path(), &[command, &["--help"]].concat())?;
        assert_eq!(ended.code, Some(0), "{command:?}: {ended:?}");
        for word in mentioned.iter().chain(&["--home"]) {
            assert!(ended.stdout.contains(word), "{command:?} does not mention {word}: {}", ended.stdout);
        }
    }
    let version = run(folder.path(), &["--version"])?;
    assert_eq!(version.stdout, format!("hookswitch {}\n", env!("CARGO_PKG_VERSION")));
    Ok(())
}

#[test]
fn help_reads_as_it_should() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    for tag in Locale::tags() {
        let of_all = run(home, &["--help", "--language", tag])?;
        assert_eq!((of_all.code, of_all.stderr.as_str()), (Some(0), ""));
        golden(&format!("help.{tag}.txt"), &of_all.stdout);
        for same in [&["help", "--language", tag][..], &["-h", "--language", tag]] {
            assert_eq!(run(home, same)?.stdout, of_all.stdout, "{same:?}");
        }
        let install = run(home, &["update", "install", "--help", "--language", tag])?;
        golden(&format!("help.update-install.{tag}.txt"), &install.stdout);
        for same in [
            &["help", "update", "install", "--language", tag][..],
            &["--language", tag, "help", "update", "install"],
            &["update", "--language", tag, "install", "-h"],
            &[&format!("-language={tag}"), "update", "install", "x", "--help"],
        ] {
            let ended = run(home, same)?;
            assert_eq!((ended.code, &ended.stdout), (Some(0), &install.stdout), "{same:?}: {ended:?}");
        }
    }
    looked_only(home)
}

#[test]
fn wrong_usage_is_2_and_one_clear_line() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let wrong: [(&[&str], &str); 11] = [
        (
            &["no-such-command"],
            "Den Befehl `no-such-command` gibt es nicht (hookswitch). `hookswitch --help` zeigt, was es gibt.",
        ),
        (
            &["update", "instal"],
            "Den Befehl `instal` gibt es nicht (hookswitch update). Ist `install` gemeint? `hookswitch update --help` zeigt, was es gibt.",
        ),
        (
            &["help", "update", "instal"],
            "Den Befehl `instal` gibt es nicht (hookswitch update). Ist `install` gemeint? `hookswitch update --help` zeigt, was es gibt.",
        ),
        (
            &["help", "update", "install", "more"],
            "Den Befehl `more` gibt es nicht (hookswitch update install). `hookswitch update install --help` zeigt, was es gibt.",
        ),
        (
            &["devices", "--no-such-option"],
            "`--no-such-option` gibt es hier nicht (hookswitch devices). `hookswitch devices --help` zeigt, was es gibt.",
        ),
        (
            &["devices", "--jsn"],
            "`--jsn` gibt es hier nicht (hookswitch devices). Ist `--json` gemeint? `hookswitch devices --help` zeigt, was es gibt.",
        ),
        (
            &["settings", "set", "user", "-5"],
            "`-5` gibt es hier nicht (hookswitch settings set). Als Wert schreibt man es `-- -5`. `hookswitch settings set --help` zeigt, was es gibt.",
        ),
        (
            &["--headless", "devices"],
            "`--headless` und `--minimized` gelten nur für den Agenten selbst (hookswitch devices). Weglassen oder mit `hookswitch run` benutzen.",
        ),
        (
            &["descriptor"],
            "Es fehlt etwas: <FILE.hex|PATH> (hookswitch descriptor). `hookswitch descriptor --help` sagt, was es ist.",
        ),
        (
            &["bundle", "-o"],
            "Der Wert von `--output <FILE>` fehlt (hookswitch bundle). `hookswitch bundle --help` sagt, was er bedeutet.",
        ),
        (
            &["completions", "tcsh"],
            "`tcsh` ist für `<SHELL>` nicht möglich (hookswitch completions). Möglich sind: bash, elvish, fish, powershell, zsh. `hookswitch completions --help` sagt mehr.",
        ),
    ];
    for (arguments, german) in wrong {
        let ended = run(home, &[&["--language=de"], arguments].concat())?;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
        assert_eq!(one_clear_line(&ended.stderr), format!("hookswitch: {german}"), "{arguments:?}");
        let english = run(home, arguments)?;
        assert_eq!(english.code, Some(2), "{arguments:?}: {english:?}");
        assert_ne!(one_clear_line(&english.stderr), one_clear_line(&ended.stderr));
    }
    let not_text =
        ended(hookswitch(home, &["--language=de", "settings", "get"]).arg(OsStr::from_bytes(b"\xff")))?;
    assert_eq!(not_text.code, Some(2), "{not_text:?}");
    assert!(
        one_clear_line(&not_text.stderr).starts_with("hookswitch: Ein Argument ist kein Text"),
        "{not_text:?}"
    );
    looked_only(home)
}

#[test]
fn a_command_that_wants_another_prints_its_help_and_is_2() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    for command in ["update", "firmware", "softphones", "settings", "certificate"] {
        for tag in Locale::tags() {
            let asked = run(folder.path(), &["--language", tag, command, "--help"])?;
            let ended = run(folder.path(), &["--language", tag, command])?;
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
            assert_eq!(ended.stderr, asked.stdout);
        }
    }
    looked_only(folder.path())
}

/// What the arguments ask for, else the settings, else the system.
#[test]
fn the_language_is_the_one_of_everything_else() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let usage = |command: &mut std::process::Command| -> Told<String> {
        let ended = ended(command)?;
        let lines = ended.stdout.lines().chain(ended.stderr.lines());
        Ok(lines.map(str::to_owned).find(|l| l.contains("hookswitch ")).unwrap_or_default())
    };
    let (german, english) = ("Aufruf: hookswitch groups [OPTIONEN]", "Usage: hookswitch groups [OPTIONS]");
    let help = || hookswitch(home, &["groups", "--help"]);
    assert_eq!(usage(&mut help())?, english);
    assert_eq!(usage(help().env("LANG", "de_AT.UTF-8"))?, german, "the system's");
    assert_eq!(run(home, &["settings", "set", "language", "de-DE"])?.code, Some(0));
    assert_eq!(usage(&mut help())?, german, "the settings'");
    assert_eq!(usage(help().env("LANG", "en_US.UTF-8"))?, german, "the settings' before the system's");
    assert_eq!(usage(help().args(["--language", "en"]))?, english, "what is asked for");
    assert!(usage(&mut hookswitch(home, &["grups"]))?.contains("gibt es nicht"), "wrong usage too");
    // Neither `--home` nor its settings: those of the place in the environment.
    let mut elsewhere = std::process::Command::new(env!("CARGO_BIN_EXE_hookswitch"));
    assert_eq!(usage(elsewhere.args(["groups", "--help"]).env("HOOKSWITCH_HOME", home))?, german);
    // One that there are no texts in: chosen for good it is refused, asked for once it is English, and both say so.
    let refused = run(home, &["--language", "en", "settings", "set", "language", "klingon"])?;
    assert_eq!(refused.code, Some(1));
    assert!(one_clear_line(&refused.stderr).contains("no texts in klingon"), "{refused:?}");
    let asked = run(home, &["--language", "xx-XX", "settings", "get", "log_level"])?;
    assert_eq!((asked.code, asked.stdout.trim()), (Some(0), "info"));
    assert!(one_clear_line(&asked.stderr).contains("it is English"), "{asked:?}");
    // A problem before the settings are known.
    let file = home.join("file");
    std::fs::write(&file, "").at("a file")?;
    let ended = run(&file, &["--language=de", "run", "--headless"])?;
    assert!(one_clear_line(&ended.stderr).contains("In den Ordner lässt sich nicht schreiben"), "{ended:?}");
    Ok(())
}

#[test]
fn shells_get_their_completions() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let marks = [
        ("bash", "complete -F"),
        ("zsh", "#compdef hookswitch"),
        ("fish", "complete -c hookswitch"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ];
    for (shell, mark) in marks {
        let english = run(folder.path(), &["completions", shell])?;
        assert_eq!(english.code, Some(0), "{english:?}");
        assert!(english.stdout.contains(mark) && english.stdout.contains("descriptor"), "{shell}");
        let german = run(folder.path(), &["completions", shell, "--language=de-DE"])?;
        // bash shows no texts.
        let shown = shell != "bash";
        assert_eq!(english.stdout.contains("Install an update and wait for the verdict"), shown, "{shell}");
        assert_eq!(
            german.stdout.contains("Eine Aktualisierung installieren und das Ergebnis abwarten"),
            shown,
            "{shell}"
        );
        assert!(!german.stdout.contains("Print help"), "{shell} has texts of clap");
    }
    Ok(())
}

/// Whoever pipes it into a file must know that it did not get there.
#[test]
fn help_that_does_not_arrive_is_a_failure() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    for arguments in [&["--help"][..], &["--version"], &["help", "update"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").at("/dev/full")?;
        let output = hookswitch(folder.path(), arguments).stdout(full).output().at("hookswitch")?;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        one_clear_line(&String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
