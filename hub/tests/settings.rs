//! Settings: which layer wins, what is refused and why, and that an edit leaves the person's file as it was.
#![expect(clippy::disallowed_methods, reason = "reads the committed schema")]

#[path = "../../tests/support/seed.rs"]
mod seed;

#[path = "settings/folder.rs"]
mod folder;
#[path = "settings/managed.rs"]
mod managed;
#[path = "settings/token.rs"]
mod token;

use hub::locale::Locale;
use hub::problem::{Code, Problem};
use hub::settings::{
    Content, Key, Layers, MachineFiles, Provenance, Secret, Settings, SettingsFile, Unusable, set,
};
use hub::tenancy::TenantSource;
use std::collections::BTreeMap;

fn file(path: &str, text: &str) -> SettingsFile {
    SettingsFile::of_text(path, text)
}

fn layers(user: &str, environment: &[(&str, &str)], machine: Option<&str>) -> Layers {
    Layers {
        user: file("user.toml", user),
        environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        machine: MachineFiles {
            shared: machine.map_or(SettingsFile::absent("machine.toml"), |text| file("machine.toml", text)),
            private: SettingsFile::absent("tenant.toml"),
        },
        computer: None,
    }
}

fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|p| p.code.as_str()).collect()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let (settings, problems) = Settings::resolve(&Layers::default());
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.rest_port.value, 32018);
    assert!(problems.is_empty());
}

#[test]
fn the_highest_layer_wins() {
    let user = "schema = 1\nrest_port = 1\nlanguage = \"de-DE\"\nlog_level = \"warn\"\nuser = \"anna\"";
    let environment = [("HOOKSWITCH_REST_PORT", "2"), ("HOOKSWITCH_LANGUAGE", "en-US"), ("HOME", "/x")];
    let (settings, problems) = Settings::resolve(&layers(user, &environment, Some("rest_port = 3")));
    assert_eq!(codes(&problems), [""; 0]);
    assert_eq!((settings.rest_port.value, settings.rest_port.from), (3, Provenance::Machine));
    assert_eq!(settings.language.value.as_deref(), Some("en-US"));
    assert_eq!(settings.language.from, Provenance::Environment);
    assert_eq!((settings.log_level.value.as_str(), settings.log_level.from), ("warn", Provenance::User));
    assert_eq!(settings.sdk_approved.from, Provenance::Default);
}

#[test]
fn installer_properties_are_understood() {
    let environment = [
        ("TENANT_ID", "acme"),
        ("SERVER_URL", "https://tenant.example"),
        ("TENANT_TOKEN", "s3cret"),
        ("HOOKSWITCH_TENANT_ID", "acme-2"),
        ("LANGUAGE", "en_GB:en"),
        ("USER", "root"),
    ];
    let (settings, problems) = Settings::resolve(&layers("", &environment, None));
    assert_eq!(codes(&problems), [""; 0], "LANGUAGE and USER of the system are not ours");
    assert_eq!(settings.tenant_id.value.as_deref(), Some("acme-2"));
    assert_eq!(settings.server_url.value.as_deref(), Some("https://tenant.example/"));
    assert_eq!(settings.tenant_token.value.as_ref().map(|s| s.0.as_str()), Some("s3cret"));
    assert_eq!(settings.user.value, None);
}

#[test]
fn an_unmanaged_user_chooses_a_tenant() {
    let (settings, problems) =
        Settings::resolve(&layers("server_url = \"https://t.example:8443/x\"", &[], Some("")));
    assert_eq!(settings.server_url.value.as_deref(), Some("https://t.example:8443/x"));
    assert!(problems.is_empty());
}

#[test]
fn values_out_of_bounds_keep_the_default() {
    let long = "x".repeat(5000);
    let token = format!("\"{long}\"");
    let wrong: &[(&str, &str)] = &[
        ("rest_port", "65536"),
        ("rest_port", "-1"),
        ("rest_port", "1.5"),
        ("rest_port", "[1]"),
        ("rest_http", "2"),
        ("rest_http", "\"yes\""),
        ("rest_http", "[true]"),
        ("sdk_approved", "[\"https://a.example/path\"]"),
        ("sdk_approved", "[\"http://a.example\"]"),
        ("sdk_approved", "[\"*\"]"),
        ("sdk_approved", "[1]"),
        ("language", "\"not a language\""),
        ("server_url", "\"http://tenant.example\""),
        ("server_url", "\"https://user:pw@tenant.example\""),
        ("server_url", "\"folder+http://tenant.example/\""),
        ("server_url", "\"folder+file:///srv/acme\""),
        ("server_url", "\"file:///srv/acme?a\""),
        ("server_url", "\"/srv/acme\""),
        ("tenant_id", "\"a b\""),
        ("tenant_id", "\"\""),
        ("tenant_token", token.as_str()),
        ("tenant_ca", "\"relative.pem\""),
        ("user", "\"a\\u0000b\""),
        ("log_level", "\"loud\""),
    ];
    for (key, value) in wrong {
        let (settings, problems) = Settings::resolve(&layers(&format!("{key} = {value}"), &[], None));
        assert_eq!(settings.list(), Settings::default().list(), "{key} = {value}");
        assert_eq!(codes(&problems), ["setting-invalid"], "{key} = {value}");
        assert_eq!(problems[0].place(), format!("user.toml: {key}"));
    }
}

/// Ignored, it would let any tenant in.
#[test]
fn a_mistyped_pin_stays_a_pin() {
    let others = "server_url = \"https://t.example\"\ntenant_id = \"t\"\ntenant_token = \"s\"\n";
    for value in ["\"abc\"", "{ a = 1 }", "7"] {
        let text = format!("{others}tenant_root = {value}");
        let (settings, problems) = Settings::resolve(&layers(&text, &[], None));
        assert_eq!(codes(&problems), ["setting-invalid"], "{value}");
        assert_eq!(settings.tenant(), Err(problems[0].clone()), "{value}");
    }
    let (settings, _) = Settings::resolve(&layers(others, &[("TENANT_ROOT", "abc")], None));
    assert_eq!(settings.tenant().expect_err("mistyped").code, Code::SettingInvalid);
    let pin = "A".repeat(64);
    let (settings, _) = Settings::resolve(&layers(others, &[("TENANT_ROOT", &pin)], None));
    let named = settings.tenant().expect("whole").expect("named");
    assert_eq!(named.tenant_root, Some(pin.to_lowercase()));
}

const ROGUE: &str = "server_url = \"https://evil.example\"\ntenant_id = \"evil\"\ntenant_token = \"evil\"\ntenant_ca = \"/evil.pem\"";

fn every_error() -> Vec<Content> {
    let broken = ["server_url = https://oops", "tenant_token", "\u{0}"];
    let mut errors: Vec<Content> = broken.iter().map(|text| Content::Text((*text).to_owned())).collect();
    errors.push(Content::Text(format!("user = \"{}\"", "x".repeat(1 << 20))));
    errors.extend(
        [
            Unusable::Withheld,
            Unusable::Missing,
            Unusable::NotAFile,
            Unusable::DanglingLink,
            Unusable::NotUtf8,
            Unusable::TooLarge(1 << 40),
            Unusable::Foreign { path: "/x".to_owned(), owner: "eve".to_owned() },
            Unusable::OpenToOthers("/x".to_owned()),
            Unusable::System("Too many levels of symbolic links".to_owned()),
        ]
        .map(Content::Unusable),
    );
    errors
}

/// Whatever keeps a file from being read: it may name a tenant, so no other one counts and there is no consumer mode.
#[test]
fn an_error_is_not_absence() {
    let spoil = |content: &Content, which: usize, rogue: bool| {
        let rogue = if rogue { ROGUE } else { "" };
        let environment: &[(&str, &str)] = if rogue.is_empty() { &[] } else { &[("TENANT_ROOT", "ab")] };
        let mut layers = layers(rogue, environment, None);
        let file = |path: &str| SettingsFile { content: content.clone(), ..SettingsFile::absent(path) };
        match which {
            0 => layers.user = file("user.toml"),
            1 => layers.machine.shared = file("machine.toml"),
            2 => layers.machine.private = file("tenant.toml"),
            3 => layers.computer = Some(MachineFiles { shared: file("computer"), ..MachineFiles::default() }),
            _ => {
                layers.computer = Some(MachineFiles { private: file("computer"), ..MachineFiles::default() })
            }
        }
        layers
    };
    for content in every_error() {
        for which in 0..5 {
            for rogue in [false, true] {
                if which == 0 && rogue {
                    continue;
                }
                let layers = spoil(&content, which, rogue);
                let (settings, problems) = Settings::resolve(&layers);
                let fault = settings.tenant().expect_err("no tenant, and no consumer mode");
                assert!(problems.contains(&fault), "{which}: {content:?}: shown: {problems:?}");
                assert!(fault.code.as_str().starts_with("settings-"), "{fault}");
                assert_eq!(settings.server_url.value, None, "{which}: {content:?}");
                assert_eq!(settings.tenant_locked, which > 0, "{which}: {content:?}");
                let key = if which == 0 { "log_level" } else { "tenant_id" };
                let refused = set(&layers, key, Some("warn")).expect_err("nothing is written over it");
                let code = if which == 0 { fault.code.as_str() } else { "setting-managed" };
                assert_eq!(refused.code.as_str(), code, "{which}: {content:?}");
            }
        }
    }
}

#[test]
fn a_user_s_faults_do_not_touch_the_machine_s_tenant() {
    let machine = ROGUE.replace("evil", "good");
    for content in every_error() {
        let mut layers = layers("", &[("TENANT_ID", "no id")], Some(&machine));
        layers.user.content = content;
        let (settings, _) = Settings::resolve(&layers);
        let named = settings.tenant().expect("whole").expect("named");
        assert_eq!(named.source.address(), "https://good.example/");
    }
}

/// Below `--home` the computer's tenant holds, and nothing else of it.
#[test]
fn a_home_of_one_s_own_does_not_by_pass_the_computer() {
    let mut layers = layers(ROGUE, &[], Some(&ROGUE.replace("evil", "home")));
    let shared = "server_url = \"https://good.example\"\ntenant_id = \"good\"\nrest_port = 7";
    layers.computer = Some(MachineFiles {
        shared: file("shared", shared),
        private: file("private", "tenant_token = \"good\""),
    });
    let (settings, problems) = Settings::resolve(&layers);
    let named = settings.tenant().expect("whole").expect("named");
    assert_eq!(
        (named.source, named.tenant_id.as_deref(), named.tenant_token, named.tenant_ca),
        (
            TenantSource::Server("https://good.example/".to_owned()),
            Some("good"),
            Some(Secret("good".to_owned())),
            None
        )
    );
    assert_eq!(codes(&problems), ["setting-managed"; 8]);
    assert!(problems[0].next().contains("shared"), "{}", problems[0]);
    assert_eq!(settings.rest_port.from, Provenance::Default, "two agents do not share a port");
    assert!(settings.get(Key::TenantCa).locked && !settings.get(Key::RestPort).locked);
    assert_eq!(set(&layers, "tenant_ca", Some("/a.pem")).expect_err("locked").code, Code::SettingManaged);
    assert!(set(&layers, "rest_port", Some("7")).is_ok());
}

#[test]
fn a_token_that_every_user_can_read_is_a_problem() {
    for private in [false, true] {
        let mut layers = layers("", &[], Some(&ROGUE.replace("evil", "good")));
        if private {
            layers.machine.private = std::mem::take(&mut layers.machine.shared);
            layers.machine.private.path = "tenant.toml".to_owned();
        }
        let (_, problems) = Settings::resolve(&layers);
        assert_eq!(codes(&problems), [""; 0]);
        let file = if private { &mut layers.machine.private } else { &mut layers.machine.shared };
        file.exposed = true;
        let (settings, problems) = Settings::resolve(&layers);
        assert_eq!(codes(&problems), ["tenant-token-exposed"]);
        // Where it already lies in the right file, only the rights are wrong.
        let mends = if private { ["tenant.toml", "chmod 640"] } else { ["Move the line", "0600"] };
        assert!(mends.iter().all(|word| problems[0].next().contains(word)), "{}", problems[0]);
        assert_eq!(problems[0].next().contains("Move"), !private, "{}", problems[0]);
        assert!(settings.tenant().is_ok_and(|named| named.is_some()), "it works until IT has mended it");
    }
    let mut layers = layers("", &[], Some("rest_port = 1"));
    layers.machine.shared.exposed = true;
    assert_eq!(codes(&Settings::resolve(&layers).1), [""; 0], "no secret in it");
}

/// What is set to bytes that are no text is set, and wrong.
#[test]
fn a_variable_that_is_no_text_is_not_absent() {
    for name in ["SERVER_URL", "TENANT_ID", "TENANT_TOKEN", "TENANT_ROOT", "HOOKSWITCH_TENANT_CA"] {
        let (settings, problems) = Settings::resolve(&layers("", &[(name, "/a\u{fffd}")], None));
        assert_eq!(codes(&problems), ["setting-invalid"], "{name}");
        assert!(settings.tenant().is_err(), "{name}");
    }
}

#[test]
fn a_tenant_is_whole_or_a_mistake() {
    let whole = [("SERVER_URL", "https://t.example"), ("TENANT_ID", "t"), ("TENANT_TOKEN", "s")];
    let tenant = |given: &[(&str, &str)]| Settings::resolve(&layers("", given, None)).0.tenant();
    assert_eq!(tenant(&[]), Ok(None));
    assert!(tenant(&whole).is_ok_and(|named| named.is_some()));
    for lack in 0..3 {
        let given: Vec<_> = (0..3).filter(|part| *part != lack).map(|part| whole[part]).collect();
        assert_eq!(tenant(&given).expect_err("in part").args["missing"], whole[lack].0);
    }
    let only_ca = tenant(&[("TENANT_CA", "/a.pem")]).expect_err("in part");
    assert_eq!(only_ca.args["missing"], "SERVER_URL, TENANT_ID, TENANT_TOKEN");
}

/// A file of something else does not drown what else is wrong.
#[test]
fn of_very_many_unknown_keys_some_are_named_and_the_rest_counted() {
    let text: String = (0..3000).map(|n| format!("no_such_key_{n} = 1\n")).collect();
    let (_, problems) = Settings::resolve(&layers(&text, &[], None));
    assert_eq!(problems.len(), 9);
    assert_eq!(
        problems.last().map(|last| (last.code.as_str(), last.args["more"].as_str())),
        Some(("settings-unknown", "2992"))
    );
    // For the machine each of them is a word that may be about the tenant, as before.
    let machine = Layers {
        machine: MachineFiles { shared: SettingsFile::of_text("m.toml", text), ..Default::default() },
        ..Default::default()
    };
    let (settings, problems) = Settings::resolve(&machine);
    assert!(settings.tenant_fault.is_some() && problems.len() == 9);
}

#[test]
fn good_origins_are_taken() {
    let text = "sdk_approved = [\"https://a.example\", \"https://b.example:8443\", \"http://127.0.0.1:3000\", \
                \"http://[::1]:3000\", \"chrome-extension://abcdefghijklmnop\"]";
    let (settings, problems) = Settings::resolve(&layers(text, &[], None));
    assert_eq!(codes(&problems), [""; 0]);
    assert_eq!(settings.sdk_approved.value.len(), 5);
}

#[test]
fn an_unknown_key_names_its_neighbour_and_the_rest_is_used() {
    let (settings, problems) =
        Settings::resolve(&layers("rest_prot = 1\nuser = \"anna\"\nqwertzuiop = 1", &[], None));
    assert_eq!(settings.user.value.as_deref(), Some("anna"));
    assert_eq!(codes(&problems), ["setting-unknown", "setting-misspelt"]);
    assert_eq!(problems[1].args["nearest"], "rest_port");
    assert_eq!(problems[1].place(), "user.toml: rest_prot");
    assert_eq!(Key::find("rest_prot").expect_err("misspelt").args["nearest"], "rest_port");
    let german = Locale::new("de").problem(&problems[1]);
    assert!(german.what.contains("rest_port") && german.what != problems[1].what(), "{german}");
}

#[test]
fn no_problem_quotes_a_secret() {
    let user = "tenant_token = \"s3cret with space\"\ntenant_id = \"s3cret!\"";
    for text in [user, "tenant_token = s3cret", "tenant_token = \"s3cret"] {
        let (settings, problems) = Settings::resolve(&layers(text, &[], None));
        assert!(!problems.is_empty());
        let shown = format!("{settings:?} {problems:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let (settings, _) = Settings::resolve(&layers("tenant_token = \"s3cret\"", &[], None));
    let shown =
        format!("{settings:?} {:?}", serde_json::to_string(&settings.list()).expect("a list is JSON"));
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(settings.get(Key::TenantToken).shown(), "(set)");
}

#[test]
fn hostile_files_are_refused_in_bounds() {
    let deep = format!("user = {}", "[".repeat(100_000));
    let huge = format!("user = \"{}\"", "x".repeat(1 << 20));
    for (text, code) in [(deep, "settings-unreadable"), (huge, "settings-unusable")] {
        let (settings, problems) = Settings::resolve(&layers(&text, &[], None));
        assert_eq!(settings.list(), Settings::default().list());
        assert_eq!(codes(&problems), [code]);
    }
}

#[test]
fn files_of_other_schemas() {
    let old = "# from the packaging job\nTENANT_ID = \"acme\" # theirs\nSERVER_URL = \"https://t.example\"\n";
    let (settings, problems) = Settings::resolve(&layers("", &[], Some(old)));
    assert_eq!(codes(&problems), [""; 0]);
    assert_eq!(settings.tenant_id.value.as_deref(), Some("acme"));
    assert_eq!(settings.server_url.from, Provenance::Machine);

    let (settings, problems) = Settings::resolve(&layers("schema = 2\nuser = \"anna\"", &[], None));
    assert_eq!(codes(&problems), ["settings-newer"]);
    assert_eq!(settings.user.value.as_deref(), Some("anna"), "what is known is used");

    let edited = set(&layers(old, &[], None), "user", Some("anna")).expect("user can be set");
    assert_eq!(
        edited,
        "schema = 1\n# from the packaging job\ntenant_id = \"acme\" # theirs\nserver_url = \"https://t.example\"\n\
         user = \"anna\"\n"
    );
}

#[test]
fn an_edit_leaves_the_rest_alone() {
    let text = "# mine\nschema = 1\n\nrest_port = 1 # why\nsdk_approved = [\n  \"https://a.example\", # one\n]\n\n[later]\nx = 1\n";
    let base = layers(text, &[], None);
    let port = set(&base, "rest_port", Some("5")).expect("in bounds");
    assert_eq!(port, text.replace("= 1 # why", "= 5 # why"));
    let origins = set(&base, "sdk_approved", Some("https://b.example,https://c.example")).expect("in bounds");
    assert!(
        origins.contains("sdk_approved = [\"https://b.example\", \"https://c.example\"]\n\n[later]"),
        "{origins}"
    );
    let user = set(&base, "user", Some(r#"an"na\"#)).expect("in bounds");
    let (settings, _) = Settings::resolve(&layers(&user, &[], None));
    assert_eq!(settings.user.value.as_deref(), Some(r#"an"na\"#), "{user}");
    let removed = set(&base, "sdk_approved", None).expect("can be removed");
    assert_eq!(removed, "# mine\nschema = 1\n\nrest_port = 1 # why\n\n[later]\nx = 1\n");
    assert_eq!(set(&base, "user", None).expect("nothing to do"), text);
    assert_eq!(
        set(&layers("", &[], None), "rest_port", Some("0")).expect("new"),
        "schema = 1\nrest_port = 0\n"
    );
    assert_eq!(
        set(&layers("user = \"a\"", &[], None), "rest_port", Some("0")).expect("no newline"),
        "schema = 1\nuser = \"a\"\nrest_port = 0\n"
    );
    let older =
        set(&layers("schema = 0\nuser = \"a\"\n", &[], None), "user", Some("b")).expect("an older file");
    assert_eq!(older, "schema = 1\nuser = \"b\"\n");
    let crlf = set(&layers("schema = 1\r\nuser = \"a\"\r\n", &[], None), "user", Some("b")).expect("CRLF");
    assert_eq!(crlf, "schema = 1\r\nuser = \"b\"\r\n");
}

#[test]
fn an_edit_is_refused_with_its_reason() {
    let code = |layers: &Layers, key, value| set(layers, key, value).expect_err("refused").code;
    let base = layers("", &[], Some("server_url = \"https://t.example\"\nrest_port = 7"));
    assert_eq!(code(&base, "rest_port", Some("1")), Code::SettingManaged);
    assert_eq!(code(&base, "tenant_ca", Some("/a.pem")), Code::SettingManaged);
    assert_eq!(code(&base, "log_level", Some("loud")), Code::SettingInvalid);
    assert_eq!(code(&base, "schema", Some("9")), Code::SettingUnknown);
    assert_eq!(code(&base, "language", Some("klingon")), Code::LanguageNotSpoken);
    assert_eq!(code(&base, "language", Some("de@@")), Code::SettingInvalid);
    assert_eq!(code(&base, "tenant_idd", Some("9")), Code::SettingMisspelt);
    assert_eq!(code(&layers("user = ", &[], None), "user", Some("a")), Code::SettingsUnreadable);
}

/// Whatever is set can be read back, by any layer: a random walk.
#[test]
fn what_is_set_is_read_back() {
    let values: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("rest_port", &["0", "65535"][..]),
        ("sdk_approved", &["https://a.example", "https://a.example,https://b.example", ""]),
        ("language", &["de-DE", "en"]),
        ("server_url", &["https://a.example/", "file:///srv/a%20b/", "folder+https://b.example:1/x/"]),
        ("tenant_id", &["a.b-c_d"]),
        ("tenant_token", &["a\"b\\c"]),
        ("tenant_root", &["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]),
        ("tenant_ca", &["/a b/c.pem"]),
        ("user", &["Jörg", "a\\b", "\"\""]),
        ("log_level", &["debug"]),
    ]);
    let mut random = seed::random();
    let mut text = "# top\n\n[table]\nrest_port = 9\n".to_owned();
    let mut expected: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for _ in 0..400 {
        let (key, choices) = values.iter().nth(random.usize(..values.len())).expect("not empty");
        let value = random.bool().then(|| choices[random.usize(..choices.len())]);
        text = match set(&layers(&text, &[], None), key, value) {
            Ok(text) => text,
            // A token that is there is not left for another tenant.
            Err(refused) if refused.code == Code::SettingTokenFirst => {
                assert!(
                    expected["tenant_token"].is_some()
                        && value.is_some()
                        && expected.get(key) != Some(&value)
                );
                continue;
            }
            Err(problem) => panic!("all in bounds: {problem}"),
        };
        expected.insert(key, value);
        let (settings, problems) = Settings::resolve(&layers(&text, &[], None));
        assert_eq!(codes(&problems), ["setting-unknown"], "only the table: {text}");
        for (key, value) in &expected {
            let listed = settings.get(Key::named(key).expect("known"));
            assert_eq!(listed.from == Provenance::User, value.is_some(), "{key} in {text}");
            if let Some(value) = value.filter(|_| *key != "tenant_token") {
                assert_eq!(listed.shown(), value, "{text}");
            }
        }
    }
    assert!(
        text.starts_with("schema = 1\n") && text.ends_with("# top\n\n[table]\nrest_port = 9\n"),
        "{text}"
    );
}

#[test]
fn a_table_in_the_place_of_the_schema_is_left_alone() {
    for text in ["[schema]", "[[schema]]\r\n", "schema.x = 1\n"] {
        let new = set(&layers(text, &[], None), "user", Some("anna")).expect("an edit");
        assert_eq!(new.matches("schema").count(), 1, "{text:?} became {new:?}");
        let (settings, _) = Settings::resolve(&layers(&new, &[], None));
        assert_eq!(settings.user.value.as_deref(), Some("anna"), "{text:?} became {new:?}");
    }
}

/// Broken files: an edit is refused, or the value is in force afterwards; nothing panics.
#[test]
fn mutilated_files_are_edited_well_or_not_at_all() {
    let mut random = seed::random();
    let parts = [
        "user",
        "rest_port",
        "schema",
        " = ",
        "=",
        "1",
        "\"a\"",
        "\n",
        "\r\n",
        "[",
        "]",
        "[[",
        "]]",
        ".",
        "{",
        "}",
        ",",
        "# ü\n",
        "'''",
        "\"\"\"",
        "\\",
        "TENANT_ID",
        "\u{0}",
        "x",
        "1979-05-27",
        "schema = 1\n",
        "user = \"b\"\n",
        "USER = \"c\"\n",
        "user.x = 1\n",
        "[user]\n",
        "schema = \"1\"\n",
        "user = '''\nd'''",
        "[x]\nuser = 1\n",
    ];
    let (mut edited, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let text: String = (0..random.usize(0..10)).map(|_| parts[random.usize(..parts.len())]).collect();
        match set(&layers(&text, &[], None), "user", Some("anna")) {
            Ok(new) => {
                let (settings, _) = Settings::resolve(&layers(&new, &[], None));
                assert_eq!(settings.user.value.as_deref(), Some("anna"), "{text:?} became {new:?}");
                edited += 1;
            }
            Err(_) => refused += 1,
        }
        if let Ok(new) = set(&layers(&text, &[], None), "user", None) {
            let (settings, problems) = Settings::resolve(&layers(&new, &[], None));
            assert_eq!(settings.user.value, None, "{text:?} became {new:?}");
            assert!(problems.iter().all(|p| p.code != Code::SettingsUnreadable), "{text:?} became {new:?}");
        }
    }
    assert!(edited > 1000 && refused > 1000, "both happen: {edited} edited, {refused} refused");
}

#[test]
fn the_list_fits_its_schema() {
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/settings.schema.json"))
            .expect("the schema is committed");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let mut compiler = boon::Compiler::new();
    let mut schemas = boon::Schemas::new();
    compiler.add_resource("settings", schema).expect("a resource");
    let index = compiler.compile("settings", &mut schemas).expect("the schema compiles");
    let user = "tenant_token = \"x\"\nsdk_approved = [\"https://a.example\"]";
    for layers in [Layers::default(), layers(user, &[], Some("rest_port = 1"))] {
        let (settings, _) = Settings::resolve(&layers);
        let list = serde_json::to_value(settings.list()).expect("a list is JSON");
        schemas.validate(&list, index).expect("the list fits");
    }
    let leaked =
        serde_json::json!([{ "key": "tenant_token", "value": "x", "from": "user", "locked": false }]);
    assert!(schemas.validate(&leaked, index).is_err(), "the schema forbids a token");
}

/// For people: every setting in the order it is listed, with the default that counts.
#[test]
fn the_page_on_settings_is_true() {
    let page = include_str!("../../docs/settings.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.trim_end_matches(" |").split(" | ").collect())
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0].trim_end_matches('`')).collect();
    assert_eq!(names, Key::ALL.map(Key::name));
    let defaults = Settings::default();
    for (row, key) in rows.iter().zip(Key::ALL) {
        let (says, value) = (row[3], defaults.get(key).shown());
        let is_value = says.starts_with('`');
        assert_eq!(says.trim_matches('`') == value, is_value, "{}: {says}", key.name());
        assert_eq!(value.is_empty(), !is_value, "{}: {says}", key.name());
    }
}
