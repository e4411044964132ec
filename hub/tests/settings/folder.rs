//! A tenant that is a folder.

use super::*;

/// One address is one tenant, however it is written.
#[test]
fn a_folder_is_named_by_its_address() {
    let pin = "a".repeat(64);
    for (written, address, url) in [
        ("file:///srv/acme", "file:///srv/acme/", "file:///srv/acme/"),
        ("file:///srv/x/../acme/", "file:///srv/acme/", "file:///srv/acme/"),
        (r"\\dc\share\100% #1", "file://dc/share/100%25%20%231/", "file://dc/share/100%25%20%231/"),
        ("file://dc/share/acme", "file://dc/share/acme/", "file://dc/share/acme/"),
        ("folder+https://w.example:443", "folder+https://w.example/", "https://w.example/"),
        ("folder+https://w.example/hs", "folder+https://w.example/hs/", "https://w.example/hs/"),
    ] {
        let given = [("SERVER_URL", written), ("TENANT_ROOT", &pin)];
        let (settings, problems) = Settings::resolve(&layers("", &given, None));
        assert_eq!(problems, [], "{written}");
        let named = settings.tenant().expect("whole").expect("named");
        assert_eq!(named.source, TenantSource::Folder(address.to_owned()));
        assert_eq!((named.source.url(), named.tenant_root.as_deref()), (url, Some(pin.as_str())));
        assert!(!named.source.can_enrol() && !named.source.can_report());
        // A token of before is no harm, and goes nowhere.
        let (settings, _) = Settings::resolve(&layers("tenant_token = \"t\"", &[], None));
        assert_eq!(settings.tenant().expect_err("of a server").code, Code::TenantIncomplete);
        let text = format!("server_url = {written:?}\ntenant_token = \"t\"\ntenant_root = \"{pin}\"");
        let (settings, _) = Settings::resolve(&layers(&text, &[], None));
        assert_eq!(settings.tenant().expect("whole").expect("named").tenant_token, None);
        // Whoever may write into the folder would be the tenant.
        let (settings, _) = Settings::resolve(&layers("", &given[..1], None));
        assert_eq!(settings.tenant().expect_err("no pin").code, Code::TenantFolderUnpinned);
    }
}
