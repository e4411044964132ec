//! What Windows tells in bytes and texts, read without asking it anything: tested wherever the tests run.

/// The UUID of the structure of type 1, in the order in which it is written.
pub(super) fn smbios_uuid(table: &[u8]) -> Option<[u8; 16]> {
    // Behind the header of RawSMBIOSData.
    let mut rest = table.get(8..)?;
    loop {
        let (kind, length) = (*rest.first()?, usize::from(*rest.get(1)?));
        if kind == 1 {
            let mut uuid: [u8; 16] = rest.get(8..24).filter(|_| length >= 24)?.try_into().ok()?;
            // The first three fields are little-endian.
            uuid[..4].reverse();
            uuid[4..6].reverse();
            uuid[6..8].reverse();
            return Some(uuid);
        }
        // Behind the fixed part come texts, and two zeros at the end of them.
        let texts = rest.get(length.max(4)..)?;
        let end = texts.windows(2).position(|pair| pair == [0, 0])?;
        rest = texts.get(end + 2..)?;
    }
}

/// `HID\VID_1209&PID_0001&MI_03\7&1a2b` of `\\?\HID#VID_1209&PID_0001&MI_03#7&1a2b#{4d1e55b2-…}`.
pub(super) fn instance(path: &str) -> Option<String> {
    let (id, _class) = path.strip_prefix(r"\\?\")?.rsplit_once("#{")?;
    Some(id.replace('#', r"\"))
}

/// `bus-port.port` of a location path.
pub(super) fn port_of(location: &str) -> Option<String> {
    let (controller, ports) = location.split_once("#USB(")?;
    // An interface of a device that has several is `…#USBMI(3)`.
    let ports = ports.split("#USBMI(").next()?;
    let ports: Option<Vec<&str>> = ports.split("#USB(").map(|port| port.strip_suffix(')')).collect();
    // FNV-1a: controllers are few, and nobody names them to deceive.
    let bus = controller
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    Some(format!("{bus}-{}", ports?.join(".")))
}

/// `tenant_id` of `TenantId`, as the registry's names are usually written.
pub(super) fn setting(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 && !out.ends_with('_') {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    // A name that is none stays one that nobody knows.
    let is_name = !out.is_empty() && out.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { out } else { quoted(&out) }
}

/// A text of TOML, which reads the escapes of JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_found_at_its_port_and_its_twin_at_another() {
        let path =
            r"\\?\HID#VID_1209&PID_0001&MI_03&Col01#8&1a2b&0&0000#{4d1e55b2-f16f-11cf-88cb-001111000030}";
        assert_eq!(instance(path).as_deref(), Some(r"HID\VID_1209&PID_0001&MI_03&Col01\8&1a2b&0&0000"));
        assert_eq!(instance("/dev/hidraw3"), None);
        let at = |location: &str| port_of(location).expect("a port");
        let headset = at("PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(3)#USB(2)");
        assert!(headset.ends_with("-3.2"), "{headset}");
        assert_eq!(at("PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(3)#USB(2)#USBMI(3)"), headset, "its interface");
        assert_ne!(at("PCIROOT(0)#PCI(1C00)#USBROOT(0)#USB(3)#USB(2)"), headset, "another controller");
        for none in ["", "PCIROOT(0)#PCI(1400)", "X#USB(3", "ACPI(_SB_)"] {
            assert_eq!(port_of(none), None, "{none}");
        }
    }

    /// Fields of SMBIOS 3.7 §7.2 after a structure that has texts and one that has none.
    #[test]
    fn the_hardware_has_the_id_that_its_firmware_tells() {
        let mut table = vec![0; 8];
        table.extend([0, 5, 0, 0, 1]);
        table.extend(b"text\0\0");
        table.extend([2, 4, 1, 0, 0, 0]);
        table.extend([1, 27, 2, 0, 1, 2, 3, 4]);
        table.extend([
            0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
        ]);
        table.extend([6, 0, 0, 0, 0]);
        let uuid = smbios_uuid(&table).expect("there is one");
        assert_eq!(hex::encode(uuid), "00112233445566778899aabbccddeeff");
        for length in 0..table.len() - 5 {
            assert_eq!(smbios_uuid(&table[..length]), None, "{length}");
        }
        assert_eq!(smbios_uuid(&[0; 64]), None);
    }

    #[test]
    fn names_of_the_registry_are_settings_and_no_text_of_it_is_syntax() {
        for (name, wanted) in [
            ("TenantId", "tenant_id"),
            ("ServerUrl", "server_url"),
            ("rest_port", "rest_port"),
            ("Language", "language"),
            ("", "\"\""),
        ] {
            assert_eq!(setting(name), wanted);
        }
        let hostile = format!("{} = {}", setting("A = 1\nB"), quoted("x\"\ntenant_id = \"y"));
        let read: toml::Table = hostile.parse().expect("TOML");
        assert_eq!(read.len(), 1, "{hostile}");
    }
}
