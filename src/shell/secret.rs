//! Random secrets of the doors, and how they are compared.

/// 128 random bits as 32 hex digits. Errors: the system has no randomness to give.
pub fn secret() -> Result<String, aws_lc_rs::error::Unspecified> {
    let secret = chance()?;
    // Whoever comes to log it, by whatever way.
    super::log::mask(&secret);
    Ok(secret)
}

/// 128 random bits as 32 hex digits, for what is no secret. Errors: the system has no randomness to give.
pub fn chance() -> Result<String, aws_lc_rs::error::Unspecified> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Compares without telling by its time how much was right.
pub fn same(expected: &str, given: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_ok()
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
