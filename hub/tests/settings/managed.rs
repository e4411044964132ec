//! A machine that is managed stays with its tenant, whatever a user or a mistake does.

use super::*;

/// A machine that names a tenant leaves a user no trust anchor to add, not even one the machine did not set.
#[test]
fn a_user_cannot_retarget_a_managed_machine() {
    let root = "a".repeat(64);
    let user = format!("server_url = \"https://evil.example\"\ntenant_root = \"{root}\"\nuser = \"anna\"");
    let environment = [("HOOKSWITCH_TENANT_CA", "/tmp/evil.pem"), ("TENANT_TOKEN", "x")];
    let machine = "server_url = \"https://tenant.example\"";
    let (settings, problems) = Settings::resolve(&layers(&user, &environment, Some(machine)));
    assert_eq!(settings.server_url.value.as_deref(), Some("https://tenant.example/"));
    assert_eq!(
        (settings.tenant_root.value, settings.tenant_ca.value, settings.tenant_token.value),
        (None, None, None)
    );
    assert_eq!(settings.user.value, None);
    assert_eq!(codes(&problems), ["setting-managed"; 5]);
    assert!(problems[0].next().contains("machine.toml"), "{}", problems[0]);
}

#[test]
fn a_broken_machine_file_does_not_open_the_door() {
    let user = "server_url = \"https://evil.example\"";
    let (settings, problems) = Settings::resolve(&layers(user, &[], Some("server_url = https://oops")));
    assert_eq!(settings.server_url.value, None);
    assert_eq!(codes(&problems), ["settings-unreadable", "setting-managed"]);
    assert_eq!(settings.tenant(), Err(problems[0].clone()));
}

/// Who the person is decides whose groups count, so on a managed machine that is not for the person to say.
#[test]
fn a_user_of_a_managed_machine_cannot_be_somebody_else() {
    let machine = "server_url = \"https://corp.example\"\ntenant_id = \"corp\"\ntenant_token = \"t\"";
    for own in [("user = \"ceo\"", None), ("", Some(("HOOKSWITCH_USER", "ceo")))] {
        let environment: Vec<(&str, &str)> = own.1.into_iter().collect();
        let (settings, problems) = Settings::resolve(&layers(own.0, &environment, Some(machine)));
        assert_eq!(settings.user.value, None, "{own:?}");
        assert!(
            problems.iter().any(|p| p.code == Code::SettingManaged && p.args["key"] == "user"),
            "{problems:?}"
        );
        assert!(settings.get(Key::User).locked);
        let (free, _) = Settings::resolve(&layers(own.0, &environment, None));
        assert_eq!(free.user.value.as_deref(), Some("ceo"), "nobody's groups are at stake");
    }
    let named = format!("{machine}\nuser = \"kiosk\"");
    let (settings, _) = Settings::resolve(&layers("user = \"ceo\"", &[], Some(&named)));
    assert_eq!(settings.user.value.as_deref(), Some("kiosk"));
    let refused = set(&layers("", &[], Some(machine)), "user", Some("ceo"));
    assert_eq!(refused.expect_err("refused").code, Code::SettingManaged);
    let mut apart = layers("user = \"ceo\"", &[], None);
    apart.computer = Some(MachineFiles {
        shared: file("/etc/hookswitch/hookswitch.toml", machine),
        ..MachineFiles::default()
    });
    assert_eq!(Settings::resolve(&apart).0.user.value, None, "nor in another home");
}

/// A tenant was meant, in words that nobody knows here: the environment's may not take its place.
#[test]
fn a_misspelt_machine_file_does_not_open_the_door() {
    let rogue = [("SERVER_URL", "https://evil.example"), ("TENANT_ID", "x"), ("TENANT_TOKEN", "y")];
    for (text, name) in [
        ("schema = 1\nSERVER_URL = \"https://t.example\"", "SERVER_URL"),
        ("server-url = \"https://t.example\"", "server-url"),
        ("tenant_url = \"https://t.example\"", "tenant_url"),
        ("[tenant]\nserver_url = \"https://t.example\"", "tenant"),
        ("rest_port = 3\ntokn = \"abc\"", "tokn"),
    ] {
        let shared = layers("", &rogue, Some(text));
        let (mut private, mut computer) = (layers("", &rogue, None), layers("", &rogue, None));
        private.machine.private = file("tenant.toml", text);
        computer.computer = Some(shared.machine.clone());
        for layers in [shared, private, computer] {
            let (settings, problems) = Settings::resolve(&layers);
            assert!(settings.tenant_locked && settings.server_url.value.is_none(), "{text}");
            let fault = settings.tenant().expect_err("closed");
            assert!(fault.place().ends_with(&format!(": {name}")) && problems.contains(&fault), "{fault:?}");
            let refused = set(&layers, "server_url", Some("https://evil.example")).expect_err("locked");
            assert_eq!(refused.code, Code::SettingManaged);
        }
    }
    let (_, problems) =
        Settings::resolve(&layers("", &[], Some("schema = 1\nSERVER_URL = \"https://t.example\"")));
    assert!(problems[0].next().contains("server_url"), "{problems:?}");
    let (settings, _) = Settings::resolve(&layers("tenant_url = \"x\"", &rogue, Some("rest_port = 3")));
    assert!(settings.tenant().is_ok_and(|tenant| tenant.is_some()), "a user's mistake is the user's");
}

/// What keeps the tenant out is said by who reads it: this agent, or the service beside it.
#[test]
fn a_fault_of_the_settings_is_said_once() {
    let of_agent = |problems: &[Problem], settings: &Settings| {
        let said = |with_service| codes(&settings.said_by_agent(problems.to_vec(), with_service)).join(" ");
        (said(true), said(false))
    };
    let user = "rest_port = \"x\"\nserver_url = 5";
    let (settings, problems) = Settings::resolve(&layers(user, &[], None));
    assert_eq!(codes(&problems), ["setting-invalid"; 2]);
    let both = "setting-invalid setting-invalid".to_owned();
    assert_eq!(of_agent(&problems, &settings), (both, "setting-invalid".to_owned()));
    assert_eq!(settings.said_by_agent(problems.clone(), false)[0].args["key"], "rest_port");

    let mut withheld = layers("rest_port = \"x\"", &[], None);
    withheld.machine.private.content = Content::Unusable(Unusable::Withheld);
    let (settings, problems) = Settings::resolve(&withheld);
    assert_eq!(problems.len(), 2);
    let port = "setting-invalid".to_owned();
    assert_eq!(of_agent(&problems, &settings), (port.clone(), port));
}
