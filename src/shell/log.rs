//! The four logs. One thread writes them; secrets are masked where lines meet the files.
#![expect(clippy::disallowed_methods, reason = "opens the logs and reads the clock for their lines")]

use files::Files;
use hub::calendar;
use hub::problem::Reason;
use hub::protocol::Problem;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

mod files;
mod masks;

pub use files::{KEPT_FILES, MAX_FILE_BYTES, NAMES};
pub use masks::{mask, mask_json, mask_user, masked};

/// Longer lines are cut.
const MAX_LINE_BYTES: usize = 8 * 1024;
/// Lines that wait for the disk. The queue is allocated at once: the crate's own default takes megabytes.
const QUEUED_LINES: usize = 1024;

/// Which log a module writes to; all others write to the session's.
const ROUTES: [(&str, u8); 20] = [
    ("hub::machine::role::reports", files::CLOUD),
    ("hub::machine::policy", files::CLOUD),
    ("hub::machine::outbox", files::CLOUD),
    ("hookswitch::shell::tenant", files::CLOUD),
    ("hookswitch::shell::ldap", files::CLOUD),
    ("hub::machine::people", files::CLOUD),
    ("ldap3", files::CLOUD),
    ("tough", files::CLOUD),
    ("reqwest", files::CLOUD),
    ("hyper", files::CLOUD),
    ("hyper_util", files::CLOUD),
    ("hub::machine::fleet", files::DEVICE),
    ("hookswitch::shell::hid", files::DEVICE),
    ("hookswitch::shell::usb", files::DEVICE),
    ("hookswitch::shell::hotplug", files::DEVICE),
    ("device_handlers", files::DEVICE),
    ("hidapi", files::DEVICE),
    ("rusb", files::DEVICE),
    ("hub::machine::update", files::DFU),
    ("dfu", files::DFU),
];

/// Changes from which level on is logged.
static LEVEL: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Keeps the logs open; what was logged is on disk once this is dropped.
#[derive(Debug)]
pub struct Guard {
    _worker: WorkerGuard,
}

/// Logs from now on to `folder`, which exists. `level` is a value of the setting `log_level`.
///
/// # Errors
/// A log cannot be opened, or logging was started before.
pub fn start(folder: &Path, level: &str) -> Result<Guard, Problem> {
    let files = Files::open(folder)?;
    let queue = NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).thread_name("log");
    let counter = files.dropped_by_queue();
    let (queue, worker) = queue.finish(files);
    let _ = counter.set(queue.error_counter());
    let terminal = std::io::stderr().is_terminal();
    let (targets, change) = reload::Layer::new(targets(level));
    let lines = Lines { queue, terminal };
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init()
        .map_err(|error| Reason::LogNotStarted { reason: error.to_string() }.at(folder.display()))?;
    let _ = LEVEL.set(change);
    Ok(Guard { _worker: worker })
}

/// The setting `log_level` is another now. Nothing before [`start`].
pub fn set_level(level: &str) {
    let new = targets(level);
    let Some(change) = LEVEL.get() else { return };
    if change.with_current(|now| *now != new).unwrap_or(false) && change.reload(new).is_ok() {
        tracing::info!(level, "logging");
    }
}

/// Libraries are one or two steps quieter than the product.
fn targets(level: &str) -> Targets {
    let ours = level.parse().unwrap_or(LevelFilter::INFO);
    let theirs = match ours {
        LevelFilter::TRACE => LevelFilter::DEBUG,
        LevelFilter::DEBUG => LevelFilter::INFO,
        LevelFilter::INFO => LevelFilter::WARN,
        quieter => quieter,
    };
    let product =
        ["hookswitch", "hub", "device_handlers", "dfu", "directory", "tenant"].map(|target| (target, ours));
    Targets::new().with_default(theirs).with_targets(product)
}

/// Turns events into lines.
#[derive(Debug)]
struct Lines {
    queue: NonBlocking,
    terminal: bool,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        // Records of the `log` crate all carry the target "log" and name their own in a field.
        let target = text.log_target.as_deref().unwrap_or(meta.target());
        let level = *meta.level();

        let mut line = String::with_capacity(text.all.len() + 64);
        line.push(char::from(files::HEAD[usize::from(route(target))]));
        // The writer hides the user's name in what is logged above debug.
        line.push(if level <= Level::INFO { files::HIDE_USER } else { files::SHOW_USER });
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let _ = write!(line, "{} {level:<5} {target}: ", calendar::rfc3339_ms(since_1970));
        push_printable(&mut line, &text.all);
        line.push('\n');
        let _ = self.queue.clone().write_all(line.as_bytes());

        if let Some(short) = text.for_terminal(level).filter(|_| self.terminal) {
            let _ = writeln!(std::io::stderr().lock(), "{short}");
        }
    }
}

fn route(target: &str) -> u8 {
    let is_below = |module: &str| {
        target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    ROUTES.iter().find(|(module, _)| is_below(module)).map_or(files::SESSION, |(_, file)| *file)
}

/// One event is one line, whatever it quotes.
fn push_printable(line: &mut String, text: &str) {
    for (c, shown) in dfu::text::characters(text) {
        if line.len() > MAX_LINE_BYTES {
            line.push('…');
            return;
        }
        if shown { line.push(c) } else { line.extend(c.escape_default()) }
    }
}

/// The message and then ` name=value` for every field.
#[derive(Debug, Default)]
struct Text {
    all: String,
    log_target: Option<String>,
    /// It has a field `problem`: one that the person is told of in words (`hub::user::terminal`).
    told: bool,
}

impl Text {
    /// What a person at the terminal does not hear otherwise.
    fn for_terminal(&self, level: Level) -> Option<String> {
        if self.told || level > Level::WARN {
            return None;
        }
        let kind = if level == Level::ERROR { "error" } else { "warning" };
        let mut short = format!("hookswitch: {kind}: ");
        push_printable(&mut short, &masked(&self.all, true));
        Some(short)
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.log_target = Some(value.to_owned()),
            "message" => self.all.insert_str(0, value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.all.insert_str(0, &format!("{value:?}")),
            name if name.starts_with("log.") => {}
            name => {
                self.told |= name == "problem";
                let _ = write!(self.all, " {name}={value:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_find_their_log() {
        for (target, file) in [
            ("hub::machine::policy", files::CLOUD),
            ("hookswitch::shell::tenant::http", files::CLOUD),
            ("tough::client", files::CLOUD),
            ("toughness", files::SESSION),
            ("hookswitch::shell::hidden", files::SESSION),
            ("device_handlers::report", files::DEVICE),
            ("dfu", files::DFU),
            ("hookswitch::shell", files::SESSION),
            ("ldap3::conn", files::CLOUD),
            ("hookswitch::shell::ldap::connection", files::CLOUD),
        ] {
            assert_eq!(route(target), file, "{target}");
        }
    }

    /// A module that was renamed would log to the session's file, silently.
    #[test]
    fn every_route_names_a_module_or_a_library_that_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).expect("the lock file is committed");
        for (module, _) in ROUTES {
            let there = match module.split_once("::") {
                Some((of, path)) => {
                    let source = root.join(if of == "hub" { "hub/src" } else { "src" });
                    source.join(path.replace("::", "/")).with_extension("rs").is_file()
                }
                None => {
                    let name = module.replace('_', "-");
                    lock.contains(&format!("name = \"{name}\"\n"))
                        || lock.contains(&format!("name = \"{module}\"\n"))
                }
            };
            assert!(there, "{module}");
        }
    }

    /// What a terminal would say of the events of `log`.
    fn at_a_terminal(log: impl FnOnce()) -> Vec<String> {
        #[derive(Clone, Default)]
        struct Terminal(std::sync::Arc<std::sync::Mutex<Vec<String>>>);
        impl<S: Subscriber> Layer<S> for Terminal {
            fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
                let mut text = Text::default();
                event.record(&mut text);
                self.0.lock().expect("no panic").extend(text.for_terminal(*event.metadata().level()));
            }
        }
        let terminal = Terminal::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(terminal.clone()), log);
        std::mem::take(&mut *terminal.0.lock().expect("no panic"))
    }

    #[test]
    fn a_problem_is_not_said_twice_at_a_terminal() {
        let problem = Reason::HomeUnknown.at("where");
        let said = at_a_terminal(|| {
            tracing::warn!(%problem, "settings");
            tracing::error!(problem = ?problem, "tenant");
            tracing::warn!(why = %problem, "headset");
            tracing::info!("started");
        });
        assert_eq!(said, [format!("hookswitch: warning: headset why={problem}")]);
    }

    #[test]
    fn one_event_is_one_line_of_bounded_length() {
        let mut line = String::new();
        push_printable(&mut line, "a\nb\u{1b}[31m\r\u{85}");
        assert_eq!(line, "a\\nb\\u{1b}[31m\\r\\u{85}");
        let mut line = String::new();
        push_printable(&mut line, &"ü".repeat(100_000));
        assert!(line.len() < MAX_LINE_BYTES + 8);
    }
}
