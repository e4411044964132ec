//! Chromium on the window and on the SDK. Part of the tier *browser* alone: it needs a driver, which
//! `cargo xtask test --tier browser` starts.
#![expect(clippy::disallowed_methods, reason = "test code: environment, sockets, processes, waiting")]

#[path = "browser/events.rs"]
mod events;
#[path = "doors/machine.rs"]
mod machine;
#[path = "doors/sdk.rs"]
#[expect(dead_code, reason = "shared with tests/contract.rs, which uses all of it")]
mod sdk;
#[path = "browser/spokes.rs"]
mod spokes;
#[path = "browser/webdriver.rs"]
mod webdriver;
#[path = "browser/window.rs"]
mod window;

use std::path::PathBuf;
use std::time::{Duration, Instant};

const HOW: &str = "this test needs a browser: run `cargo xtask test --tier browser`";
const PATIENCE: Duration = Duration::from_secs(10);

/// The driver's address.
fn driver() -> String {
    std::env::var("HOOKSWITCH_WEBDRIVER").expect(HOW)
}

/// Where a picture goes: kept with the results of the run.
fn artifacts(name: &str) -> PathBuf {
    let folder = std::env::var_os("HOOKSWITCH_ARTIFACTS").map_or_else(std::env::temp_dir, PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder.join(name)
}

/// Waits for what a browser shows a moment later.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
