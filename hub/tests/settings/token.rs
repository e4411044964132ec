//! A token and the tenant whose it is.

use super::*;
use hub::settings::set_for_machine;

/// Between two commands the agent lives by what the file says.
#[test]
fn a_token_is_not_left_for_another_tenant() {
    let text = "server_url = \"https://a.example/\"\ntenant_id = \"acme\"\ntenant_token = \"t\"\n";
    let base = layers(text, &[], None);
    let without = layers(&text.replace("tenant_token", "#"), &[], None);
    for (key, value) in [("server_url", "https://b.example/"), ("tenant_id", "bolt")] {
        let refused = set(&base, key, Some(value)).expect_err("the token is the first one's");
        assert_eq!(refused.code, Code::SettingTokenFirst, "{key}");
        assert!(set(&base, key, None).is_ok() && set(&without, key, Some(value)).is_ok());
    }
    assert!(set(&base, "server_url", Some("https://a.example/")).is_ok(), "it is the same one");
    let nameless = set(&base, "server_url", None).expect("taken out");
    let refused = set(&layers(&nameless, &[], None), "server_url", Some("https://b.example/"));
    assert_eq!(refused.expect_err("in two steps").code, Code::SettingTokenFirst);
    assert!(set(&base, "tenant_token", Some("new")).is_ok());
    let machine = MachineFiles {
        shared: SettingsFile::of_text("m.toml", "server_url = \"https://a.example/\"\n"),
        private: SettingsFile::of_text("p.toml", "tenant_token = \"t\"\n"),
    };
    let refused = set_for_machine(&machine, "server_url", Some("https://b.example/")).expect_err("as above");
    assert_eq!(refused.code, Code::SettingTokenFirst);
}
