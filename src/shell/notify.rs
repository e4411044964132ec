//! Short notices, shown by the desktop. A notice that cannot be shown is
//! logged and forgotten: everything it says is also in the window.
#![expect(clippy::disallowed_methods, reason = "shows a notice from a thread of its own")]

use super::os;
use hub::locale::Locale;
use hub::user::Notice;
use hub::user::notice::Body;

/// Shows the notice; returns at once.
pub fn show(locale: &Locale, notice: &Notice) {
    let title = locale.format(&notice.title);
    let body = match &notice.body {
        Body::Message(message) => locale.format(message),
        Body::Problem(problem) => {
            let text = locale.problem(problem);
            format!("{}. {}", text.what.trim_end_matches('.'), text.next)
        }
    };
    let thread = std::thread::Builder::new().name("notice".to_owned());
    let shown = thread.spawn(move || {
        if let Err(error) = os::show_notice(&title, &body) {
            tracing::info!("a notice could not be shown");
            tracing::debug!(%error, "the desktop's word for it");
        }
    });
    if let Err(error) = shown {
        tracing::warn!(%error, "a notice could not be shown");
    }
}
